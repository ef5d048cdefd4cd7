package wallet_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

var bg = context.Background()

func TestPost(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		budget := wallet.Program(7)
		fund(t, db, budget, 1000)
		pay := wallet.Move("reward:1:earn", "earn", money.CNY, 300,
			wallet.At(wallet.StageBudget, budget), wallet.At(wallet.StageReserved, wallet.Member(9)))
		first := post(t, db, pay)

		t.Run("the same key again is the first transfer", func(t *testing.T) {
			if again := post(t, db, pay); again != first {
				t.Errorf("got %s, want %s", again, first)
			}
			if got := balance(t, db, wallet.StageBudget, budget); got != 700 {
				t.Errorf("budget: got %s, want 7.00", got)
			}
		})
		t.Run("the same key with other legs is refused", func(t *testing.T) {
			other := pay
			other.Legs = []wallet.Leg{{wallet.StageBudget, budget, -301}, {wallet.StageReserved, wallet.Member(9), 301}}
			if err := try(db, other); !errors.Is(err, wallet.ErrKeyReused) {
				t.Errorf("got %v, want key reused", err)
			}
		})
		t.Run("a budget is never overdrawn and a refusal leaves nothing", func(t *testing.T) {
			err := db.Tx(bg, func(tx *database.Tx) error {
				_, err := wallet.PostTx(tx, wallet.Move("big", "earn", money.CNY, 701,
					wallet.At(wallet.StageBudget, budget), wallet.At(wallet.StageReserved, wallet.Member(9))))
				if !errors.Is(err, wallet.ErrInsufficient) {
					t.Errorf("got %v, want insufficient", err)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
		t.Run("a payable may become a debt", func(t *testing.T) {
			post(t, db, wallet.Move("claw", "claw", money.CNY, 50,
				wallet.At(wallet.StagePayable, wallet.Member(9)), wallet.At(wallet.StageBudget, budget)))
			if got := balance(t, db, wallet.StagePayable, wallet.Member(9)); got != -50 {
				t.Errorf("payable: got %s, want -0.50", got)
			}
		})
		t.Run("nonsense is refused", func(t *testing.T) {
			for name, bad := range map[string]wallet.Transfer{
				"one leg":       {Key: "x", Kind: "k", Currency: money.CNY, Legs: []wallet.Leg{{wallet.StageSource, wallet.Brand(), 0}}},
				"no sum":        {Key: "x", Kind: "k", Currency: money.CNY, Legs: []wallet.Leg{{wallet.StageSource, wallet.Brand(), -1}, {wallet.StageBudget, budget, 2}}},
				"no key":        {Kind: "k", Currency: money.CNY, Legs: pay.Legs},
				"no currency":   {Key: "x", Kind: "k", Currency: "USD", Legs: pay.Legs},
				"account twice": {Key: "x", Kind: "k", Currency: money.CNY, Legs: []wallet.Leg{{wallet.StageSource, wallet.Brand(), -1}, {wallet.StageSource, wallet.Brand(), 1}}},
			} {
				if err := try(db, bad); err == nil {
					t.Errorf("%s was accepted", name)
				}
			}
		})
		t.Run("the member reads his balances and lines", func(t *testing.T) {
			s := &wallet.Service{DB: db}
			w, err := s.MemberWallet(bg, 9)
			if err != nil {
				t.Fatal(err)
			}
			if r, p := w.Of(wallet.StageReserved, money.CNY), w.Of(wallet.StagePayable, money.CNY); r != 300 || p != -50 {
				t.Errorf("reserved %s, payable %s; want 3.00, -0.50", r, p)
			}
			list, err := s.Entries(bg, 9, database.Page{Limit: 1})
			if err != nil || len(list.Items) != 1 || list.Items[0].Kind != "claw" || list.NextCursor == "" {
				t.Errorf("entries: got %+v, %v", list, err)
			}
		})
		proven(t, db)
	})
}

func TestMerge(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		from, into := id.Member(11), id.Member(12)
		fund(t, db, wallet.Program(7), 1000)
		for i, m := range []id.Member{from, into} {
			post(t, db, wallet.Move(fmt.Sprintf("earn:%d", i), "earn", money.CNY, 100,
				wallet.At(wallet.StageBudget, wallet.Program(7)), wallet.At(wallet.StagePayable, wallet.Member(m))))
		}
		for range 2 { // the second call finds nothing left
			err := db.Tx(bg, func(tx *database.Tx) error {
				_, err := wallet.MergeTx(tx, from, into)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		got := []money.Amount{balance(t, db, wallet.StagePayable, wallet.Member(from)), balance(t, db, wallet.StagePayable, wallet.Member(into))}
		if diff := cmp.Diff([]money.Amount{0, 200}, got); diff != "" {
			t.Error(diff)
		}
		proven(t, db)
	})
}

// TestLedgerProperty posts random transfers, repeats and refusals included,
// and compares every balance with a fold kept in memory.
func TestLedgerProperty(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		round := 0
		rapid.Check(t, func(rt *rapid.T) {
			round++
			budget := wallet.Program(id.Program(round))
			model := map[wallet.Leg]money.Amount{} // by account
			done := map[string]wallet.Transfer{}
			n := rapid.IntRange(1, 12).Draw(rt, "transfers")
			for range n {
				tr := draw(rt, round, budget)
				err := db.Tx(bg, func(tx *database.Tx) error {
					_, err := wallet.PostTx(tx, tr)
					return err
				})
				first, repeated := done[tr.Key]
				switch {
				case repeated && cmp.Equal(first, tr):
					if err != nil {
						rt.Fatalf("repeat of %q: %v", tr.Key, err)
					}
				case repeated:
					if !errors.Is(err, wallet.ErrKeyReused) {
						rt.Fatalf("other legs under %q: got %v", tr.Key, err)
					}
				case overdraws(model, tr):
					if !errors.Is(err, wallet.ErrInsufficient) {
						rt.Fatalf("overdraft: got %v", err)
					}
				case err != nil:
					rt.Fatalf("post: %v", err)
				default:
					done[tr.Key] = tr
					for _, l := range tr.Legs {
						model[wallet.At(l.Stage, l.Owner)] += l.Amount
					}
				}
			}
			for a, want := range model {
				if got, err := wallet.Balance(db.Read(bg), a.Stage, a.Owner, money.CNY); err != nil || a.Owner.Kind != wallet.OwnerBrand && got != want {
					rt.Fatalf("%v: got %s, want %s (%v)", a, got, want, err)
				}
			}
		})
		proven(t, db)
	})
}

func draw(rt *rapid.T, round int, budget wallet.Owner) wallet.Transfer {
	member := wallet.Member(id.Member(round*10 + rapid.IntRange(1, 2).Draw(rt, "member")))
	paths := [][2]wallet.Leg{
		{wallet.At(wallet.StageSource, wallet.Brand()), wallet.At(wallet.StageBudget, budget)},
		{wallet.At(wallet.StageBudget, budget), wallet.At(wallet.StageReserved, member)},
		{wallet.At(wallet.StageReserved, member), wallet.At(wallet.StagePayable, member)},
		{wallet.At(wallet.StagePayable, member), wallet.At(wallet.StagePaid, member)},
	}
	path := rapid.SampledFrom(paths).Draw(rt, "path")
	key := fmt.Sprintf("p%d:%d", round, rapid.IntRange(0, 8).Draw(rt, "key"))
	return wallet.Move(key, "test", money.CNY, money.Amount(rapid.IntRange(1, 3).Draw(rt, "amount")), path[0], path[1])
}

func overdraws(model map[wallet.Leg]money.Amount, t wallet.Transfer) bool {
	for _, l := range t.Legs {
		if l.Stage == wallet.StageBudget && model[wallet.At(l.Stage, l.Owner)]+l.Amount < 0 {
			return true
		}
	}
	return false
}

// TestBudgetUnderLoad spends one budget from 64 goroutines: it ends exactly at
// zero, and breaks when nothing holds it.
func TestBudgetUnderLoad(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		granted := spend(t, db, 64, 200, 10)
		if left := balance(t, db, wallet.StageBudget, wallet.Program(1)); granted != 20 || left != 0 {
			t.Errorf("granted %d, left %s; want 20 and 0.00", granted, left)
		}
		proven(t, db)
	})
	for _, engine := range dbtest.Engines {
		t.Run(engine+"/breaks without its locks", func(t *testing.T) {
			for range 20 {
				db := dbtest.Unlocked(t, engine)
				if spend(t, db, 64, 200, 10) > 20 {
					return
				}
			}
			t.Error("the budget held without locks: the test cannot fail")
		})
	}
}

