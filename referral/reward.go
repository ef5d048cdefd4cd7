package referral

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// RewardState is computed from a reward and its events, never stored.
type RewardState string

// The states. Declined is a reward that came to nothing when it was earned;
// its note says why.
const (
	RewardPending    RewardState = "pending"
	RewardCleared    RewardState = "cleared"
	RewardVoided     RewardState = "voided"
	RewardClawedBack RewardState = "clawed_back"
	RewardDeclined   RewardState = "declined"
)

// Words name the state.
func (s RewardState) Words() (zh, en string) {
	return map[RewardState]string{RewardPending: "待生效", RewardCleared: "已生效", RewardVoided: "已取消", RewardClawedBack: "已追回", RewardDeclined: "未发放"}[s], string(s)
}

// EventKind is what happened to a reward.
type EventKind string

// The kinds. Amounts are signed: earned and cleared are positive, what takes
// away is negative; cleared states what became payable and moves no sum.
const (
	EventEarned     EventKind = "earned"
	EventReduced    EventKind = "reduced"
	EventCleared    EventKind = "cleared"
	EventVoided     EventKind = "voided"
	EventClawedBack EventKind = "clawed_back"
)

// RewardEvent is one fact about a reward; Ref is its cause.
type RewardEvent struct {
	RewardID id.Reward    `json:"-"`
	Kind     EventKind    `json:"kind"`
	Ref      string       `json:"ref"`
	Amount   money.Amount `json:"amount"`
	Fen      money.Amount `json:"amount_fen" gorm:"-"` // of money alone
	At       clock.Milli  `json:"at"`
	StaffID  id.Staff     `json:"staff_id"`
	Reason   string       `json:"reason"`
}

// Review says whether a human has to look at a reward before it clears.
type Review string

// The states. Old is a reward from before there was a review; it clears as
// ever. Due waits for the last look before its maturity; closed is one that
// came to nothing while its case was open.
const (
	ReviewOld     Review = ""
	ReviewDue     Review = "due"
	ReviewPassed  Review = "passed"
	ReviewOpen    Review = "open"
	ReviewRefused Review = "refused"
	ReviewClosed  Review = "closed"
)

// clears says whether a reward may clear: r.review IN (”, 'passed') in SQL.
func (r Review) clears() bool { return r == ReviewOld || r == ReviewPassed }

// stopped says that only a human lets a reward go on, or that nothing does.
func (r Review) stopped() bool { return !r.clears() && r != ReviewDue }

// Reward is one amount owed to one beneficiary for one fact.
type Reward struct {
	ID             id.Reward     `json:"id"`
	UnitID         id.Unit       `json:"unit_id"`
	ProgramID      id.Program    `json:"program_id"`
	ProgramVersion int           `json:"rules_version"`
	Fact           string        `json:"-"`
	BeneficiaryID  id.Member     `json:"beneficiary_id"`
	Rule           string        `json:"rule"`
	Side           Side          `json:"side"`
	OrderID        id.Order      `json:"order_id"`
	CampaignID     id.Campaign   `json:"campaign_id"`
	CodeID         id.Code       `json:"code_id"`
	BindingID      id.Binding    `json:"binding_id"`
	FundedBy       id.Campaign   `json:"-"`        // whose budget pays; 0 is the program's
	PayerID        id.Payer      `json:"payer_id"` // the legal entity that pays money; none: the default payer
	Currency       string        `json:"currency"` // CNY, PTS or CPN
	UnitCost       money.Amount  `json:"-"`        // what one costs the budget; 1 of money
	CouponID       id.Coupon     `json:"coupon_id"`
	ValidDays      int           `json:"-"` // of points
	Base           money.Amount  `json:"base_fen"`
	Amount         money.Amount  `json:"amount"` // fen, points or coupons
	Net            money.Amount  `json:"net" gorm:"-"`
	Fen            money.Amount  `json:"amount_fen" gorm:"-"` // of money alone
	NetFen         money.Amount  `json:"net_fen" gorm:"-"`
	State          RewardState   `json:"state" gorm:"-"`
	Note           Note          `json:"note"`
	EarnedAt       clock.Milli   `json:"earned_at"`
	MaturesAt      clock.Milli   `json:"matures_at"`
	ClearedAt      clock.Milli   `json:"cleared_at" gorm:"-"`
	Review         Review        `json:"review"`
	Level          int           `json:"level" gorm:"column:level_no"` // the inviter's, by which it was counted
	Nth            int64         `json:"nth" gorm:"column:nth_no"`     // his place in the inviter's count, of a rule with steps
	Step           int           `json:"step" gorm:"column:step_no"`   // the step of it; 1 is the rule as it stands
	Events         []RewardEvent `json:"events" gorm:"-"`
	Evidence       *Evidence     `json:"evidence" gorm:"-"` // of one reward; lists leave it out
}

var rewardColumns = `r.id, r.unit_id, r.program_id, r.program_version, r.fact, r.beneficiary_id, r.rule, r.side, r.order_id,
	r.campaign_id, r.code_id, r.binding_id, r.currency, r.base, r.amount, r.note, r.earned_at, r.matures_at, r.funded_by, r.review,
	r.unit_cost, r.coupon_id, r.valid_days, r.level_no, r.nth_no, r.step_no, ` + rewardPayer + ` AS payer_id`

