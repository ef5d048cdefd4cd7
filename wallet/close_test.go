package wallet_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// pay moves one amount from the program's budget to a member.
func pay(key string, n money.Amount) wallet.Transfer {
	return wallet.Move(key, "earn", money.CNY, n, wallet.At(wallet.StageBudget, wallet.Program(7)), wallet.At(wallet.StageReserved, wallet.Member(9)))
}

func today(t *testing.T, db *database.DB) int {
	t.Helper()
	loc, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return clock.Day(db.Clock.Now(), loc)
}

// nextMorning moves the clock to half past one of the next day.
func nextMorning(t *testing.T, db *database.DB) {
	t.Helper()
	loc, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	now := db.Clock.Now().In(loc)
	db.Clock.Jump(clock.StartOfDay(now.AddDate(0, 0, 1), loc).Add(90 * time.Minute).Sub(now))
}

func closedDay(t *testing.T, s *wallet.Service, day int) wallet.Close {
	t.Helper()
	c, err := s.FindClose(bg, day)
	if err != nil {
		t.Fatalf("close of %d: %v", day, err)
	}
	return c
}

func closesHold(t *testing.T, db *database.DB) {
	t.Helper()
	proofs, err := wallet.VerifyCloses(bg, db)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range proofs[0].Broken {
		t.Error(b)
	}
}

// TestCloseDay closes two days and reads what they moved and what stood.
func TestCloseDay(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		fund(t, db, wallet.Program(7), 1000)
		post(t, db, pay("a", 300))
		first := today(t, db)
		if err := s.CloseDay(bg, first); !errors.Is(err, wallet.ErrDayOpen) {
			t.Errorf("a day that goes on: got %v", err)
		}
		nextMorning(t, db)
		post(t, db, pay("b", 50))
		if err := s.CloseDue(bg); err != nil {
			t.Fatal(err)
		}
		got := closedDay(t, s, first)
		want := []wallet.CloseBalance{
			{Stage: wallet.StageBudget, OwnerKind: wallet.OwnerProgram, Currency: money.CNY, Moved: 700, Closing: 700},
			{Stage: wallet.StageReserved, OwnerKind: wallet.OwnerMember, Currency: money.CNY, Moved: 300, Closing: 300},
			{Stage: wallet.StageSource, OwnerKind: wallet.OwnerBrand, Currency: money.CNY, Moved: -1000, Closing: -1000},
		}
		if diff := cmp.Diff(want, got.Balances); diff != "" {
			t.Error(diff)
		}
		if got.Status != wallet.CloseSealed || got.Transfers != 2 || got.Entries != 4 || got.Late != 0 || len(got.Lines) != 4 {
			t.Errorf("got %+v", got)
		}
		if err := s.CloseDay(bg, first); !errors.Is(err, wallet.ErrDayShut) {
			t.Errorf("a closed day: got %v", err)
		}
		nextMorning(t, db)
		nextMorning(t, db)
		if err := s.CloseDay(bg, today(t, db)-1); !errors.Is(err, wallet.ErrDayTurn) && today(t, db)%100 > 2 {
			t.Errorf("out of turn: got %v", err)
		}
		if err := s.CloseDue(bg); err != nil {
			t.Fatal(err)
		}
		list, err := s.ListCloses(bg, database.Page{})
		if err != nil || len(list.Items) != 3 || list.Items[1].Transfers != 1 || list.Items[0].Transfers != 0 || list.Items[1].Previous != got.Digest {
			t.Errorf("got %+v, %v", list, err)
		}
		closesHold(t, db)
	})
}

// TestLateTransfer holds a transaction open over the close of its day: what
// it writes is in the next close and in that one alone. SQLite has one writer,
// so there the transfer is given the time it would have had.
func TestLateTransfer(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		fund(t, db, wallet.Program(7), 1000)
		post(t, db, pay("early", 100))
		day := today(t, db)
		then := clock.MilliOf(db.Clock.Now())

		posted, release, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		late := func(tx *database.Tx) error {
			_, err := wallet.PostTx(tx, wallet.Move("late", "earn", money.CNY, 200,
				wallet.At(wallet.StageSource, wallet.Brand()), wallet.At(wallet.StageReserved, wallet.Member(11))))
			return err
		}
		held := db.Dialect.Name != "sqlite"
		if held {
			go func() {
				ended <- db.Tx(bg, func(tx *database.Tx) error {
					if err := late(tx); err != nil {
						return err
					}
					close(posted)
					<-release
					return nil
				})
			}()
			<-posted
		}
		nextMorning(t, db)
		if err := s.CloseDue(bg); err != nil {
			t.Fatal(err)
		}
		first := closedDay(t, s, day)
		if first.Status != wallet.CloseSealed || first.Transfers != 2 {
			t.Errorf("while it is open: got %+v", first)
		}
		if held {
			close(release)
		} else {
			ended <- db.Tx(bg, func(tx *database.Tx) error { tx.Now = then; return late(tx) })
		}
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		closesHold(t, db)
		next := today(t, db)
		nextMorning(t, db)
		if err := s.CloseDue(bg); err != nil {
			t.Fatal(err)
		}
		if again := closedDay(t, s, day); again.Digest != first.Digest {
			t.Error("the closed day has changed")
		}
		if second := closedDay(t, s, next); second.Transfers != 1 || second.Late != 1 {
			t.Errorf("the next day: got %+v", second)
		}
		closesHold(t, db)
	})
}

