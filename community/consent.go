package community

import (
	"context"
	"errors"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Purpose is what a member agrees to, each for itself.
type Purpose string

// The purposes. Refusing marketing closes nothing else.
const (
	PurposeGroupOps       Purpose = "group_ops"
	PurposeMarketing      Purpose = "marketing_1to1"
	PurposeReferral       Purpose = "referral"
	PurposePayoutIdentity Purpose = "payout_identity"
)

// Consent is one decision of a member about one purpose, under the text he was
// shown. Rows are only added; the latest of a purpose counts.
type Consent struct {
	Purpose     Purpose     `json:"purpose"`
	Granted     bool        `json:"granted"`
	TextVersion string      `json:"text_version"`
	Source      string      `json:"source"`
	At          clock.Milli `json:"at"`
}

// ConsentIn is a decision as it comes in. Source says where it was made; empty
// means by the member on our pages, or by the staff member who calls.
type ConsentIn struct {
	Purpose     Purpose `json:"purpose"`
	Granted     *bool   `json:"granted"`
	TextVersion string  `json:"text_version"`
	Source      string  `json:"source"`
}

// ConsentBatch is what SetConsents takes at once.
type ConsentBatch struct {
	Consents []ConsentIn `json:"consents"`
}

// Validate checks the decisions' form. Giving and withdrawing need the same.
func (b ConsentBatch) Validate() error {
	var c fault.Check
	c.Range(int64(len(b.Consents)), "consents", 1, 4)
	seen := map[Purpose]bool{}
	for i, in := range b.Consents {
		at := fmt.Sprintf("consents[%d]", i)
		c.OneOf(string(in.Purpose), at+".purpose", string(PurposeGroupOps), string(PurposeMarketing),
			string(PurposeReferral), string(PurposePayoutIdentity))
		c.That(!seen[in.Purpose], at+".purpose", "repeated", "每个用途只填一次", "name each purpose once")
		seen[in.Purpose] = true
		c.That(in.Granted != nil, at+".granted", "required", "必填", "is required")
		c.Required(in.TextVersion, at+".text_version")
		c.Length(in.TextVersion, at+".text_version", 32)
		c.Length(in.Source, at+".source", 32)
	}
	return c.Err()
}

// SetConsents writes the decisions that differ from what stands.
func (s *Service) SetConsents(ctx context.Context, member id.Member, in []ConsentIn) error {
	if err := (ConsentBatch{in}).Validate(); err != nil {
		return err
	}
	return Again(func() error {
		return s.DB.Tx(ctx, func(tx *database.Tx) error {
			m, err := lockLive(tx, member)
			if err != nil {
				return err
			}
			return setConsents(tx, m.ID, in)
		})
	})
}

// LiveTx locks the live member behind an id, for a change that another room
// makes of him.
func LiveTx(tx *database.Tx, member id.Member) (Member, error) {
	m, err := lockLive(tx, member)
	if errors.Is(err, errRaced) {
		return m, fault.Unavailable.Wrap(err)
	}
	return m, err
}

// ConsentTx writes one decision of the member that LiveTx locked.
func ConsentTx(tx *database.Tx, member id.Member, in ConsentIn) error {
	return setConsents(tx, member, []ConsentIn{in})
}

// lockLive locks the live member behind an id.
func lockLive(tx *database.Tx, member id.Member) (Member, error) {
	m, err := seenMember(tx.Context(), tx.DB, member)
	if err != nil {
		return Member{}, err
	}
	rows, err := lockMembers(tx, []id.Member{m.ID})
	switch {
	case err != nil:
		return Member{}, err
	case rows[0].MergedInto != 0:
		return Member{}, errRaced
	case rows[0].Status == MemberErased:
		return Member{}, ErrMemberErased.With("member", m.ID)
	}
	return rows[0], nil
}

func setConsents(tx *database.Tx, member id.Member, in []ConsentIn) error {
	now, err := Consents(tx.DB, member)
	if err != nil {
		return err
	}
	stands := map[Purpose]Consent{}
	for _, c := range now {
		stands[c.Purpose] = c
	}
	var wrote []Consent
	for _, x := range in {
		old, had := stands[x.Purpose]
		if had && old.Granted == *x.Granted && old.TextVersion == x.TextVersion {
			continue
		}
		// Later than what it replaces even when two come in one millisecond;
		// the member's row is locked, so this order is the order of commits.
		c := Consent{x.Purpose, *x.Granted, x.TextVersion, sourceOf(tx, x.Source), max(tx.Now, old.At+1)}
		err := tx.Exec("INSERT INTO consents (id, member_id, purpose, granted, text_version, source, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
			tx.Next(), member, c.Purpose, c.Granted, c.TextVersion, c.Source, c.At).Error
		if err != nil {
			return fmt.Errorf("community: consent of %s: %w", member, err)
		}
		wrote = append(wrote, c)
	}
	return database.AuditTx(tx, "member.consents", member, now, wrote)
}

func sourceOf(tx *database.Tx, given string) string {
	switch {
	case given != "":
		return given
	case tx.Actor.Kind == database.ActorStaff:
		return "staff"
	}
	return "member"
}

// Consents are a live member's decisions in force, one per purpose decided.
func Consents(q *database.Query, member id.Member) ([]Consent, error) {
	all, err := consentHistory(q, member)
	if err != nil {
		return nil, err
	}
	var out []Consent
	for i, c := range all {
		if i+1 == len(all) || all[i+1].Purpose != c.Purpose {
			out = append(out, c)
		}
	}
	return out, nil
}

// consentHistory is every decision, by purpose, oldest first.
func consentHistory(q *database.Query, member id.Member) ([]Consent, error) {
	var all []Consent
	err := q.Raw("SELECT purpose, granted, text_version, source, at FROM consents WHERE member_id = ? ORDER BY purpose, at, id", member).Scan(&all).Error
	if err != nil {
		return nil, fmt.Errorf("community: consents of %s: %w", member, err)
	}
	return all, nil
}

// RefusedAt says when each of the live members whose latest decision about the
// purpose is a refusal made it; whoever never decided is left out.
func RefusedAt(q *database.Query, p Purpose, members []id.Member) (map[id.Member]clock.Milli, error) {
	var rows []struct {
		MemberID id.Member
		Granted  bool
		At       clock.Milli
	}
	err := q.Raw("SELECT member_id, granted, at FROM consents WHERE member_id IN ? AND purpose = ? ORDER BY member_id, at, id", members, p).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("community: refusals of %s: %w", p, err)
	}
	out := map[id.Member]clock.Milli{}
	for _, r := range rows {
		if r.Granted {
			delete(out, r.MemberID)
		} else {
			out[r.MemberID] = r.At
		}
	}
	return out, nil
}
