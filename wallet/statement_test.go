package wallet_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/money"
	"siyu/wallet"
)

// TestStatement reads a budget over a day page by page: every page begins
// where the one before ended, also for entries of one moment, and a late one
// with an older time.
func TestStatement(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		fund(t, db, wallet.Program(7), 1000)
		db.Clock.Jump(time.Hour)
		from := clock.MilliOf(db.Clock.Now())
		for i := range 5 { // all at one moment
			post(t, db, pay(fmt.Sprintf("a%d", i), money.Amount(10+i)))
		}
		db.Clock.Jump(time.Hour)
		until := clock.MilliOf(db.Clock.Now())
		post(t, db, pay("behind", 100))
		err := db.Tx(bg, func(tx *database.Tx) error {
			tx.Now = from.Add(time.Minute)
			_, err := wallet.PostTx(tx, pay("late", 1))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.ListAccounts(bg, wallet.AccountFilter{Owner: wallet.Program(7)}, database.Page{})
		if err != nil || len(list.Items) != 1 || list.Items[0].Balance != 839 {
			t.Fatalf("got %+v, %v", list, err)
		}
		over := wallet.Period{From: from, Until: until}
		var got []string
		for page := (database.Page{Limit: 2}); ; {
			st, err := s.Statement(bg, list.Items[0].ID, over, page)
			if err != nil || st.Opening != 1000 || st.Closing != 939 {
				t.Fatalf("got %+v, %v", st, err)
			}
			for _, l := range st.Lines.Items {
				got = append(got, fmt.Sprintf("%s %s %s", l.Key, l.Amount, l.Balance))
			}
			if st.Lines.NextCursor == "" {
				break
			}
			if page.Before, err = database.ParseCursor(st.Lines.NextCursor); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"a0 -0.10 9.90", "a1 -0.11 9.79", "a2 -0.12 9.67", "a3 -0.13 9.54", "a4 -0.14 9.40", "late -0.01 9.39"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		var b bytes.Buffer
		if err := s.WriteStatement(bg, list.Items[0].ID, over, &b, wallet.Marked); err != nil {
			t.Fatal(err)
		}
		text, marked := strings.CutPrefix(b.String(), "\ufeff")
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || !marked || len(rows) != 9 {
			t.Fatalf("marked %v, %d rows, %v", marked, len(rows), err)
		}
		if first, last := rows[1], rows[8]; first[2] != "opening" || first[6] != "1000" || rows[7][3] != "late" || last[2] != "closing" || last[6] != "939" {
			t.Errorf("got %v", rows)
		}
	})
}

// TestLongStatement reads a CSV of more entries than are read at a time: what
// the account holds goes on from part to part.
func TestLongStatement(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		const entries = 2001
		fund(t, db, wallet.Program(7), entries*10)
		for from := 0; from < entries; from += 300 {
			err := db.Tx(bg, func(tx *database.Tx) error {
				for i := from; i < min(from+300, entries); i++ {
					if _, err := wallet.PostTx(tx, pay(fmt.Sprint("long", i), 3)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			db.Clock.Jump(time.Second)
		}
		list, err := s.ListAccounts(bg, wallet.AccountFilter{Owner: wallet.Program(7)}, database.Page{})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := s.WriteStatement(bg, list.Items[0].ID, wallet.Period{}, &b, wallet.Unmarked); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(rows) != 1+1+1+entries+1 { // heading, opening, fund, closing
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for i, held := 0, money.Amount(entries*10); i < entries; i++ {
			held -= 3
			if got := rows[3+i][6]; got != fmt.Sprint(int64(held)) {
				t.Fatalf("entry %d: held %s, want %d", i, got, held)
			}
		}
		if last := rows[len(rows)-1]; last[2] != "closing" || last[6] != fmt.Sprint(entries*7) {
			t.Errorf("got %v", last)
		}
	})
}
