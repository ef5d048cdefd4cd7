package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral"
	"siyu/referral/settlement"
	"siyu/referral/voucher"
)

// someDraft is a campaign that is not published, of the fields given.
func someDraft(h *house, more string) string {
	now := clock.MilliOf(h.DB.Clock.Now())
	return fmt.Sprintf(`{"kind":"flash_sale","name":"周一活动","starts_at":%q,"ends_at":%q,"items":[{"sku":"a","price_fen":9900,"stock":10}]%s}`, now, now.Add(24*time.Hour), more)
}

// TestCampaignPayer: the field in a draft, its copies and templates, and what
// is refused with which remedy.
func TestCampaignPayer(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer := h.keys[east][access.Marketer]
		h.did(t, 200, access.Marketer, "PUT /v1/products", `{"products":[{"sku":"a","name":"苹果","list_price_fen":19900}]}`)
		first, second := payerOf(t, h), payerOf(t, h)
		elsewhere := h.makeAs(t, h.keys[west][access.Finance], "POST /v1/payers", fmt.Sprintf(`{"name":"西区","unit_id":%q}`, h.units[west]))
		ofFirst := h.make(t, access.Marketer, "POST /v1/programs", fmt.Sprintf(`{"name":"老带新","payer_id":%q,"rules":%s}`, first, someRules))
		of := func(call, body string, header ...string) (cid, payer, etag string) {
			t.Helper()
			a := h.call(t, marketer, call, body, append(header, h.newKey())...)
			var c struct {
				ID      string `json:"id"`
				PayerID string `json:"payer_id"`
			}
			if a.into(t, &c); a.status/100 != 2 {
				t.Fatalf("%s: got %d %s", call, a.status, a.body)
			}
			return c.ID, c.PayerID, a.header.Get("ETag")
		}
		refuse := func(call, body, says string, header ...string) {
			t.Helper()
			if a := h.call(t, marketer, call, body, append(header, h.newKey())...); a.status != 422 || !strings.Contains(string(a.body), "payer_id") || !strings.Contains(string(a.body), says) {
				t.Errorf("%s %s: got %d %s, want 422 with %q", call, body, a.status, a.body, says)
			}
		}
		refuse("POST /v1/campaigns", someDraft(h, fmt.Sprintf(`,"payer_id":%q`, elsewhere)), "unknown_value")
		refuse("POST /v1/campaigns", someDraft(h, fmt.Sprintf(`,"payer_id":%q,"program_id":%q`, second, ofFirst)), first) // and says whose it is
		of("POST /v1/campaigns", someDraft(h, fmt.Sprintf(`,"payer_id":%q,"program_id":%q`, first, ofFirst)))

		c, payer, etag := of("POST /v1/campaigns", someDraft(h, fmt.Sprintf(`,"payer_id":%q`, first)))
		if payer != first {
			t.Errorf("made with %q", payer)
		}
		refuse("PATCH /v1/campaigns/"+c, fmt.Sprintf(`{"payer_id":%q}`, elsewhere), "unknown_value", "If-Match: "+etag)
		if _, payer, etag = of("PATCH /v1/campaigns/"+c, fmt.Sprintf(`{"payer_id":%q}`, second), "If-Match: "+etag); payer != second {
			t.Errorf("changed to %q", payer)
		}
		refuse("PATCH /v1/campaigns/"+c, fmt.Sprintf(`{"program_id":%q}`, ofFirst), "conflict", "If-Match: "+etag)
		for _, call := range []struct{ call, body string }{
			{"POST /v1/campaigns/" + c + "/copy", "{}"},
			{"POST /v1/campaign-templates/" + h.make(t, access.Marketer, "POST /v1/campaign-templates", fmt.Sprintf(`{"campaign_id":%q}`, c)) + "/drafts",
				fmt.Sprintf(`{"start_day":%d}`, shanghaiDay(h))},
		} {
			if _, payer, _ := of(call.call, call.body); payer != second {
				t.Errorf("%s: of %q", call.call, payer)
			}
		}
		if _, payer, _ = of("PATCH /v1/campaigns/"+c, `{"payer_id":""}`, "If-Match: "+etag); payer != "" {
			t.Errorf("taken away: %q", payer)
		}
		h.did(t, 200, access.Marketer, "POST /v1/campaigns/"+c+"/publish", "{}")
		_, _, etag = of("GET /v1/campaigns/"+c, "")
		refuse("PATCH /v1/campaigns/"+c, fmt.Sprintf(`{"payer_id":%q}`, first), "frozen", "If-Match: "+etag)
	})
}

