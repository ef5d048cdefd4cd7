package wallet

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/money"
)

// TestAResealedCloseIsStillSeen changes what is sealed and then seals it again,
// chain and all, as somebody would who can write the store: each thing the
// proof compares is seen by itself, not by the digest alone.
func TestAResealedCloseIsStillSeen(t *testing.T) {
	for name, x := range map[string]struct {
		sql, want string
		kept      bool // the chain stays as the change has left it
	}{
		"a close that is gone":     {"DELETE FROM ledger_closes WHERE no = 1", "does not follow close 0", false},
		"one that ended after":     {"UPDATE ledger_closes SET until_at = until_at + 86400000 WHERE no = 1", "does not follow close 1", false},
		"another before it":        {"UPDATE ledger_closes SET previous = 'x' WHERE no = 2", "does not follow close 1", true},
		"a transfer counted more":  {"UPDATE ledger_closes SET transfer_count = transfer_count + 1 WHERE no = 2", "sealed 2 transfers", false},
		"an entry counted more":    {"UPDATE ledger_closes SET entry_count = entry_count + 1 WHERE no = 2", "with 3 entries", false},
		"a late one counted":       {"UPDATE ledger_closes SET late_count = 1 WHERE no = 2", "1 late;", false},
		"what transfers say":       {"UPDATE transfers SET transfer_key = 'c' WHERE transfer_key = 'b'", "or say something else", false},
		"a line":                   {"UPDATE ledger_close_lines SET came = came + 1 WHERE close_no = 2 AND stage = 'budget'", "its lines are not what", false},
		"balances that go on":      {"UPDATE ledger_close_balances SET opening = opening + 1, closing = closing + 1 WHERE close_no = 2 AND stage = 'budget'", "its balances are not those", false},
		"balances that sum to one": {"UPDATE ledger_close_balances SET opening = opening + 1, closing = closing + 1 WHERE close_no = 2 AND stage = 'budget'", "its balances in CNY sum to 0.01", false},
		"a close of no row":        {"UPDATE transfers SET close_no = 9 WHERE close_no = 2", "1 transfers are in close 9", false},
		"a day too early":          {"UPDATE transfers SET close_no = 1 WHERE close_no = 2", "1 transfers are in close 1", false},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, db *database.DB) {
				for _, key := range []string{"a", "b"} {
					err := db.Tx(t.Context(), func(tx *database.Tx) error {
						_, err := FundTx(tx, Fund{Key: key, Owner: Program(7), Currency: money.CNY, Amount: 500})
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
					db.Clock.Jump(24 * time.Hour)
					if err := (&Service{DB: db}).CloseDue(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				reseal(t, db, true)
				if got := closeBreaches(t, db); got != "" {
					t.Fatalf("before: %s", got)
				}
				if err := db.Tx(t.Context(), func(tx *database.Tx) error { return tx.Exec(x.sql).Error }); err != nil {
					t.Fatal(err)
				}
				reseal(t, db, !x.kept)
				if got := closeBreaches(t, db); !strings.Contains(got, x.want) || strings.Contains(got, "digest") {
					t.Errorf("want %q and no word of a digest, got:\n%s", x.want, got)
				}
			})
		})
	}
}

// reseal gives every close the digest of what it says now.
func reseal(t *testing.T, db *database.DB, chain bool) {
	t.Helper()
	var nos []int64
	if err := db.Read(t.Context()).Raw("SELECT no FROM ledger_closes ORDER BY no").Scan(&nos).Error; err != nil || len(nos) == 0 {
		t.Fatalf("got %v, %v", nos, err)
	}
	last := ""
	for _, no := range nos {
		err := db.Tx(t.Context(), func(tx *database.Tx) error {
			c, err := findSealed(tx.DB, no)
			if err != nil {
				return err
			}
			if chain {
				c.Previous = last
			}
			last = c.seal()
			return tx.Exec("UPDATE ledger_closes SET previous = ?, digest = ? WHERE no = ?", c.Previous, last, no).Error
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func closeBreaches(t *testing.T, db *database.DB) string {
	t.Helper()
	proofs, err := VerifyCloses(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(proofs[0].Broken, "\n")
}

// TestEdgeOfADay: a day is closed from its hour on and not a moment before, with
// what was posted in its last millisecond; what comes at midnight is the next
// day's and is not late there.
func TestEdgeOfADay(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &Service{DB: db}
		midnight := clock.MilliOf(time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC))
		for i, at := range []clock.Milli{midnight - 1, midnight} {
			err := db.Tx(t.Context(), func(tx *database.Tx) error {
				tx.Now = at
				_, err := FundTx(tx, Fund{Key: fmt.Sprint(i), Owner: Program(7), Currency: money.CNY, Amount: 500})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		opens := midnight.Add(closeAfter)
		db.Clock.Jump(opens.Time().Sub(db.Clock.Now()) - time.Millisecond)
		if err := s.CloseDay(t.Context(), 20260302); err == nil || !strings.Contains(err.Error(), ErrDayOpen.Code) {
			t.Errorf("a moment before its hour: got %v", err)
		}
		db.Clock.Jump(time.Millisecond)
		if err := s.CloseDay(t.Context(), 20260302); err != nil {
			t.Errorf("at its hour: got %v", err)
		}
		if err := s.CloseDay(t.Context(), 20260303); err == nil || !strings.Contains(err.Error(), ErrDayTurn.Code) {
			t.Errorf("while the day before is not sealed: got %v", err)
		}
		db.Clock.Jump(24 * time.Hour)
		if err := s.CloseDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, day := range []int{20260302, 20260303} {
			if c, err := s.FindClose(t.Context(), day); err != nil || c.Transfers != 1 || c.Late != 0 {
				t.Errorf("%d: got %d transfers, %d late, %v", day, c.Transfers, c.Late, err)
			}
		}
		if got := closeBreaches(t, db); got != "" {
			t.Error(got)
		}
	})
}
