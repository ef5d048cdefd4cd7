package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/voucher"
)

// TestVouchersOfSettlements: what payments, their returns and fees moved is in
// the vouchers of the settlements they are of, to the fen; of a settlement that
// is open or was rejected there are none.
func TestVouchersOfSettlements(t *testing.T) {
	for name, c := range map[string]struct {
		story func(f *period, t *testing.T)
		moved []string // kinds that it must have moved
	}{
		"a payment that came back": {(*period).play, []string{"payout", "payout_arrived", "payout_failed"}},
		"a fee":                    {(*period).withdraw, []string{"payout", "payout_arrived", "withdrawal_fee"}},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, h *house) {
				f := &period{house: h, payer: payerOf(t, h)}
				c.story(f, t)
				h.DB.Clock.Jump(48 * time.Hour)
				if err := h.Wallet.CloseDue(bg); err != nil {
					t.Fatal(err)
				}
				var ledger []struct {
					Kind, Stage string
					Sum         money.Amount `gorm:"column:moved"`
				}
				err := h.DB.Read(bg).Raw(`SELECT t.kind, a.stage, SUM(e.amount) AS moved FROM transfers t JOIN entries e ON e.transfer_id = t.id JOIN accounts a ON a.id = e.account_id
					WHERE t.kind IN ? GROUP BY t.kind, a.stage HAVING SUM(e.amount) <> 0`, c.moved).Scan(&ledger).Error
				if err != nil {
					t.Fatal(err)
				}
				want, kinds := map[string]money.Amount{}, map[string]bool{}
				for _, l := range ledger {
					want[l.Kind+" "+l.Stage], kinds[l.Kind] = l.Sum, true
				}
				if len(kinds) != len(c.moved) {
					t.Fatalf("only %v moved", kinds)
				}
				var settled []id.Settlement
				if err := h.DB.Read(bg).Raw("SELECT id FROM settlements ORDER BY id").Scan(&settled).Error; err != nil {
					t.Fatal(err)
				}
				got := map[string]money.Amount{}
				for _, st := range settled {
					var set voucher.Set
					a := h.call(t, h.keys[""][access.Finance], "GET /v1/settlements/"+st.String()+"/vouchers", "")
					if a.into(t, &set); a.status != 200 || set.Open != 0 || set.Debit != set.Credit {
						t.Fatalf("of %s: %d %s", st, a.status, a.body)
					}
					for _, l := range set.Lines {
						if kinds[l.Kind] {
							got[l.Kind+" "+l.Stage] += l.Credit - l.Debit
						}
					}
				}
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("the settlements say %v, the ledger moved %v", got, want)
				}

				finance := h.keys[east][access.Finance]
				made := h.make(t, access.Finance, "POST /v1/settlements", fmt.Sprintf(`{"unit_id":%q,"payer_id":%q,"label":"2026-04"}`, h.units[east], f.payer))
				none := func(when string) {
					t.Helper()
					if a := h.call(t, finance, "GET /v1/settlements/"+made+"/vouchers", ""); a.status != 409 || !strings.Contains(string(a.body), "voucher.settlement") {
						t.Errorf("of one that is %s: %d %s", when, a.status, a.body)
					}
				}
				none("open")
				f.must(t, 202, finance, "POST /v1/settlements/"+made+"/close", "{}")
				drainSettlement(t, h)
				f.must(t, 200, h.keys[east][access.Admin], "POST /v1/settlements/"+made+"/reject", `{"reason":"再核对"}`)
				none("rejected")
			})
		})
	}
}
