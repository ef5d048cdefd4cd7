package settlement

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Mode is when a payer's members are paid.
type Mode string

// By period a closing takes all that is due; on request 提现 only what members
// asked for.
const (
	ModePeriod    Mode = "period"
	ModeOnRequest Mode = "on_request"
)

// The bounds of terms.
const (
	maxWithdrawal = money.Amount(10_000_000) // 100,000 yuan
	maxFeeRate    = 1000                     // a tenth
	maxAsksADay   = 100
)

// Terms are how a payer's members are paid, in versions that are added and
// never edited: a request keeps the number of those it was made under. Number
// 1 is by period, which every payer begins with.
type Terms struct {
	PayerID  id.Payer     `json:"payer_id"`
	No       int          `json:"no"`
	Mode     Mode         `json:"mode"`
	Least    money.Amount `json:"least_fen"` // of what is asked for, before the fee
	Most     money.Amount `json:"most_fen"`
	FeeFixed money.Amount `json:"fee_fixed_fen"`
	FeeRate  money.Bps    `json:"fee_bp"`
	PerDay   int          `json:"per_day"` // requests of a member on a day of Asia/Shanghai
	MadeBy   id.Staff     `json:"made_by"`
	MadeAt   clock.Milli  `json:"made_at"`
}

// fee is what a request of the sum costs: the fixed part, and the rate of the
// sum rounded down.
func (t Terms) fee(sum money.Amount) money.Amount { return t.FeeFixed + sum.Rate(t.FeeRate) }

// TermsIn are new terms.
type TermsIn struct {
	Mode     Mode         `json:"mode"`
	Least    money.Amount `json:"least_fen"`
	Most     money.Amount `json:"most_fen"`
	FeeFixed money.Amount `json:"fee_fixed_fen"`
	FeeRate  money.Bps    `json:"fee_bp"`
	PerDay   int          `json:"per_day"`
}

// Validate names everything wrong with the terms. Whoever may ask for the
// least also gets something: what a sum costs grows slower than the sum.
func (in TermsIn) Validate() error {
	var c fault.Check
	c.OneOf(string(in.Mode), "mode", string(ModePeriod), string(ModeOnRequest))
	if in.Mode == ModePeriod {
		c.That(in == TermsIn{Mode: ModePeriod}, "mode", "combination", "按期结算不设限额、手续费和次数", "by period there are no limits, fee or number a day")
		return c.Err()
	}
	c.Range(int64(in.Least), "least_fen", 1, int64(maxWithdrawal))
	c.Range(int64(in.Most), "most_fen", 1, int64(maxWithdrawal))
	c.That(in.Most >= in.Least, "most_fen", "range", "不能低于最低金额 least_fen", "must not be below least_fen")
	c.Range(int64(in.FeeFixed), "fee_fixed_fen", 0, int64(maxWithdrawal))
	c.Range(int64(in.FeeRate), "fee_bp", 0, maxFeeRate)
	c.Range(int64(in.PerDay), "per_day", 1, maxAsksADay)
	if c.Err() == nil {
		c.That(Terms{FeeFixed: in.FeeFixed, FeeRate: in.FeeRate}.fee(in.Least) < in.Least, "fee_fixed_fen", "range",
			"最低金额扣除手续费后应有剩余：请调低手续费或调高 least_fen", "the fee must leave something of least_fen: lower it or raise that")
	}
	return c.Err()
}

// SetTerms puts new terms of a payer in force. Requests that stand keep theirs.
func (s *Service) SetTerms(ctx context.Context, pid id.Payer, version int, in TermsIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		if _, err := payerUnit(tx.DB, tx.Actor, pid); err != nil {
			return err
		}
		head, err := headTx(tx, pid)
		if err != nil {
			return err
		}
		if head.TermsNo == 0 {
			if err := firstTermsTx(tx, pid); err != nil {
				return err
			}
			head.TermsNo = 1
		}
		if version != head.TermsNo {
			return fault.Stale
		}
		t := Terms{PayerID: pid, No: version + 1, Mode: in.Mode, Least: in.Least, Most: in.Most, FeeFixed: in.FeeFixed, FeeRate: in.FeeRate, PerDay: in.PerDay, MadeBy: who, MadeAt: tx.Now}
		if err := t.insertTx(tx); err != nil {
			return err
		}
		err = database.One(tx.Exec("UPDATE withdrawal_heads SET terms_no = ? WHERE payer_id = ?"+tx.Only("terms_no = ?"), t.No, pid, version), fault.Stale)
		if err != nil {
			return err
		}
		if err := askedTx(tx, pid); err != nil {
			return err
		}
		tx.SetResult("payer", int64(pid), 200)
		return database.AuditTx(tx, "withdrawal.terms", pid, version, t)
	})
}