// rewardPayer is the payer of a reward r.
var rewardPayer = PayerOf("r")

// fold computes what a reward has come to from its events.
func (r Reward) fold(events []RewardEvent) Reward {
	r.Events = events
	r.Net, r.State = r.Amount, RewardPending
	if r.Amount == 0 {
		r.State = RewardDeclined
	}
	for _, e := range events {
		switch e.Kind {
		case EventCleared:
			r.ClearedAt = e.At
		case EventReduced, EventClawedBack, EventVoided:
			r.Net += e.Amount
		}
	}
	if r.Currency == money.CNY {
		r.Fen, r.NetFen = r.Amount, r.Net
		for i := range events {
			events[i].Fen = events[i].Amount
		}
	}
	switch {
	case r.State == RewardDeclined:
	case r.ClearedAt != 0 && r.Net > 0:
		r.State = RewardCleared
	case r.ClearedAt != 0:
		r.State = RewardClawedBack
	case r.Net == 0:
		r.State = RewardVoided
	}
	return r
}

// did says whether the event happened already.
func (r Reward) did(kind EventKind, ref string) bool {
	for _, e := range r.Events {
		if e.Kind == kind && e.Ref == ref {
			return true
		}
	}
	return false
}

// foldAll reads the events of the rewards in one statement.
func foldAll(q *database.Query, rows []Reward) ([]Reward, error) {
	if len(rows) == 0 {
		return rows, nil
	}
	ids := make([]id.Reward, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	// Sorted here: asked for an order, an engine may walk all events in it.
	type event struct {
		ID int64
		RewardEvent
	}
	var events []event
	err := q.Raw(`SELECT id, reward_id, kind, ref, amount, at, staff_id, reason FROM reward_events
		WHERE reward_id IN ?`, ids).Scan(&events).Error
	if err != nil {
		return nil, fmt.Errorf("referral: reward events: %w", err)
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.ID, b.ID) })
	of := make(map[id.Reward][]RewardEvent, len(rows))
	for _, e := range events {
		of[e.RewardID] = append(of[e.RewardID], e.RewardEvent)
	}
	for i, r := range rows {
		rows[i] = r.fold(of[r.ID])
		if rows[i].Events == nil {
			rows[i].Events = []RewardEvent{}
		}
	}
	return rows, nil
}

// lockRewards reads rewards for a change, ids ascending.
func lockRewards(tx *database.Tx, column string, of int64) ([]Reward, error) {
	return lockWhere(tx, "r."+column+" = ?", of)
}

// lockMany reads the rewards of the ids for a change.
func lockMany(tx *database.Tx, ids []id.Reward) ([]Reward, error) {
	return lockWhere(tx, "r.id IN ?", ids)
}

func lockWhere(tx *database.Tx, cond string, of any) ([]Reward, error) {
	var rows []Reward
	err := tx.Raw("SELECT "+rewardColumns+" FROM rewards r WHERE "+cond+" ORDER BY r.id"+tx.Dialect.ForUpdate, of).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("referral: rewards: %w", err)
	}
	if err := follow(tx, rows); err != nil {
		return nil, err
	}
	return foldAll(tx.DB, rows)
}

// follow moves rewards that were being written while their beneficiary was
// merged away, with the money reserved for them, to the one he became.
func follow(tx *database.Tx, rows []Reward) error {
	people := make([]id.Member, len(rows))
	for i, r := range rows {
		people[i] = r.BeneficiaryID
	}
	slices.Sort(people)
	away, err := community.MergedAway(tx.DB, slices.Compact(people))
	if err != nil {
		return err
	}
	for i, r := range rows {
		into := away[r.BeneficiaryID]
		if into == 0 {
			continue
		}
		if err := tx.Exec("UPDATE rewards SET beneficiary_id = ? WHERE id = ?", into, r.ID).Error; err != nil {
			return fmt.Errorf("referral: move %s: %w", r.ID, err)
		}
		if _, err := wallet.MergeTx(tx, r.BeneficiaryID, into); err != nil {
			return err
		}
		rows[i].BeneficiaryID = into
	}
	return nil
}

// FindReward is one reward with its events and what it rests on.
func (s *Service) FindReward(ctx context.Context, reward id.Reward) (Reward, error) {
	var rows []Reward
	err := s.DB.Read(ctx).Raw("SELECT "+rewardColumns+" FROM rewards r WHERE r.id = ?", reward).Scan(&rows).Error
	if err != nil {
		return Reward{}, fmt.Errorf("referral: %s: %w", reward, err)
	}
	a := database.ActorOf(ctx)
	own := a.Kind != database.ActorMember && a.Kind != database.ActorGuest || len(rows) == 1 && rows[0].BeneficiaryID == a.Member
	if len(rows) == 0 || !a.Sees(rows[0].UnitID) || !own {
		return Reward{}, fault.NotFound
	}
	if rows, err = foldAll(s.DB.Read(ctx), rows); err != nil {
		return Reward{}, err
	}
	evidence, err := s.evidenceOf(ctx, rows[0])
	rows[0].Evidence = &evidence
	return rows[0], err
}
