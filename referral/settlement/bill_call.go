package settlement

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

// ErrBillState refuses to call off a bill that nobody can confirm now.
var ErrBillState = fault.New(fault.KindConflict, "settlement.bill_state", "转账单现在是“{state}”，只能撤销等待收款人确认的转账单", "the bill is {state}; only one that waits for its person can be called off")

// CallOff asks the channel to call a bill off that waits for its person. It is
// noted here and asked by the job; the channel's word alone says what became
// of it: cancelled, its money comes back with its tax, or confirmed before,
// and then it stays paid. Called off again it changes nothing.
func (s *Service) CallOff(ctx context.Context, pid id.Payout, billNo string) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		if _, _, err := lockPayout(tx, pid); err != nil {
			return err
		}
		b, err := findBill(tx.DB, pid, billNo, tx.Dialect.ForUpdate)
		switch {
		case err != nil || b.CalledAt != 0:
			return err
		case b.Status != BillWaiting:
			return ErrBillState.With("state", b.Status)
		}
		err = tx.Exec("UPDATE payout_bills SET called_by = ?, called_at = ?, next_at = ? WHERE id = ?", who, tx.Now, tx.Now, b.ID).Error
		if err != nil {
			return err
		}
		if err := database.AuditTx(tx, "payout.call_off", pid, nil, map[string]any{"bill_no": b.No, "line": b.LineNo}); err != nil {
			return err
		}
		return task.EnqueueTx(tx, billsJob{pid}, tx.Now)
	})
}

// FindBill is one bill of a payout.
func (s *Service) FindBill(ctx context.Context, pid id.Payout, billNo string) (Bill, error) {
	if _, err := s.FindPayout(ctx, pid); err != nil {
		return Bill{}, err
	}
	return findBill(s.DB.Read(ctx), pid, billNo, "")
}

func findBill(q *database.Query, pid id.Payout, billNo, locked string) (Bill, error) {
	var b Bill
	err := q.Raw("SELECT * FROM payout_bills WHERE bill_no = ? AND payout_id = ?"+locked, billNo, pid).Scan(&b).Error
	if err == nil && b.ID == 0 {
		err = fault.NotFound
	}
	return b, err
}
