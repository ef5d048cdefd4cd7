package wallet_test

import (
	"context"
	"fmt"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/wallet"
)

// TestMain lets another process close what is due.
func TestMain(m *testing.M) {
	dbtest.Main(m, func(ctx context.Context, db *database.DB, _ []string) error {
		return (&wallet.Service{DB: db}).CloseDue(ctx)
	})
}

// TestCloseKilled kills the closing of a day at its points, one process after
// another; the next goes on, and the close is as if nobody had died.
func TestCloseKilled(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			db := dbtest.At(t, url)
			fund(t, db, wallet.Program(7), 1_000_000)
			for part := range 5 {
				var list []wallet.Transfer
				for i := range 300 {
					list = append(list, pay(fmt.Sprintf("p%d:%d", part, i), 1))
				}
				err := db.Tx(bg, func(tx *database.Tx) error {
					_, err := wallet.PostManyTx(tx, list)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			day := today(t, db)
			nextMorning(t, db)
			for _, point := range []string{"wallet:close_taken:1", "wallet:close_taken:1", "wallet:close_summed:1"} {
				if !dbtest.Killed(t, dbtest.Child(t, url, point, db.Clock.Now())) {
					t.Fatalf("not killed at %s", point)
				}
			}
			s := &wallet.Service{DB: db}
			if err := s.CloseDue(bg); err != nil {
				t.Fatal(err)
			}
			if c := closedDay(t, s, day); c.Status != wallet.CloseSealed || c.Transfers != 1501 || c.Entries != 3002 {
				t.Errorf("got %+v", c)
			}
			closesHold(t, db)
		})
	}
}
