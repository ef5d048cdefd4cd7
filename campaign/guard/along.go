package guard

import (
	"siyu/internal/database"
	"siyu/internal/id"
)

// Along is an ad that goes along in another's slot, as a line of a digest.
type Along struct {
	Campaign  id.Campaign
	Promotion id.Promotion
	WindowNo  int
}

// Digest is a slot that was reserved and the ads that go along in it.
type Digest struct {
	Answer
	Lines []Along
	Most  int // ads in one digest, the main one among them
}

// AlongTx keeps a decision for every line of a digest, naming the slot in which
// it goes out, in the transaction that reserved the slots. A line takes no slot
// of its own: the digest counts once.
func (s *Service) AlongTx(tx *database.Tx, digests []Digest) error {
	groups := make([]id.Group, len(digests))
	for i, d := range digests {
		groups[i] = d.GroupID
	}
	if len(groups) == 0 {
		return nil
	}
	all, err := s.load(tx.DB, question{groups: groups, now: tx.Now})
	if err != nil {
		return err
	}
	var records []record
	for _, d := range digests {
		why := Reasons{{RuleDigest, int64(len(d.Lines) + 1), int64(d.Most)}}
		for _, l := range d.Lines {
			a := Answer{d.GroupID, d.SlotID, Decision{Outcome: OutcomeDigest, Rule: RuleDigest, Window: d.Answer.Window, Reasons: why}}
			records = append(records, recordOf(tx, all[d.GroupID], Ask{Campaign: l.Campaign, Promotion: l.Promotion, WindowNo: l.WindowNo, Window: d.Answer.Window}, a))
		}
	}
	_, err = keepDecisions(tx, records, nil)
	return err
}
