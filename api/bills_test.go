package api

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/money"
	"siyu/internal/wechat"
	"siyu/internal/wechat/wechattest"
	"siyu/referral/settlement"
)

// TestWechatPage plays the page of docs/finance.md on WeChat's bills over
// HTTP, with the platform for tests, and compares its numbers.
func TestWechatPage(t *testing.T) {
	page, err := os.ReadFile("../docs/finance.md")
	if err != nil {
		t.Fatal(err)
	}
	onBoth(t, func(t *testing.T, h *house) {
		w := newWechatPeriod(t, h)
		w.play(t)
		if !strings.Contains(string(page), "```text\n"+w.out.String()+"```") {
			t.Errorf("docs/finance.md says other numbers than these:\n%s", w.out.String())
		}
	})
}

// TestBillIsCalledOff: what waits to be confirmed is called off once, and its
// line comes back.
func TestBillIsCalledOff(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		w := newWechatPeriod(t, h)
		w.begin(t)
		cashier, at := h.keys[east][access.Cashier], "/v1/payouts/"+w.payout
		waiting := w.sayBills(t)[0]
		if waiting.Status != settlement.BillWaiting {
			t.Fatalf("got %+v", waiting)
		}
		h.want(t, 404, h.keys[west][access.Cashier], "POST "+at+"/bills/"+waiting.No+"/cancel", "{}")
		var called settlement.Bill
		for range 2 {
			if h.want(t, 202, cashier, "POST "+at+"/bills/"+waiting.No+"/cancel", "{}").into(t, &called); called.CalledBy != h.staffOf(t, access.Cashier) {
				t.Errorf("called off: %+v", called)
			}
		}
		drainSettlement(t, h)
		w.DB.Clock.Jump(10 * time.Minute)
		drainSettlement(t, h)
		if got := w.sayBills(t)[0]; got.No != waiting.No || got.Status != settlement.BillCancelled {
			t.Errorf("in the end: %+v", got)
		}
		var p struct {
			Lines database.Paged[settlement.PayoutLine]
		}
		h.want(t, 200, cashier, "GET "+at, "").into(t, &p)
		if l := p.Lines.Items[waiting.LineNo-1]; l.Status != settlement.PayoutLineFailed || l.Reason != "cancelled" {
			t.Errorf("its line: %+v", l)
		}
	})
}

type wechatPeriod struct {
	period
	platform *wechattest.Pay
	payout   string
}

func newWechatPeriod(t *testing.T, h *house) *wechatPeriod {
	t.Helper()
	pay := wechattest.New(t, h.DB.Clock.Now)
	h.Settlement.Bills = &settlement.Bills{Teller: pay.Client(t), MerchantID: wechattest.MerchantID, AppID: wechattest.AppID, Scene: "1000", Remark: "活动奖励",
		Infos: []wechat.Info{{Type: "活动名称", Content: "老友推荐"}, {Type: "奖励说明", Content: "邀请好友下单奖励"}}, Least: 10, Most: 5000_00, Rate: 1_000_000}
	return &wechatPeriod{period: period{house: h}, platform: pay}
}

// begin pays three people by bills, one of whom has to confirm his.
func (w *wechatPeriod) begin(t *testing.T) (people []string) {
	t.Helper()
	w.payer = w.make(t, access.Finance, "POST /v1/payers", fmt.Sprintf(`{"name":"晨光文化","strategy":"labor_2018","unit_id":%q,"mch_id":%q,"app_id":%q}`,
		w.units[east], wechattest.MerchantID, wechattest.AppID))
	for i, amount := range []money.Amount{3000_00, 500_00, 20_00} {
		m := member1(t, w.house)
		people = append(people, m)
		w.exec(t, "INSERT INTO identities (id, member_id, kind, app, value, created_at) VALUES (?, ?, 'openid', ?, ?, 1)", 900+i, readMember(t, m), wechattest.AppID, fmt.Sprintf("oMember%d", i))
		w.makeAs(t, tokenOf(t, w.house, m), "POST /v1/members/"+m+"/payee", `{"payee_type":"natural","name":"王小明","id_no":"11010519491231002X","account_kind":"wechat","consent_version":"payout-1"}`)
		clearReward(t, w.house, readMember(t, m), amount)
	}
	w.exec(t, "UPDATE payee_versions SET taxpayer_id = payee_id") // one number, so here three people
	w.exec(t, "UPDATE programs SET payer_id = ?", readPayer(t, w.payer))
	st := w.settle(t)
	cashier := w.keys[east][access.Cashier]
	w.payout = w.make(t, access.Cashier, "POST /v1/payouts", fmt.Sprintf(`{"settlement_id":%q,"channel":"wechat_bills"}`, st.ID))
	w.must(t, 202, cashier, "POST /v1/payouts/"+w.payout+"/pay", "{}")
	drainSettlement(t, w.house)
	return people
}

