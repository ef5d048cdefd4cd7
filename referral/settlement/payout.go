package settlement

import (
	"context"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
)

// PayoutStatus is where a payout stands.
type PayoutStatus string

// The states of a payout, in order.
const (
	PayoutCreated PayoutStatus = "created"
	PayoutPaying  PayoutStatus = "paying"
	PayoutPaid    PayoutStatus = "paid"
)

// Payout is the one payment of a settlement, made outside and marked here.
type Payout struct {
	ID           id.Payout     `json:"id"`
	SettlementID id.Settlement `json:"settlement_id"`
	UnitID       id.Unit       `json:"unit_id"`
	Status       PayoutStatus  `json:"status"`
	Gross        money.Amount  `json:"gross_fen"`
	Tax          money.Amount  `json:"tax_fen"`
	Net          money.Amount  `json:"net_fen"`
	LineCount    int           `json:"line_count"`
	FailedCount  int           `json:"failed_count"`
	CreatedBy    id.Staff      `json:"created_by"`
	CreatedAt    clock.Milli   `json:"created_at"`
	PaidBy       id.Staff      `json:"paid_by"`
	PayingAt     clock.Milli   `json:"paying_at"`
	PaidAt       clock.Milli   `json:"paid_at"`
}

// PayoutLineStatus says what became of one payment.
type PayoutLineStatus string

// A payment counts as made when the payout is marked, until a result says
// that it failed.
const (
	PayoutLinePaid   PayoutLineStatus = "paid"
	PayoutLineFailed PayoutLineStatus = "failed"
)

// PayoutLine is what one member is paid. PaidTo is who the member had become
// by merges when the ledger was written.
type PayoutLine struct {
	ID         int64            `json:"-"`
	PayoutID   id.Payout        `json:"-"`
	LineNo     int              `json:"line"`
	MemberID   id.Member        `json:"member_id"`
	PaidTo     id.Member        `json:"-"`
	Gross      money.Amount     `json:"gross_fen"`
	Tax        money.Amount     `json:"tax_fen"`
	Net        money.Amount     `json:"net_fen"`
	Status     PayoutLineStatus `json:"status"`
	TransferID id.Transfer      `json:"transfer_id"`
	ReturnedBy id.Transfer      `json:"returned_by"`
	FailedAt   clock.Milli      `json:"failed_at"`
	Reason     string           `json:"reason"`
}

// TableName is the table of payout lines.
func (PayoutLine) TableName() string { return "payout_lines" }

// PayoutIn names the settlement to pay.
type PayoutIn struct {
	SettlementID id.Settlement `json:"settlement_id"`
}

// Validate checks the form of the input.
func (in PayoutIn) Validate() error {
	var c fault.Check
	c.That(in.SettlementID != 0, "settlement_id", "required", "请指定结算单", "name the settlement")
	return c.Err()
}

// CreatePayout makes the payout of a reviewed settlement.
func (s *Service) CreatePayout(ctx context.Context, in PayoutIn) (id.Payout, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	sid := in.SettlementID
	var pid id.Payout
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		st, err := lock(tx, sid)
		if err != nil {
			return err
		}
		var there id.Payout
		if err := tx.Raw("SELECT id FROM payouts WHERE settlement_id = ?", sid).Scan(&there).Error; err != nil {
			return err
		}
		switch {
		case there != 0:
			return ErrPayout.With("payout", there)
		case st.Status != StatusReviewed:
			return ErrState.With("state", st.Status)
		}
		pid = id.Payout(tx.Next())
		err = tx.Exec(`INSERT INTO payouts (id, settlement_id, unit_id, status, gross, tax, net, line_count, failed_count, created_by, created_at, paid_by, paying_at, paid_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, 0, 0, 0)`,
			pid, sid, st.UnitID, PayoutCreated, st.Gross, st.Tax, st.Net, who, tx.Now).Error
		if err != nil {
			return err
		}
		tx.SetResult("payout", int64(pid), 201)
		return database.AuditTx(tx, "payout.create", pid, nil, map[string]string{"settlement": sid.String(), "net": st.Net.String()})
	})
	return pid, err
}

// FindPayout is one payout.
func (s *Service) FindPayout(ctx context.Context, pid id.Payout) (Payout, error) {
	p, err := findPayout(s.DB.Read(ctx), pid, "")
	if err == nil && !database.ActorOf(ctx).Sees(p.UnitID) {
		return Payout{}, fault.NotFound
	}
	return p, err
}

// ListPayoutLines pages the payments of a payout in their order.
func (s *Service) ListPayoutLines(ctx context.Context, pid id.Payout, page database.Page) (database.Paged[PayoutLine], error) {
	if _, err := s.FindPayout(ctx, pid); err != nil {
		return database.Paged[PayoutLine]{}, err
	}
	var lines []PayoutLine
	err := s.DB.Read(ctx).Raw("SELECT * FROM payout_lines WHERE payout_id = ? AND line_no > ? ORDER BY line_no LIMIT ?",
		pid, page.Before, page.Fetch()).Scan(&lines).Error
	return database.Cut(page, lines, func(l PayoutLine) int64 { return int64(l.LineNo) }), err
}

func findPayout(q *database.Query, pid id.Payout, locked string) (Payout, error) {
	var p Payout
	err := q.Raw("SELECT * FROM payouts WHERE id = ?"+locked, pid).Scan(&p).Error
	if err == nil && p.ID == 0 {
		return p, fault.NotFound
	}
	return p, err
}

// Pay marks the payout as paid by a third person and starts the job that
// writes the ledger.
func (s *Service) Pay(ctx context.Context, pid id.Payout) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		// The settlement first, as the lock order has it.
		seen, err := findPayout(tx.DB, pid, "")
		if err != nil {
			return err
		}
		st, err := lock(tx, seen.SettlementID)
		if err != nil {
			return err
		}
		p, err := findPayout(tx.DB, pid, tx.Dialect.ForUpdate)
		switch {
		case err != nil:
			return err
		case p.Status != PayoutCreated:
			return ErrState.With("state", p.Status)
		case who == st.CreatedBy || who == st.ClosedBy || who == st.ReviewedBy:
			return ErrSamePerson
		}
		err = tx.Exec("UPDATE payouts SET status = ?, paid_by = ?, paying_at = ? WHERE id = ?", PayoutPaying, who, tx.Now, pid).Error
		if err != nil {
			return err
		}
		tx.SetResult("payout", int64(pid), 202)
		if err := database.AuditTx(tx, "payout.pay", pid, p.Status, PayoutPaying); err != nil {
			return err
		}
		return task.EnqueueTx(tx, payJob{pid}, tx.Now)
	})
}