// TestManyClose: several runs of one close and writers beside them leave every
// transfer in at most one close, and the close as its transfers say.
func TestManyClose(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		fund(t, db, wallet.Program(7), 1_000_000)
		for part := range 5 {
			err := db.Tx(bg, func(tx *database.Tx) error {
				var list []wallet.Transfer
				for i := range 300 {
					list = append(list, pay(fmt.Sprintf("p%d:%d", part, i), 1))
				}
				_, err := wallet.PostManyTx(tx, list)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		day := today(t, db)
		nextMorning(t, db)
		const runs = 6
		errs := make(chan error, runs)
		for i := range runs {
			go func() {
				if i%2 == 0 {
					errs <- s.CloseDue(bg)
					return
				}
				errs <- try(db, pay(fmt.Sprintf("beside:%d", i), 1))
			}()
		}
		for range runs {
			if err := <-errs; err != nil && !errors.Is(err, wallet.ErrDayShut) {
				t.Error(err)
			}
		}
		if got := closedDay(t, s, day); got.Status != wallet.CloseSealed || got.Transfers != 1501 {
			t.Errorf("got %+v", got)
		}
		closesHold(t, db)
	})
}

// TestVerifyClosesNamesBreaches changes what is sealed, one thing at a time.
func TestVerifyClosesNamesBreaches(t *testing.T) {
	breaches := map[string]string{
		"an entry":     "UPDATE entries SET amount = amount * 2",
		"a transfer":   "UPDATE transfers SET kind = 'other'",
		"a close":      "UPDATE transfers SET close_no = 0 WHERE transfer_key = 'a'",
		"a stray":      "UPDATE transfers SET close_no = 9",
		"a line":       "UPDATE ledger_close_lines SET came = came + 1",
		"a balance":    "UPDATE ledger_close_balances SET closing = closing + 1",
		"a head":       "UPDATE ledger_closes SET opened_by = 5",
		"a chain":      "UPDATE ledger_closes SET previous = 'x'",
		"who is older": "UPDATE ledger_closes SET until_at = 1",
	}
	for name, sql := range breaches {
		t.Run(name, func(t *testing.T) {
			db := dbtest.Open(t, "sqlite")
			s := &wallet.Service{DB: db}
			fund(t, db, wallet.Program(7), 1000)
			post(t, db, pay("a", 300))
			nextMorning(t, db)
			if err := s.CloseDue(bg); err != nil {
				t.Fatal(err)
			}
			closesHold(t, db)
			if err := db.Tx(bg, func(tx *database.Tx) error { return tx.Exec(sql).Error }); err != nil {
				t.Fatal(err)
			}
			proofs, err := wallet.VerifyCloses(bg, db)
			if err != nil || len(proofs[0].Broken) == 0 {
				t.Errorf("got %+v, %v", proofs, err)
			}
		})
	}
}

// TestTrialBalance reads the books now and at moments before.
func TestTrialBalance(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		fund(t, db, wallet.Program(7), 1000)
		post(t, db, pay("a", 300))
		before := clock.MilliOf(db.Clock.Now())
		nextMorning(t, db)
		post(t, db, pay("b", 50))
		points := wallet.Move("p", "earn", money.PTS, 5, wallet.At(wallet.StageSource, wallet.Brand()), wallet.At(wallet.StagePoints, wallet.Member(9)))
		post(t, db, points)
		want := map[bool][]string{
			true:  {"budget program CNY 7.00", "reserved member CNY 3.00", "source brand CNY -10.00"},
			false: {"budget program CNY 6.50", "reserved member CNY 3.50", "source brand CNY -10.00", "points member PTS 0.05", "source brand PTS -0.05"},
		}
		look := func() {
			t.Helper()
			for earlier, rows := range want {
				at := clock.Milli(0)
				if earlier {
					at = before
				}
				trial, err := s.TrialBalance(bg, at)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, r := range trial.Rows {
					got = append(got, fmt.Sprintf("%s %s %s %s", r.Stage, r.OwnerKind, r.Currency, r.Balance))
				}
				if diff := cmp.Diff(rows, got); diff != "" {
					t.Error(diff)
				}
				if slices.ContainsFunc(trial.Sums, func(x wallet.TrialTotal) bool { return x.Sum != 0 || x.Above == 0 }) {
					t.Errorf("got %+v", trial.Sums)
				}
			}
		}
		look()
		if err := s.CloseDue(bg); err != nil { // the same, from the closed day on
			t.Fatal(err)
		}
		look()
		ofUnit := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 3, Role: "finance", Units: []id.Unit{4}})
		if _, err := s.TrialBalance(ofUnit, 0); !errors.Is(err, wallet.ErrBooks) {
			t.Errorf("finance of a unit: got %v", err)
		}
	})
}