// TestTwoPayersFromOrderToTaxReturn: two campaigns of one program, each with a
// payer of its own; no document, payment, month or sheet of one holds a fen of
// the other.
func TestTwoPayersFromOrderToTaxReturn(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		finance := h.keys[east][access.Finance]
		taxed := func(name, no string) string {
			return h.make(t, access.Finance, "POST /v1/payers", fmt.Sprintf(`{"name":%q,"tax_no":%q,"strategy":"labor_2018","cost_centre":"CC-1","unit_id":%q}`, name, no, h.units[east]))
		}
		payers := []string{taxed("晨光文化", "91350100M000100Y43"), taxed("海风商贸", "91350211M000100Y46")}
		program := h.make(t, access.Marketer, "POST /v1/programs", `{"name":"老带新","budget_fen":10000000,"rules":`+strings.Replace(someRules, ":500}", ":200000}", 1)+`}`)
		inviter := member1(t, h)
		for _, as := range []string{"staff", "natural"} { // what he gives last counts
			h.makeAs(t, tokenOf(t, h, inviter), "POST /v1/members/"+inviter+"/payee", strings.Replace(somePayee, "natural", as, 1))
		}
		invitee := tokenOf(t, h, member1(t, h))
		h.did(t, 200, access.Marketer, "PUT /v1/products", `{"products":[{"sku":"a","name":"苹果","list_price_fen":19900}]}`)
		bound, of := false, map[string]string{}
		for i, payer := range payers {
			c := h.make(t, access.Marketer, "POST /v1/campaigns", someDraft(h, fmt.Sprintf(`,"program_id":%q,"payer_id":%q`, program, payer)))
			h.did(t, 200, access.Marketer, "POST /v1/campaigns/"+c+"/publish", "{}")
			var made struct{ Items []struct{ ID string } }
			h.call(t, finance, "GET /v1/campaigns/"+c, "").into(t, &made)
			of[c] = payer
			if !bound {
				code := h.makeAs(t, tokenOf(t, h, inviter), "POST /v1/codes", fmt.Sprintf(`{"program_id":%q,"campaign_id":%q}`, program, c))
				h.makeAs(t, invitee, "POST /v1/codes/"+code+"/bind", `{}`)
				bound = true
			}
			for range i + 1 { // the first pays one reward, the second two
				order := h.makeAs(t, invitee, "POST /v1/campaigns/"+c+"/claims", fmt.Sprintf(`{"item_id":%q,"qty":1}`, made.Items[0].ID))
				h.did(t, 200, access.Mall, "POST /v1/orders/"+order+"/payments", fmt.Sprintf(`{"provider":"mall","payment_no":%q,"goods_fen":9900,"amount_fen":9900}`, order))
			}
		}
		h.DB.Clock.Jump(16 * 24 * time.Hour)
		reg := task.NewRegistry()
		h.Referral.Register(reg)
		if err := task.Drain(database.WithActor(bg, database.Actor{}), h.DB, reg); err != nil {
			t.Fatal(err)
		}
		var rewards database.Paged[referral.Reward]
		h.call(t, finance, "GET /v1/rewards", "").into(t, &rewards)
		for _, r := range rewards.Items {
			if r.PayerID.String() != of[r.CampaignID.String()] {
				t.Errorf("%s of %s is paid by %s", r.ID, r.CampaignID, r.PayerID)
			}
		}
		var settled []settlement.Settlement
		for i, payer := range payers {
			f := &period{house: h, payer: payer}
			st := f.settle(t)
			if settled = append(settled, st); st.LineCount != i+1 || st.PayerID.String() != payer {
				t.Errorf("settled: %d lines of %s", st.LineCount, st.PayerID)
			}
			p := f.pay(t, st)
			f.answer(t, p, fmt.Sprintf("1,%s,成功,", []string{"1760.00", "3360.00"}[i]))
			f.sayPayout(t, "payout", p)
			if want := []string{"gross 2000.00  tax 240.00  net 1760.00", "gross 4000.00  tax 640.00  net 3360.00"}[i]; !strings.Contains(f.out.String(), want) {
				t.Errorf("paid by %s: %s, want %s", payer, f.out.String(), want)
			}
			moved, err := campaign.PaidBetween(h.DB.Read(bg), []id.Payer{readPayer(t, payer)}, campaign.Moved{}, clock.MilliOf(h.DB.Clock.Now()), 10)
			if err != nil || len(moved) != i+1 {
				t.Errorf("in a tie-out: %+v, %v", moved, err)
			}
		}
		month := clock.MilliOf(h.DB.Clock.Now()).Time().In(time.FixedZone("", 8*3600)).Format("200601")
		h.DB.Clock.Jump(31 * 24 * time.Hour)
		for i, payer := range payers {
			h.did(t, 201, access.Finance, "POST /v1/payers/"+payer+"/closes", `{"month":`+month+`}`)
			sheet := string(h.call(t, finance, "GET /v1/payers/"+payer+"/tax-months/"+month+"/return?format=csv", "").body)
			own, other := []string{"2000.00", "4000.00"}[i], []string{"4000.00", "2000.00"}[i]
			if !strings.Contains(sheet, own) || strings.Contains(sheet, other) || strings.Contains(sheet, "6000.00") {
				t.Errorf("return of %s: %s", payer, sheet)
			}
		}
		vouchersByPayer(t, h, payers, settled)
		proofs, err := settlement.Verify(bg, h.DB)
		for _, x := range proofs {
			if err != nil || len(x.Broken) > 0 {
				t.Errorf("%s: %v %v", x.ID, x.Broken, err)
			}
		}
	})
}