// firstTermsTx makes the head of a payer, with the terms that held before any
// were set.
func firstTermsTx(tx *database.Tx, pid id.Payer) error {
	t := Terms{PayerID: pid, No: 1, Mode: ModePeriod, MadeAt: tx.Now}
	if err := t.insertTx(tx); err != nil {
		return err
	}
	err := tx.Exec("INSERT INTO withdrawal_heads (payer_id, terms_no, last_no) VALUES (?, 1, 0)", pid).Error
	if database.IsDuplicate(err) {
		return fault.Stale
	}
	return err
}

func (t Terms) insertTx(tx *database.Tx) error {
	err := tx.Exec(`INSERT INTO withdrawal_terms (payer_id, no, mode, least, most, fee_fixed, fee_rate, per_day, made_by, made_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, t.PayerID, t.No, t.Mode, t.Least, t.Most, t.FeeFixed, t.FeeRate, t.PerDay, t.MadeBy, t.MadeAt).Error
	if database.IsDuplicate(err) {
		return fault.Stale
	}
	return err
}

// FindTerms are the terms in force of a payer, or those of a number.
func (s *Service) FindTerms(ctx context.Context, pid id.Payer, no int) (Terms, error) {
	q := s.DB.Read(ctx)
	if _, err := payerUnit(q, database.ActorOf(ctx), pid); err != nil {
		return Terms{}, err
	}
	if no == 0 {
		h, err := headOf(q, pid, "")
		if err != nil {
			return Terms{}, err
		}
		no = max(h.TermsNo, 1)
	}
	t, err := termsOf(q, pid, no)
	if err == nil && t.No == 0 {
		err = fault.NotFound
	}
	return t, err
}

// termsOf reads terms; number 1 is known of every payer.
func termsOf(q *database.Query, pid id.Payer, no int) (Terms, error) {
	var t Terms
	err := q.Raw("SELECT * FROM withdrawal_terms WHERE payer_id = ? AND no = ?", pid, no).Scan(&t).Error
	if err == nil && t.No == 0 && no <= 1 {
		t = Terms{PayerID: pid, No: 1, Mode: ModePeriod}
	}
	if err != nil {
		err = fmt.Errorf("settlement: terms of %s: %w", pid, err)
	}
	return t, err
}

// head is the row of a payer that was ever given terms.
type head struct {
	PayerID id.Payer
	TermsNo int
	LastNo  int64
}

func headOf(q *database.Query, pid id.Payer, locked string) (head, error) {
	var h head
	if err := q.Raw("SELECT payer_id, terms_no, last_no FROM withdrawal_heads WHERE payer_id = ?"+locked, pid).Scan(&h).Error; err != nil {
		return h, fmt.Errorf("settlement: head of %s: %w", pid, err)
	}
	return h, nil
}

// headTx locks the head of a payer, which stands between settlement and holder
// in the order of locks.
func headTx(tx *database.Tx, pid id.Payer) (head, error) {
	return headOf(tx.DB, pid, tx.Dialect.ForUpdate)
}

// payerUnit is the unit of a payer that the actor sees.
func payerUnit(q *database.Query, who database.Actor, pid id.Payer) (id.Unit, error) {
	var p struct {
		ID     id.Payer
		UnitID id.Unit
	}
	if err := q.Raw("SELECT id, unit_id FROM payers WHERE id = ?", pid).Scan(&p).Error; err != nil {
		return 0, fmt.Errorf("settlement: %s: %w", pid, err)
	}
	if p.ID == 0 || !who.Sees(p.UnitID) {
		return 0, fault.NotFound
	}
	return p.UnitID, nil
}

// requestsTx fixes how a settlement is closed, under the lock of the payer's
// head, so that every request is made before or after.
func (st *Settlement) requestsTx(tx *database.Tx) error {
	h, err := headTx(tx, st.PayerID)
	if err != nil {
		return err
	}
	return st.requests(tx.DB, h)
}

// requests says by the payer's terms how a settlement would be closed now. A
// payer with requests is settled whole, because a request is taken whole.
func (st *Settlement) requests(q *database.Query, h head) error {
	if h.TermsNo == 0 {
		return nil
	}
	t, err := termsOf(q, h.PayerID, h.TermsNo)
	if err != nil {
		return err
	}
	var open int
	if err := q.Raw("SELECT COUNT(*) FROM withdrawals WHERE status = ? AND payer_id = ?", WithdrawalAsked, h.PayerID).Scan(&open).Error; err != nil {
		return err
	}
	var own id.Unit
	if err := q.Raw("SELECT unit_id FROM payers WHERE id = ?", h.PayerID).Scan(&own).Error; err != nil {
		return err
	}
	whole := st.UnitID == own && st.AllPrograms == 1 && st.WantedCutAt == 0
	if t.Mode == ModeOnRequest {
		st.OnRequest = 1
	}
	if !whole && (st.OnRequest == 1 || open > 0) {
		return ErrWholePayer
	}
	if whole {
		st.AskedUpto = h.LastNo
	}
	return nil
}
