package wallet_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// TestLargeAccount: the book of a program that thousands of transfers went
// through, many of them at one moment, is summed up whole, and a fen too many
// at either end of it is seen.
func TestLargeAccount(t *testing.T) {
	const members, each = 9, 400
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		program := wallet.Program(1)
		fund(t, db, program, members*each)
		for n := range members {
			if n%2 == 0 {
				db.Clock.Jump(time.Second)
			}
			moves := make([]wallet.Transfer, each)
			for i := range moves {
				moves[i] = wallet.Move(fmt.Sprintf("m:%d:%d", n, i), "reward_earn", money.CNY, 1, wallet.At(wallet.StageBudget, program), wallet.At(wallet.StageReserved, wallet.Member(id.Member(n+1))))
			}
			err := db.Tx(bg, func(tx *database.Tx) error {
				_, err := wallet.PostManyTx(tx, moves)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		proven(t, db)
		for _, end := range []string{"MIN", "MAX"} {
			change := func(by int) {
				err := db.Tx(bg, func(tx *database.Tx) error {
					return tx.Exec("UPDATE entries SET amount = amount + ? WHERE id = (SELECT x.id FROM (SELECT "+end+"(e.id) AS id FROM entries e JOIN accounts a ON a.id = e.account_id WHERE a.stage = 'budget') x)", by).Error
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			change(1)
			proofs, err := wallet.Verify(bg, db)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(proofs[0].Broken, "\n"); !strings.Contains(got, "holds 0.00, its entries fold to 0.01") {
				t.Errorf("at the %s of the book: got %s", end, got)
			}
			change(-1)
		}
		proven(t, db)
	})
}
