package settlement

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral/payee"
)

// settle is how long after a reward cleared it may be settled. A clearing
// transaction that takes its time and commits within it is still seen.
const settle = 5 * time.Minute

// maxPrograms bounds an explicit scope.
const maxPrograms = 200

// CreateIn is a new settlement. Without a unit it is its maker's, without a
// payer that of the house's default; without
// programs it covers all that the unit and the units below it have when it is
// closed; without a cut-off, everything up to then.
type CreateIn struct {
	UnitID   id.Unit      `json:"unit_id"`
	PayerID  id.Payer     `json:"payer_id"`
	Label    string       `json:"label"`
	Programs []id.Program `json:"program_ids"`
	CutOffAt clock.Milli  `json:"cut_off_at"`
}

// Validate checks the form of the input.
func (in CreateIn) Validate() error {
	var c fault.Check
	c.Required(in.Label, "label")
	c.Length(in.Label, "label", 64)
	c.That(!strings.ContainsFunc(in.Label, unicode.IsControl), "label", "format", "不能含控制字符", "must not hold control characters")
	c.That(len(in.Programs) <= maxPrograms, "program_ids", "too_many", "最多 200 个奖励方案", "at most 200 programs")
	c.That(in.CutOffAt >= 0, "cut_off_at", "range", "截止时间无效", "the cut-off is not a valid time")
	return c.Err()
}

// Create makes an open settlement; its preparer is the acting staff member.
func (s *Service) Create(ctx context.Context, in CreateIn) (id.Settlement, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	slices.Sort(in.Programs)
	in.Programs = slices.Compact(in.Programs)
	var sid id.Settlement
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		if in.UnitID == 0 {
			in.UnitID = tx.Actor.Unit
		}
		if !tx.Actor.Sees(in.UnitID) {
			return fault.NotFound
		}
		payer, err := payee.PayerTx(tx, in.UnitID, in.PayerID)
		if err != nil {
			return err
		}
		if err := ownPrograms(tx, in, payer); err != nil {
			return err
		}
		if err := addHead(tx); err != nil {
			return err
		}
		st := Settlement{
			ID: id.Settlement(tx.Next()), UnitID: in.UnitID, PayerID: payer.ID, IncomeType: payer.IncomeType, Label: in.Label, Currency: money.CNY, Status: StatusOpen,
			WantedCutAt: in.CutOffAt, TaxRule: string(payer.Strategy), CreatedBy: who, CreatedAt: tx.Now,
		}
		if len(in.Programs) == 0 {
			st.AllPrograms = 1
		}
		sid = st.ID
		if err := insert(tx, st); err != nil {
			return err
		}
		for _, p := range in.Programs {
			if err := tx.Exec("INSERT INTO settlement_programs (settlement_id, program_id) VALUES (?, ?)", sid, p).Error; err != nil {
				return err
			}
		}
		tx.SetResult("settlement", int64(sid), 201)
		return database.AuditTx(tx, "settlement.create", sid, nil, in)
	})
	return sid, err
}

func insert(tx *database.Tx, st Settlement) error {
	return tx.Exec(`INSERT INTO settlements (id, unit_id, payer_id, income_type, label, currency, all_programs, status, wanted_cut_at, cut_at, tax_rule,
		line_count, gross, tax, net, rows_digest, created_by, created_at, closed_by, closing_at, reviewed_by, reviewed_at,
		rejected_by, rejected_at, reject_reason, freed_at, paid_by, paid_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, 0, 0, 0, 0, '', ?, ?, 0, 0, 0, 0, 0, 0, '', 0, 0, 0)`,
		st.ID, st.UnitID, st.PayerID, st.IncomeType, st.Label, st.Currency, st.AllPrograms, st.Status, st.WantedCutAt, st.TaxRule, st.CreatedBy, st.CreatedAt).Error
}

// ownPrograms refuses programs of units elsewhere, that name another payer, and those
// that pay in points.
func ownPrograms(tx *database.Tx, in CreateIn, payer payee.Payer) error {
	if len(in.Programs) == 0 {
		return nil
	}
	var known int
	err := tx.Raw("SELECT COUNT(*) FROM programs WHERE id IN ? AND currency = ? AND payer_id IN ? AND unit_id IN "+below,
		in.Programs, money.CNY, naming(payer.Covers()), in.UnitID).Scan(&known).Error
	if err != nil || known == len(in.Programs) {
		return err
	}
	return fault.Invalid.Field("program_ids", "unknown_value", "应为该组织及其下级、以人民币计、付款主体相同或未指定的奖励方案", "must be programs of the unit, or of one below it, that reward in CNY and name this payer or none")
}

// cutOff is that of a settlement closed now. It is never later than five
// minutes ago, so that a clearing that is just committing falls into the next
// settlement instead of between the two. One that holds what was asked for goes
// by the requests' numbers and needs no such time.
func (st Settlement) cutOff(now clock.Milli) clock.Milli {
	if st.OnRequest == 1 {
		return now
	}
	cut := now.Add(-settle)
	if st.WantedCutAt != 0 {
		cut = min(cut, st.WantedCutAt)
	}
	return cut
}

// Close fixes the cut-off and the scope and starts the job that does the rest.
func (s *Service) Close(ctx context.Context, sid id.Settlement) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		st, err := lock(tx, sid)
		switch {
		case err != nil:
			return err
		case st.Status != StatusOpen:
			return ErrState.With("state", st.Status)
		}
		if err := st.requestsTx(tx); err != nil {
			return err
		}
		cut := st.cutOff(tx.Now)
		if st.AllPrograms == 1 {
			payers, err := payee.Covered(tx.DB, st.PayerID)
			if err != nil {
				return err
			}
			err = tx.Exec(`INSERT INTO settlement_programs (settlement_id, program_id)
				SELECT ?, id FROM programs WHERE currency = ? AND payer_id IN ? AND unit_id IN `+below, sid, st.Currency, naming(payers), st.UnitID).Error
			if err != nil {
				return err
			}
		}
		var payer payee.Payer
		if err := tx.Raw("SELECT name, cost_centre, budget_no FROM payers WHERE id = ?", st.PayerID).Scan(&payer).Error; err != nil {
			return err
		}
		err = database.One(tx.Exec(`UPDATE settlements SET status = ?, cut_at = ?, on_request = ?, asked_upto = ?, closed_by = ?, closing_at = ?,
				layout = ?, payer_name = ?, cost_centre = ?, budget_no = ? WHERE id = ?`,
			StatusClosing, cut, st.OnRequest, st.AskedUpto, who, tx.Now, LayoutPayer, payer.Name, payer.CostCentre, payer.BudgetNo, sid), fault.NotFound)
		if err != nil {
			return err
		}
		tx.SetResult("settlement", int64(sid), 202)
		if err := database.AuditTx(tx, "settlement.close", sid, st.Status, StatusClosing); err != nil {
			return err
		}
		return task.EnqueueTx(tx, closeJob{sid}, tx.Now)
	})
}
