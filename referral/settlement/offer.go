package settlement

import (
	"context"
	"fmt"
	"strings"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/payee"
)

// askMost is how many rewards one request covers at most, so that closing
// takes it in one transaction; consider is how many of the oldest are looked
// at.
const (
	askMost  = 400
	consider = 2000
)

// payable is a reward that its member may ask for: cleared, on no live line,
// under no request, and worth something after what was taken back.
type payable struct {
	RewardID  id.Reward
	ClearedAt clock.Milli
	Amount    money.Amount
}

// Offer is what a request made now would be.
type Offer struct {
	PayerID     id.Payer     `json:"payer_id"`
	PayerName   string       `json:"payer_name"`
	Terms       Terms        `json:"terms"`
	Available   money.Amount `json:"available_fen"` // all that may be asked for
	AskedToday  int          `json:"asked_today"`
	RewardCount int          `json:"reward_count"` // of a request made now, as the next three
	Gross       money.Amount `json:"gross_fen"`
	Fee         money.Amount `json:"fee_fen"`
	Net         money.Amount `json:"net_fen"` // before tax
	Refusal     *fault.Fault `json:"-"`       // why none can be made now

	take []payable
}

// offer decides what a request covers: whole rewards, oldest first, each that
// still fits under the most; one that does not fit is passed over. A pure
// function.
func offer(t Terms, list []payable, askedToday int) Offer {
	o := Offer{PayerID: t.PayerID, Terms: t, AskedToday: askedToday}
	for _, r := range list {
		o.Available += r.Amount
		if len(o.take) < askMost && o.Gross+r.Amount <= t.Most {
			o.take, o.Gross = append(o.take, r), o.Gross+r.Amount
		}
	}
	o.RewardCount = len(o.take)
	switch {
	case t.Mode != ModeOnRequest:
		o.Refusal = ErrByPeriod
	case len(list) == 0:
		o.Refusal = ErrNothing
	case o.RewardCount == 0:
		o.Refusal = ErrMost.With("most", t.Most)
	case o.Gross < t.Least:
		o.Refusal = ErrLeast.With("have", o.Gross).With("least", t.Least)
	case askedToday >= t.PerDay:
		o.Refusal = ErrPerDay.With("limit", t.PerDay)
	}
	if o.Gross >= t.Least && o.RewardCount > 0 {
		o.Fee = t.fee(o.Gross)
	}
	o.Net = o.Gross - o.Fee
	return o
}

// payables are the oldest rewards that a member may ask a payer for. Those that
// are marked settled are passed over by the index, so what the look costs is what
// waits, is asked for or came to nothing, not what he ever earned.
func payables(q *database.Query, pid id.Payer, m id.Member) ([]payable, error) {
	return payablesOf(q, pid, m, "")
}

// lookAgain is how many rewards one statement looks at again.
const lookAgain = 150

// stillPayable are those of the rewards that may be asked for as they stand
// now, each read by its id.
func stillPayable(q *database.Query, pid id.Payer, m id.Member, list []payable) ([]payable, error) {
	ids := make([]any, len(list))
	for i, r := range list {
		ids[i] = r.RewardID
	}
	return payablesOf(q, pid, m, " AND r.id IN (?"+strings.Repeat(",?", len(ids)-1)+")", ids...)
}

func payablesOf(q *database.Query, pid id.Payer, m id.Member, only string, ids ...any) ([]payable, error) {
	payers, err := payee.Covered(q, pid)
	if err != nil {
		return nil, err
	}
	args := append([]any{m, money.CNY, payers, KindReward}, ids...)
	var rows []payable
	// The events of a reward are asked for by its id alone: named by their kind
	// too, an engine that believes there are few of it begins with those.
	err = q.Raw(`SELECT reward_id, cleared_at, amount FROM (SELECT r.id AS reward_id,
			(SELECT MAX(CASE WHEN c.kind = 'cleared' THEN c.at END) FROM reward_events c WHERE c.reward_id = r.id) AS cleared_at,
			(SELECT SUM(CASE WHEN k.kind IN ('cleared', 'clawed_back') THEN k.amount ELSE 0 END) FROM reward_events k WHERE k.reward_id = r.id) AS amount
		FROM rewards r
		WHERE r.beneficiary_id = ? AND r.settled = 0 AND r.currency = ? AND `+referral.PayerOf("r")+` IN ?
			AND NOT EXISTS (SELECT 1 FROM settlement_lines l WHERE l.source_id = r.id AND l.kind = ? AND l.freed = 0)
			AND NOT EXISTS (SELECT 1 FROM withdrawal_rewards x WHERE x.reward_id = r.id AND x.live = 0)`+only+`) p
		WHERE cleared_at > 0 AND amount > 0 ORDER BY cleared_at, reward_id LIMIT ?`, append(args, consider)...).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("settlement: payable of %s: %w", m, err)
	}
	return rows, nil
}

// askedOn is how often a member, also under his merged names, asked a payer on
// a day. His holder's row is locked where it decides.
func askedOn(q *database.Query, pid id.Payer, m id.Member, day int) (int, error) {
	who, err := selves(q, m)
	if err != nil {
		return 0, err
	}
	var n int
	err = q.Raw("SELECT COALESCE(SUM(qty), 0) FROM withdrawal_days WHERE payer_id = ? AND member_id IN ? AND day_no = ?", pid, who, day).Scan(&n).Error
	return n, err
}

// offersMost is how many payers a member is shown.
const offersMost = 20

// Offers are what a member could ask for now, of each payer that pays on
// request. Who may ask is decided by the caller.
func (s *Service) Offers(ctx context.Context, m id.Member) ([]Offer, error) {
	out := []Offer{}
	err := s.DB.Snapshot(ctx, func(q *database.Query) error {
		var on []struct {
			PayerID id.Payer
			TermsNo int
			Name    string
		}
		err := q.Raw(`SELECT h.payer_id, h.terms_no, p.name FROM withdrawal_heads h JOIN withdrawal_terms t ON t.payer_id = h.payer_id AND t.no = h.terms_no AND t.mode = ?
			JOIN payers p ON p.id = h.payer_id ORDER BY h.payer_id LIMIT ?`, ModeOnRequest, offersMost).Scan(&on).Error
		if err != nil {
			return err
		}
		for _, p := range on {
			t, err := termsOf(q, p.PayerID, p.TermsNo)
			if err != nil {
				return err
			}
			list, err := payables(q, p.PayerID, m)
			if err != nil {
				return err
			}
			asked, err := askedOn(q, p.PayerID, m, clock.Day(s.DB.Clock.Now(), zone))
			if err != nil {
				return err
			}
			o := offer(t, list, asked)
			o.PayerName = p.Name
			out = append(out, o)
		}
		return nil
	})
	return out, err
}