func spend(t *testing.T, db *database.DB, workers int, budget, each money.Amount) (granted int) {
	t.Helper()
	fund(t, db, wallet.Program(1), budget)
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			err := try(db, wallet.Move(fmt.Sprintf("w%d", i), "earn", money.CNY, each,
				wallet.At(wallet.StageBudget, wallet.Program(1)), wallet.At(wallet.StageReserved, wallet.Member(5))))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				granted++
			case !errors.Is(err, wallet.ErrInsufficient):
				t.Errorf("post: %v", err)
			}
		})
	}
	all.Wait()
	return granted
}

// TestVerifyNamesBreaches breaks the books by hand.
func TestVerifyNamesBreaches(t *testing.T) {
	for name, c := range map[string]struct {
		sql  string
		want []string
	}{
		"an amount":     {"UPDATE entries SET amount = amount + 1 WHERE amount > 0", []string{"2 entries that sum to 0.01", "its entries fold to"}},
		"an entry":      {"DELETE FROM entries WHERE amount > 0", []string{"has 1 entries", "that sum to", "its entries fold to"}},
		"all entries":   {"DELETE FROM entries", []string{"has 0 entries", "its entries fold to"}},
		"a transfer":    {"DELETE FROM transfers", []string{"has no transfer or no account"}},
		"an account":    {"DELETE FROM accounts WHERE balance > 0", []string{"has no transfer or no account"}},
		"a currency":    {"UPDATE transfers SET currency = 'PTS'", []string{"has no transfer or no account"}},
		"its account's": {"UPDATE accounts SET currency = 'PTS' WHERE balance > 0", []string{"has no transfer or no account"}},
		"a balance":     {"UPDATE accounts SET balance = balance + 1 WHERE stage = 'budget'", []string{"its entries fold to"}},
		"a member's":    {"UPDATE accounts SET balance = balance + 1 WHERE owner_kind = 'member'", []string{"holds 2.01, its entries fold to 2.00"}},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, db *database.DB) {
				fund(t, db, wallet.Program(1), 500)
				post(t, db, wallet.Move("m", "earn", money.CNY, 200, wallet.At(wallet.StageBudget, wallet.Program(1)), wallet.At(wallet.StageReserved, wallet.Member(9))))
				proofs, err := wallet.Verify(bg, db)
				if err != nil || len(proofs) != 1 || len(proofs[0].Broken) > 0 || proofs[0].Checked == 0 {
					t.Fatalf("before: %+v, %v", proofs, err)
				}
				if err := db.Tx(bg, func(tx *database.Tx) error { return tx.Exec(c.sql).Error }); err != nil {
					t.Fatal(err)
				}
				if proofs, err = wallet.Verify(bg, db); err != nil {
					t.Fatal(err)
				}
				got := strings.Join(proofs[0].Broken, "\n")
				for _, want := range c.want {
					if !strings.Contains(got, want) {
						t.Errorf("want %q named, got:\n%s", want, got)
					}
				}
			})
		})
	}
}

