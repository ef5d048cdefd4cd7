package campaign

import (
	"context"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// TestAlertOfDoneRefund: a refund that is done between the look and the mark is
// not said to be overdue.
func TestAlertOfDoneRefund(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		err := db.Tx(ctx, func(tx *database.Tx) error {
			for _, r := range []Refund{{ID: 1, OrderID: 7, RefundNo: "done", Amount: 100, Status: RefundDone}, {ID: 2, OrderID: 7, RefundNo: "open", Amount: 100, Status: RefundRequested}} {
				if err := tx.Create(&r).Error; err != nil {
					return err
				}
				r.Status = RefundRequested // as it was looked at
				if err := alertRefund(tx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var alerted []string
		if err := db.Read(ctx).Raw("SELECT refund_no FROM refunds WHERE alerted_at <> 0").Scan(&alerted).Error; err != nil || len(alerted) != 1 || alerted[0] != "open" {
			t.Errorf("marked %v, %v; want the open one", alerted, err)
		}
	})
}