// voucherSort is what a voucher line is of.
type voucherSort struct{ kind, payeeType, stage, owner string }

// vouchersByPayer closes the days and compares: the parts of payers and of
// nobody make up each day, each part balances, and a settlement's vouchers are
// what the ledger moved for it.
func vouchersByPayer(t *testing.T, h *house, payers []string, settled []settlement.Settlement) {
	t.Helper()
	finance := h.keys[""][access.Finance]
	var early voucher.Set
	h.call(t, finance, "GET /v1/settlements/"+settled[0].ID.String()+"/vouchers", "").into(t, &early)
	if early.Open != 3 || len(early.Lines) != 0 { // cleared, paid, arrived
		t.Errorf("before its days are closed: %+v", early)
	}
	if a := h.call(t, finance, "GET /v1/settlements/"+settled[0].ID.String()+"/vouchers/file", ""); a.status != 409 || !strings.Contains(string(a.body), "voucher.open") {
		t.Errorf("a file of nothing before its days are closed: got %d %s", a.status, a.body)
	}
	if err := h.Wallet.CloseDue(bg); err != nil {
		t.Fatal(err)
	}
	var days []int
	if err := h.DB.Read(bg).Raw("SELECT day_no FROM ledger_closes WHERE transfer_count > 0 ORDER BY no").Scan(&days).Error; err != nil {
		t.Fatal(err)
	}
	get := func(call string) voucher.Set {
		t.Helper()
		var set voucher.Set
		a := h.call(t, finance, "GET "+call, "")
		if a.into(t, &set); a.status != 200 {
			t.Fatalf("%s: got %d %s", call, a.status, a.body)
		}
		var debit, credit money.Amount
		for _, l := range set.Lines {
			debit, credit = debit+l.Debit, credit+l.Credit
		}
		if set.Debit != debit || set.Credit != credit || debit != credit || set.Count != len(set.Lines) {
			t.Errorf("%s: its lines are %d of %s and %s, it says %d, %s and %s", call, len(set.Lines), debit, credit, set.Count, set.Debit, set.Credit)
		}
		return set
	}
	add := func(to map[voucherSort]money.Amount, set voucher.Set, sign money.Amount) {
		for _, l := range set.Lines {
			k := voucherSort{l.Kind, l.PayeeType, l.Stage, l.OwnerKind}
			if to[k] += sign * (l.Credit - l.Debit); to[k] == 0 {
				delete(to, k)
			}
		}
	}
	ledger, bySettlement := map[voucherSort]money.Amount{}, map[voucherSort]money.Amount{}
	for _, day := range days {
		at := fmt.Sprintf("/v1/ledger/closes/%d/vouchers", day)
		if a := h.call(t, finance, "POST "+at, "{}", h.newKey()); a.status != 201 {
			t.Fatalf("vouchers of %d: got %d %s", day, a.status, a.body)
		}
		rest := map[voucherSort]money.Amount{}
		whole := get(at)
		add(rest, whole, 1)
		add(ledger, whole, 1)
		for _, part := range append([]string{"none", id.Payer(h.brand).String()}, payers...) {
			add(rest, get(at+"?payer_id="+part), -1)
			file := h.call(t, finance, "GET "+at+"/file?form=csv&payer_id="+part, "")
			if name := fmt.Sprintf("vouchers-%d-%s.csv", day, part); file.status != 200 || !strings.Contains(file.header.Get("Content-Disposition"), name) {
				t.Errorf("want a file %s, got %d %s", name, file.status, file.header.Get("Content-Disposition"))
			}
		}
		if len(rest) > 0 {
			t.Errorf("%d: its payers leave %v of the day", day, rest)
		}
	}
	for i, st := range settled {
		at := "/v1/settlements/" + st.ID.String() + "/vouchers"
		set := get(at)
		add(bySettlement, set, 1)
		sums := map[voucherSort]money.Amount{}
		add(sums, set, 1)
		if tax := sums[voucherSort{"payout", "natural", "tax", "member"}]; tax != []money.Amount{240_00, 640_00}[i] || set.PayerID.String() != payers[i] || set.CostCentre != "CC-1" || set.Open != 0 {
			t.Errorf("vouchers of %s: tax %s, %+v", st.ID, tax, set.Part)
		}
		for _, form := range []string{"kingdee_kis", "yonyou_u8", "csv"} {
			a := h.call(t, h.keys[east][access.Finance], "GET "+at+"/file?form="+form, "")
			if a.status != 200 || form == "csv" && !strings.Contains(string(a.body), ",CC-1,,"+st.ID.String()) {
				t.Errorf("%s: got %d %s", form, a.status, a.body)
			}
		}
	}
	// All that was cleared was settled and paid, so the settlements are what the
	// ledger moved in these kinds.
	for k, n := range ledger {
		if (k.kind == "reward_clear" || strings.HasPrefix(k.kind, "payout")) && bySettlement[k] != n {
			t.Errorf("%v: settlements say %s, the ledger moved %s", k, bySettlement[k], n)
		}
	}
	if a := h.call(t, h.keys[west][access.Finance], "GET /v1/settlements/"+settled[0].ID.String()+"/vouchers", ""); a.status != 404 {
		t.Errorf("from elsewhere: got %d", a.status)
	}
}