func (w *wechatPeriod) play(t *testing.T) {
	t.Helper()
	people := w.begin(t)
	w.sayPayout(t, "payout", w.payout)
	bills := w.sayBills(t)

	var shown struct{ Items []settlement.ToConfirm }
	w.call(t, tokenOf(t, w.house, people[0]), "GET /v1/members/"+people[0]+"/bills", "").into(t, &shown)
	if len(shown.Items) != 1 || shown.Items[0].No != bills[0].No || shown.Items[0].Package == "" || shown.Items[0].MerchantID != wechattest.MerchantID {
		t.Fatalf("to confirm: %+v", shown.Items)
	}
	if got := w.call(t, tokenOf(t, w.house, people[1]), "GET /v1/members/"+people[0]+"/bills", ""); got.status != http.StatusNotFound {
		t.Errorf("somebody else's bills: %d", got.status)
	}
	w.platform.Confirm(t, bills[0].No)
	if got := w.notice(t, bills[0].No, "x"); got != http.StatusUnauthorized {
		t.Errorf("a notice nobody signed: %d", got)
	}
	for range 2 { // it comes twice
		if got := w.notice(t, bills[0].No, ""); got != http.StatusNoContent {
			t.Errorf("a notice: %d", got)
		}
	}
	w.platform.Fail(t, bills[1].No, "REAL_NAME_CHECK_FAIL")
	w.DB.Clock.Jump(25 * time.Hour)
	drainSettlement(t, w.house)
	w.say("a day later")
	bills = w.sayBills(t)
	w.platform.Confirm(t, bills[3].No)
	w.DB.Clock.Jump(10 * time.Minute)
	drainSettlement(t, w.house)
	w.sayPayout(t, "in the end", w.payout)
	w.say("next        %d lines  gross %s", w.settle(t).LineCount, w.settled(t))
	w.balances(t, readMember(t, people[0]), "first member")
	proofs, err := settlement.Verify(bg, w.DB)
	for _, x := range proofs {
		if err != nil || len(x.Broken) > 0 {
			t.Errorf("%s: %v %v", x.ID, x.Broken, err)
		}
	}
}

// settled is the total of the newest settlement.
func (w *wechatPeriod) settled(t *testing.T) money.Amount {
	t.Helper()
	var list database.Paged[settlement.Settlement]
	w.call(t, w.keys[east][access.Finance], "GET /v1/settlements?limit=1", "").into(t, &list)
	return list.Items[0].Gross
}

// sayBills tells the bills by line and try.
func (w *wechatPeriod) sayBills(t *testing.T) []settlement.Bill {
	t.Helper()
	var list database.Paged[settlement.Bill]
	w.call(t, w.keys[east][access.Cashier], "GET /v1/payouts/"+w.payout+"/bills", "").into(t, &list)
	bills := make([]settlement.Bill, 0, len(list.Items))
	for i := range list.Items {
		b := list.Items[len(list.Items)-1-i]
		bills = append(bills, b)
		w.say("  bill      line %d  try %d  net %s  %s", b.LineNo, b.Try, b.Net, strings.TrimSpace(string(b.Status)+" "+b.Code))
	}
	return bills
}

// notice is the platform's request, over HTTP.
func (w *wechatPeriod) notice(t *testing.T, billNo, nonce string) int {
	t.Helper()
	r := w.platform.Notice(t, w.url+"/v1/channels/wechat-bills/notices", billNo)
	if nonce != "" {
		r.Header.Set("Wechatpay-Nonce", nonce)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	answers(t, r.Method, r.URL.Path, res.StatusCode, res.Header, body)
	return res.StatusCode
}