func fund(t *testing.T, db *database.DB, o wallet.Owner, n money.Amount) {
	t.Helper()
	err := db.Tx(bg, func(tx *database.Tx) error {
		_, err := wallet.FundTx(tx, wallet.Fund{Key: "fund", Owner: o, Currency: money.CNY, Amount: n})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func try(db *database.DB, tr wallet.Transfer) error {
	return db.Tx(bg, func(tx *database.Tx) error {
		_, err := wallet.PostTx(tx, tr)
		return err
	})
}

func post(t *testing.T, db *database.DB, tr wallet.Transfer) (out id.Transfer) {
	t.Helper()
	err := db.Tx(bg, func(tx *database.Tx) (err error) {
		out, err = wallet.PostTx(tx, tr)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func balance(t *testing.T, db *database.DB, s wallet.Stage, o wallet.Owner) money.Amount {
	t.Helper()
	n, err := wallet.Balance(db.Read(bg), s, o, money.CNY)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func proven(t *testing.T, db *database.DB) {
	t.Helper()
	proofs, err := wallet.Verify(bg, db)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range proofs {
		if len(p.Broken) > 0 || p.Checked == 0 {
			t.Errorf("%s: %d checked, broken: %v", p.ID, p.Checked, p.Broken)
		}
	}
}
