package settlement

import (
	"context"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral/payee"
)

// PayoutStatus is where a payout stands.
type PayoutStatus string

// The states of a payout, in order; it ends as one of the last two.
const (
	PayoutCreated PayoutStatus = "created"
	PayoutPaying  PayoutStatus = "paying"
	PayoutSent    PayoutStatus = "sent" // given out; some payment is still on its way
	PayoutPaid    PayoutStatus = "paid"
	PayoutUnpaid  PayoutStatus = "unpaid" // it left out everybody who is owed something
)

// Words name the state.
func (s PayoutStatus) Words() (zh, en string) {
	return map[PayoutStatus]string{PayoutCreated: "待付款", PayoutPaying: "记账中", PayoutSent: "在途", PayoutPaid: "已完成", PayoutUnpaid: "无人可付"}[s], string(s)
}

// Payout pays a settlement, or as much of it as its limit and the day's allow
// and as can be paid now; the next payout pays of the rest. Owed is what was
// still unpaid when it was made, the sums are of its lines so far.
type Payout struct {
	ID           id.Payout     `json:"id"`
	SettlementID id.Settlement `json:"settlement_id"`
	UnitID       id.Unit       `json:"unit_id"`
	PayerID      id.Payer      `json:"payer_id"`
	Channel      Channel       `json:"channel"`
	Status       PayoutStatus  `json:"status"`
	Owed         money.Amount  `json:"owed_fen"`
	Limit        money.Amount  `json:"limit_fen" gorm:"column:limit_fen"`
	CarryHeld    bool          `json:"carry_held"`
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

// PayoutIn names the settlement to pay, by at most so much, and what becomes
// of members who cannot be paid now: they wait for a next payout, or the next
// settlement carries them.
type PayoutIn struct {
	SettlementID id.Settlement `json:"settlement_id"`
	Channel      Channel       `json:"channel"` // empty: manual
	Limit        money.Amount  `json:"limit_fen"`
	CarryHeld    bool          `json:"carry_held"`
}

// Validate checks the form of the input and fills in the channel.
func (in *PayoutIn) Validate() error {
	if in.Channel == "" {
		in.Channel = ChannelManual
	}
	var c fault.Check
	in.Channel.validate(&c)
	c.That(in.SettlementID != 0, "settlement_id", "required", "请指定结算单", "name the settlement")
	c.That(in.Limit >= 0, "limit_fen", "range", "不能为负；0 为不限", "must not be negative; 0 is no limit")
	return c.Err()
}

// CreatePayout makes a payout of a reviewed settlement. While one waits to be
// paid there is no other, so that two people do not plan the same payment.
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
		err = tx.Raw("SELECT id FROM payouts WHERE settlement_id = ? AND status IN ? ORDER BY id LIMIT 1", sid, []PayoutStatus{PayoutCreated, PayoutPaying}).Scan(&there).Error
		switch {
		case err != nil:
			return err
		case there != 0:
			return ErrPayout.With("payout", there)
		case st.Status != StatusReviewed:
			return ErrState.With("state", st.Status)
		}
		if in.Channel == ChannelBills {
			if err := s.servedTx(tx, st.PayerID); err != nil {
				return err
			}
		}
		given, err := givenOut(tx.DB, sid)
		switch {
		case err != nil:
			return err
		case given.Lines > 0 && given.Owed == st.Gross:
			return ErrGivenOut.With("flying", given.Flying)
		}
		pid = id.Payout(tx.Next())
		err = tx.Exec(`INSERT INTO payouts (id, settlement_id, unit_id, payer_id, channel, status, owed, limit_fen, carry_held, gross, tax, net, line_count, failed_count,
				created_by, created_at, paid_by, paying_at, paid_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, ?, ?, 0, 0, 0)`,
			pid, sid, st.UnitID, st.PayerID, in.Channel, PayoutCreated, st.Gross-given.Owed, in.Limit, in.CarryHeld, who, tx.Now).Error
		if err != nil {
			return err
		}
		tx.SetResult("payout", int64(pid), 201)
		return database.AuditTx(tx, "payout.create", pid, nil, in)
	})
	return pid, err
}

// outlay is what lines of payouts sum up to.
type outlay struct {
	Lines                 int `gorm:"column:line_count"`
	Owed, Gross, Tax, Net money.Amount
	Flying                int // of them on their way
}

// givenOut is what stands on the lines of a settlement's payouts.
func givenOut(q *database.Query, sid id.Settlement) (outlay, error) {
	var o outlay
	err := q.Raw(`SELECT COUNT(*) AS line_count, COALESCE(SUM(owed), 0) AS owed, COALESCE(SUM(gross), 0) AS gross, COALESCE(SUM(tax), 0) AS tax,
		COALESCE(SUM(net), 0) AS net, COALESCE(SUM(CASE WHEN status IN ? THEN 1 ELSE 0 END), 0) AS flying FROM payout_lines WHERE settlement_id = ?`, flying, sid).Scan(&o).Error
	return o, err
}

// FindPayout is one payout.
func (s *Service) FindPayout(ctx context.Context, pid id.Payout) (Payout, error) {
	p, err := findPayout(s.DB.Read(ctx), pid, "")
	if err == nil && !database.ActorOf(ctx).Sees(p.UnitID) {
		return Payout{}, fault.NotFound
	}
	return p, err
}

// PayoutFilter narrows a list of payouts; zero fields do not.
type PayoutFilter struct {
	Settlement id.Settlement
	Channel    Channel
}

// ListPayouts lists payouts, newest first.
func (s *Service) ListPayouts(ctx context.Context, f PayoutFilter, page database.Page) (database.Paged[Payout], error) {
	sql, args := "SELECT * FROM payouts WHERE id < ?", []any{page.Bound()}
	if f.Settlement != 0 {
		sql, args = sql+" AND settlement_id = ?", append(args, f.Settlement)
	}
	if f.Channel != "" {
		sql, args = sql+" AND channel = ?", append(args, f.Channel)
	}
	within, units := database.ActorOf(ctx).Within("unit_id")
	args = append(append(args, units...), page.Fetch())
	var rows []Payout
	err := s.DB.Read(ctx).Raw(sql+within+" ORDER BY id DESC LIMIT ?", args...).Scan(&rows).Error
	return database.Cut(page, rows, func(p Payout) int64 { return int64(p.ID) }), err
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
		st, p, err := lockPayout(tx, pid)
		switch {
		case err != nil:
			return err
		case p.Status != PayoutCreated:
			return ErrPaying.With("state", p.Status)
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

// lockPayout locks the settlement first, as the lock order has it, and then
// the payout.
func lockPayout(tx *database.Tx, pid id.Payout) (Settlement, Payout, error) {
	seen, err := findPayout(tx.DB, pid, "")
	if err != nil {
		return Settlement{}, seen, err
	}
	st, err := lock(tx, seen.SettlementID)
	if err != nil {
		return st, seen, err
	}
	p, err := findPayout(tx.DB, pid, tx.Dialect.ForUpdate)
	return st, p, err
}

// servedTx refuses bills for a payer whose account the channel does not pay
// from.
func (s *Service) servedTx(tx *database.Tx, payer id.Payer) error {
	var p payee.Payer
	if err := tx.Raw("SELECT * FROM payers WHERE id = ?", payer).Scan(&p).Error; err != nil {
		return err
	}
	if !s.Bills.serves(p) {
		return ErrNoBills
	}
	return nil
}
