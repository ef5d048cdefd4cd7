package promoter_test

import (
	"strings"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral/promoter"
)

// broken is what V19 finds wrong.
func broken(t *testing.T, db *database.DB) []string {
	t.Helper()
	proofs, err := promoter.Verify(bg, db)
	if err != nil || len(proofs) != 1 || proofs[0].ID != "V19" {
		t.Fatalf("got %+v, %v", proofs, err)
	}
	return proofs[0].Broken
}

// TestVerifySeesABreach changes a standing, a level and a step behind the
// room's back, and each is named.
func TestVerifySeesABreach(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := house{&promoter.Service{DB: db}, t}
		p, other := h.apply(100, 1), h.apply(101, 1)
		if err := h.Decide(staff(7, 1), p, promoter.Approve, ""); err != nil {
			t.Fatal(err)
		}
		ladder := promoter.ShownLadder{Version: 2, Ladder: ladder()}
		step := func(f promoter.Facts) {
			t.Helper()
			err := db.Tx(bg, func(tx *database.Tx) error {
				list, err := promoter.ToJudge(tx, 0, 10)
				if err == nil && len(list) == 1 {
					err = list[0].StepTx(tx, ladder, f)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		step(promoter.Facts{InviteesKept: 5})
		step(promoter.Facts{Reward: 500_000})
		if bad := broken(t, db); len(bad) != 0 {
			t.Fatalf("as it should be: %v", bad)
		}
		exec := func(sql string, args ...any) {
			t.Helper()
			if err := db.Tx(bg, func(tx *database.Tx) error { return tx.Exec(sql, args...).Error }); err != nil {
				t.Fatal(err)
			}
		}
		for name, c := range map[string]struct {
			wrong, right string
			who          id.Promoter
		}{
			"a standing": {"UPDATE promoters SET status = 'approved' WHERE id = ?", "UPDATE promoters SET status = 'applied' WHERE id = ?", other},
			"a level":    {"UPDATE promoters SET level_no = 1 WHERE id = ?", "UPDATE promoters SET level_no = 3 WHERE id = ?", p},
			"a step":     {"UPDATE promoter_levels SET before_no = 2 WHERE promoter_id = ? AND level_no = 3", "UPDATE promoter_levels SET before_no = 1 WHERE promoter_id = ? AND level_no = 3", p},
		} {
			exec(c.wrong, c.who)
			if bad := broken(t, db); len(bad) != 1 || !strings.Contains(bad[0], c.who.String()) {
				t.Errorf("%s: got %v", name, bad)
			}
			exec(c.right, c.who)
		}
		if bad := broken(t, db); len(bad) != 0 {
			t.Errorf("put back: %v", bad)
		}
	})
}
