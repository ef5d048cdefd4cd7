package web

import (
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/money"
	"siyu/wallet"
)

// TestConsoleLedger: finance of the brand reads the books and a closed day;
// others do not see that there are any.
func TestConsoleLedger(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		h.consoleOf(h.staffKey(access.Marketer)).get("/console/ledger").is(t, http.StatusForbidden)
		h.consoleOf(h.staffKey(access.Marketer)).get("/console").lacks(t, "/console/ledger")
		p := h.consoleOf(h.staffKey(access.Finance))
		p.get("/console").is(t, 200).has(t, `href="/console/ledger"`)
		p.get("/console/ledger").is(t, 200).has(t, "试算平衡", "还没有日结")
		must(t, db.Tx(h.system, func(tx *database.Tx) error {
			_, err := wallet.FundTx(tx, wallet.Fund{Key: "f", Owner: wallet.Program(900), Currency: money.CNY, Amount: 123456})
			return err
		}))
		day := booksDay(t, db)
		db.Clock.Jump(26 * time.Hour)
		must(t, h.s.Wallet.CloseDue(h.system))
		p = h.consoleOf(h.staffKey(access.Finance)) // the first session is over
		p.get("/console/ledger").is(t, 200).has(t, "奖励方案", "外部资金", "已日结", `href="/console/ledger?day=`+day+`"`, "= ¥0.00")
		p.get("/console/ledger?day="+day).is(t, 200).has(t, "预算拨入", "当日发生", "期末", "SHA-256")
		p.get("/console/ledger?day="+day+"&lang=en").is(t, 200).has(t, "funded", "Trial balance", "outside money")
		p.get("/console/ledger.csv?day="+day).is(t, 200).has(t, "\ufeffday,kind,", ",fund,budget,program,CNY,2,223456,0")
		p.get("/console/ledger.csv").is(t, 200).has(t, "sum,,CNY,0")
		p.get("/console/ledger?day=20200101").is(t, http.StatusNotFound)
		p.get("/console/ledger?day=x").is(t, http.StatusNotFound)
	})
}

func booksDay(t *testing.T, db *database.DB) string {
	t.Helper()
	return db.Clock.Now().In(shop).Format("20060102")
}

func sampleLedger(lang string) ledgerPage {
	p := ledgerPage{page: base(lang, choose(lang, "账本", "Ledger"))}
	trial := wallet.Trial{Rows: []wallet.TrialRow{
		{Stage: wallet.StageBudget, OwnerKind: wallet.OwnerProgram, Currency: money.CNY, Balance: 99123456789},
		{Stage: wallet.StagePayable, OwnerKind: wallet.OwnerMember, Currency: money.CNY, Balance: -1234},
		{Stage: wallet.StageSource, OwnerKind: wallet.OwnerBrand, Currency: money.CNY, Balance: -99123455555},
		{Stage: wallet.StagePoints, OwnerKind: wallet.OwnerMember, Currency: money.PTS, Balance: 5200},
		{Stage: wallet.StageSource, OwnerKind: wallet.OwnerBrand, Currency: money.PTS, Balance: -5200},
	}, Sums: []wallet.TrialTotal{{Currency: money.CNY, Above: 99123456789, Below: -99123456789}, {Currency: money.PTS, Above: 5200, Below: -5200}}}
	p.Rows, p.Sums = heldRows(lang, trial)
	c := wallet.Close{Day: 20260301, Status: wallet.CloseSealed, Transfers: 128456, Late: 2, Digest: "9f3a01bc77aa9f3a01bc77aa9f3a01bc77aa9f3a01bc77aa9f3a01bc77aa0011",
		Lines:    []wallet.CloseLine{{Kind: "reward_earn", Stage: wallet.StageBudget, OwnerKind: wallet.OwnerProgram, Currency: money.CNY, Went: 1280000}, {Kind: "reward_earn", Stage: wallet.StageReserved, OwnerKind: wallet.OwnerMember, Currency: money.CNY, Came: 1280000}},
		Balances: []wallet.CloseBalance{{Stage: wallet.StageBudget, OwnerKind: wallet.OwnerProgram, Currency: money.CNY, Opening: 99124736789, Moved: -1280000, Closing: 99123456789}}}
	v := dayViewOf(lang, c)
	p.Day = &v
	p.Days = []closedRow{closedRowOf(lang, wallet.Close{Day: 20260302, Status: wallet.CloseClosing, Transfers: 12}), v.closedRow}
	return p
}
