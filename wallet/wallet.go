// Package wallet is what a member owns: money and points in a double-entry
// ledger, and coupons.
//
// Money moves source → budget → reserved → payable → (paying →) paid, tax withheld on an
// account of its own. A Transfer is one fact; its legs sum to zero; a mistake
// is mended by another transfer that names it, never by an edit. A coupon is
// given once for one source, used by one order at a time, and may come back.
//
// Points are lots by day of expiry, spent oldest first, beside the ledger.
//
// The books are closed day by day: a close says exactly which transfers it
// sealed (close.go), and statements and trial balances are read beside it.
//
// Tables: accounts, transfers, entries; ledger_closes, ledger_close_lines,
// ledger_close_balances; holders; coupons, coupon_counts,
// member_coupons, coupon_redemptions, coupon_batches, coupon_codes,
// coupon_code_uses; point_lots, point_orders, point_uses.
// Invariants: V6, every transfer sums to zero and every balance equals the
// fold of its entries and of its lots, budgets and points never below zero;
// V11, coupons within their limits; V17, a transfer is in one close at most. Members never see the word wallet.
//
// Called by referral, its settlement and campaign inside their transactions,
// last in the lock order (holder, coupon, account), before the outbox alone.
package wallet

import (
	"slices"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Stage is how far money has come.
type Stage string

// The stages. Source is the outside world's money and may be negative, payable
// may be too: that is a debt. Paying is on its way until somebody outside says
// what became of it. Budget never is, nor are points a member can
// spend and those set aside for an order.
const (
	StageSource   Stage = "source"
	StageBudget   Stage = "budget"
	StageReserved Stage = "reserved"
	StagePayable  Stage = "payable"
	StagePaying   Stage = "paying"
	StagePaid     Stage = "paid"
	StageTax      Stage = "tax"
	StagePoints   Stage = "points"
	StageFrozen   Stage = "frozen"
	// Given is what a budget's points and coupons have cost.
	StageGiven Stage = "given"
	// Fee is what members were charged for withdrawing, the brand's own.
	StageFee Stage = "fee"
)

// stages are all of them, in the order in which money passes them.
var stages = []Stage{StageSource, StageBudget, StageReserved, StagePayable, StagePaying, StagePaid, StageGiven, StageTax, StageFee, StagePoints, StageFrozen}

func (s Stage) known() bool { return slices.Contains(stages, s) }

// guarded says that balances of the stage never fall below zero.
func (s Stage) guarded() bool { return s == StageBudget || s == StagePoints || s == StageFrozen }

// OwnerKind is what sort of thing an account belongs to.
type OwnerKind string

// The owners. The brand is one per deployment and has the id zero.
const (
	OwnerBrand    OwnerKind = "brand"
	OwnerProgram  OwnerKind = "program"
	OwnerCampaign OwnerKind = "campaign"
	OwnerMember   OwnerKind = "member"
)

// Owner is whose account it is.
type Owner struct {
	Kind OwnerKind
	ID   int64
}

// Brand owns the outside money.
func Brand() Owner { return Owner{Kind: OwnerBrand} }

// Program owns the budget of a reward program.
func Program(p id.Program) Owner { return Owner{OwnerProgram, int64(p)} }

// Campaign owns the discount budget of a campaign.
func Campaign(c id.Campaign) Owner { return Owner{OwnerCampaign, int64(c)} }

// Member owns what a member is promised, owed and was paid.
func Member(m id.Member) Owner { return Owner{OwnerMember, int64(m)} }

// Leg is what a transfer adds to one account; negative takes away.
type Leg struct {
	Stage  Stage
	Owner  Owner
	Amount money.Amount
}

// Transfer is one ledger fact. Key is its permanent business key; Corrects
// names an earlier transfer that this one mends.
type Transfer struct {
	Key      string
	Kind     string
	Currency string
	Corrects id.Transfer
	Legs     []Leg
}

// Move is the commonest transfer: one amount from one account to another.
func Move(key, kind, currency string, amount money.Amount, from, to Leg) Transfer {
	from.Amount, to.Amount = -amount, amount
	return Transfer{Key: key, Kind: kind, Currency: currency, Legs: []Leg{from, to}}
}

// At names an account for Move.
func At(s Stage, o Owner) Leg { return Leg{Stage: s, Owner: o} }

// The refusals.
var (
	ErrInsufficient = fault.New(fault.KindConflict, "wallet.insufficient", "预算不足", "the budget does not hold that much")
	ErrKeyReused    = fault.New(fault.KindConflict, "wallet.key_reused", "同一业务单号已记过另一笔账", "this ledger key already stands for another transfer")
)

// Service answers questions about the ledger; what writes are functions that
// run inside the caller's transaction.
type Service struct{ DB *database.DB }
