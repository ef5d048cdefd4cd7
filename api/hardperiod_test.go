package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/access"
	"siyu/internal/database"
	"siyu/referral/settlement"
)

// TestHardPeriod takes a period from order to reconciled through what goes wrong
// in one: refunds between every two steps, a payee who changes while his payment
// is on its way, a strategy that changes with the month half paid, and a bank
// that answers badly. All by REST, and after each act every proof holds.
func TestHardPeriod(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		p := newHardPeriod(t, h)
		p.play()
	})
}

// hardPeriod is four inviters, each owed 2,000 yuan for an order of one friend.
type hardPeriod struct {
	*period
	t       *testing.T
	members []string
	orders  []string
	wander  *wanderer
}

// itsNumbers are identity numbers of nobody, with their check digits.
var itsNumbers = []string{"110105194912310003", "110105194912310011", "11010519491231002X", "110105194912310038"}

// itsCards are accounts of nobody, the last for who changes his.
var itsCards = []string{"6222020000000000018", "6222020000000000026", "6222020000000000034", "6222020000000000042", "6222020000000000059"}

// hisPayee is what one of them gives: a number and an account of his own, which
// may change.
func hisPayee(who, account int) string {
	return strings.NewReplacer("11010519491231002X", itsNumbers[who], "6222020000000000000", itsCards[who+account]).Replace(somePayee)
}

func newHardPeriod(t *testing.T, h *house) *hardPeriod {
	p := &hardPeriod{period: &period{house: h}, t: t, wander: &wanderer{house: h, t: t}}
	p.payer = payerOf(t, h)
	program := h.make(t, access.Marketer, "POST /v1/programs", fmt.Sprintf(`{"name":"老带新","budget_fen":10000000,"payer_id":%q,"rules":%s}`,
		p.payer, strings.Replace(someRules, ":500}", ":200000}", 1)))
	c, item := campaignOf(t, h, "flash_sale", program)
	for i := range itsNumbers {
		m := member1(t, h)
		h.makeAs(t, tokenOf(t, h, m), "POST /v1/members/"+m+"/payee", hisPayee(i, 0))
		code := h.makeAs(t, tokenOf(t, h, m), "POST /v1/codes", fmt.Sprintf(`{"program_id":%q,"campaign_id":%q}`, program, c))
		friend := tokenOf(t, h, member1(t, h))
		h.makeAs(t, friend, "POST /v1/codes/"+code+"/bind", `{}`)
		order := h.makeAs(t, friend, "POST /v1/campaigns/"+c+"/claims", fmt.Sprintf(`{"item_id":%q,"qty":1}`, item))
		h.did(t, 200, access.Mall, "POST /v1/orders/"+order+"/payments", fmt.Sprintf(`{"provider":"mall","payment_no":"pay-%d","goods_fen":9900,"amount_fen":9900}`, i))
		p.members, p.orders = append(p.members, m), append(p.orders, order)
	}
	h.DB.Clock.Jump(16 * 24 * time.Hour)
	drainReferral(t, h)
	return p
}

// refund has the mall send so much of a member's friend's goods back.
func (p *hardPeriod) refund(who int, no string, goods int) {
	p.t.Helper()
	p.did(p.t, 200, access.Mall, "POST /v1/orders/"+p.orders[who]+"/refunds", fmt.Sprintf(`{"refund_no":%q,"amount_fen":%d,"goods_fen":%d,"qty":0}`, no, goods, goods))
}

// proven holds every proof to what stands.
func (p *hardPeriod) proven(when string) {
	p.t.Helper()
	for _, b := range p.wander.broken(p.t) {
		p.t.Errorf("%s: %s", when, b)
	}
}

// sees is what each member reads of his reward.
func (p *hardPeriod) sees() (out []string) {
	p.t.Helper()
	for _, m := range p.members {
		var list struct {
			Items []struct {
				State, Reason         string
				Amount, Taken, Netted int
			}
			Sums memberSums
		}
		p.call(p.t, tokenOf(p.t, p.house, m), "GET /v1/members/"+m+"/rewards", "").into(p.t, &list)
		for _, r := range list.Items {
			out = append(out, fmt.Sprintf("%s %s %d, taken %d, netted %d; due %s, paid %s", r.State, r.Reason, r.Amount, r.Taken, r.Netted, list.Sums.Available, list.Sums.Paid))
		}
	}
	return out
}

func (p *hardPeriod) want(what string, got any, want ...string) {
	p.t.Helper()
	if diff := cmp.Diff(any(want), got); diff != "" {
		p.t.Errorf("%s: %s", what, diff)
	}
}

func (p *hardPeriod) play() {
	t, h := p.t, p.house
	finance, second, cashier := h.keys[east][access.Finance], h.keys[east][access.Admin], h.keys[east][access.Cashier]
	made := h.make(t, access.Finance, "POST /v1/settlements", fmt.Sprintf(`{"unit_id":%q,"payer_id":%q,"label":"2026-03"}`, h.units[east], p.payer))
	h.DB.Clock.Jump(time.Hour)
	var early settlement.Preview
	h.call(t, finance, "GET /v1/settlements/"+made+"/preview", "").into(t, &early)
	if early.Gross != 8000_00 || early.LineCount != 4 {
		t.Errorf("preview: %+v", early)
	}
	p.refund(0, "r-0", 4950) // in time for the closing
	h.DB.Clock.Jump(10 * time.Minute)
	p.refund(1, "r-1", 4950) // too late for it
	h.want(t, 202, finance, "POST /v1/settlements/"+made+"/close", "{}")
	drainSettlement(t, h)
	p.proven("closed")
	p.refund(2, "r-2", 4950) // between closing and review
	var st settlement.Settlement
	h.call(t, finance, "GET /v1/settlements/"+made, "").into(t, &st)
	if st.Gross != 7000_00 || st.LineCount != 5 {
		t.Errorf("closed: %s in %d lines", st.Gross, st.LineCount)
	}
	h.want(t, 200, second, "POST /v1/settlements/"+made+"/review", fmt.Sprintf(`{"digest":%q}`, st.Digest))
	pay := h.make(t, access.Cashier, "POST /v1/payouts", fmt.Sprintf(`{"settlement_id":%q,"channel":"bank_generic"}`, made))
	h.want(t, 202, cashier, "POST /v1/payouts/"+pay+"/pay", "{}")
	drainSettlement(t, h)
	p.refund(3, "r-3", 9900) // its money is on the way
	// The fourth changes his account meanwhile; what is on its way goes where it went.
	before := string(h.want(t, 200, cashier, "GET /v1/payouts/"+pay+"/file", "").body)
	payee := h.makeAs(t, tokenOf(t, h, p.members[3]), "POST /v1/members/"+p.members[3]+"/payee", hisPayee(3, 1))
	h.want(t, 200, second, "POST /v1/payees/"+payee+"/approve", `{"no":2}`)
	if after := string(h.want(t, 200, cashier, "GET /v1/payouts/"+pay+"/file", "").body); after != before {
		t.Errorf("the file made again after a change of payee differs:\n%s\n%s", before, after)
	}
	p.proven("on its way")
	p.want("on its way", p.sees(),
		"paying sent 100000, taken 100000, netted 0; due 0.00, paid 0.00",
		"paying sent 100000, taken 100000, netted 100000; due -1000.00, paid 0.00",
		"paying sent 100000, taken 100000, netted 100000; due -1000.00, paid 0.00",
		"clawed_back refunded 200000, taken 200000, netted 200000; due -2000.00, paid 0.00")
	p.answer(t, pay, "1,960.00,成功,", "1,960.00,成功,", "9,1.00,成功,", "2,1760.01,成功,", "3,1760.00,失败,户名不符", "4,1760.00,成功,")
	p.want("the bank's answer", p.outcomes(pay, 1), "paid", "twice", "no_such_line", "amount_differs", "failed", "paid")
	p.proven("answered")
	p.answer(t, pay, "2,一千七百六十,成功,")
	p.want("an amount that is none", p.outcomes(pay, 2), "amount_differs")
	p.answer(t, pay, "2,1760.00,成功,")
	// An objection to what is paid holds nothing, and is answered.
	object := h.makeAs(t, tokenOf(t, h, p.members[0]), "POST /v1/members/"+p.members[0]+"/objections", fmt.Sprintf(`{"settlement_id":%q,"line":1,"reason":"少算"}`, made))
	p.want("answered", p.sees(),
		"paid arrived 100000, taken 100000, netted 0; due 0.00, paid 960.00",
		"paid partly_back 100000, taken 100000, netted 100000; due -1000.00, paid 1760.00",
		"available came_back 100000, taken 100000, netted 0; due 1000.00, paid 0.00",
		"clawed_back refunded 200000, taken 200000, netted 200000; due -2000.00, paid 1760.00")
	var payer struct{ Version int }
	a := h.call(t, finance, "GET /v1/payers/"+p.payer, "")
	a.into(t, &payer)
	h.want(t, 200, finance, "PUT /v1/payers/"+p.payer, fmt.Sprintf(`{"name":"晨光文化","strategy":"external_agent","unit_id":%q}`, h.units[east]), "If-Match: "+a.header.Get("ETag"))
	next := p.settle(t)
	lines := h.lines(t, next.ID.String())
	p.want("the next settlement", lines,
		"clawback -1000.00", "clawback -1000.00", "clawback -2000.00", "failed 2000.00", "deferred 1000.00", "deferred 2000.00")
	p.proven("carried")
	paid := p.pay(t, next)
	p.sayPayout(t, "carried", paid)
	// March has begun for him by the old rule.
	p.want("paid after the change of strategy", strings.Split(strings.TrimSpace(p.out.String()), "\n"),
		"carried     sent  gross 1000.00  tax 40.00  net 960.00", "  line 1    owed 1000.00  tax 40.00  net 960.00  sent")
	p.answer(t, paid, "1,960.00,成功,")
	h.want(t, 200, finance, "POST /v1/objections/"+object+"/answer", `{"answer":"退款已扣"}`)
	p.want("in the end", p.sees(),
		"paid arrived 100000, taken 100000, netted 0; due 0.00, paid 960.00",
		"paid partly_back 100000, taken 100000, netted 100000; due -1000.00, paid 1760.00",
		"paid arrived 100000, taken 100000, netted 0; due 0.00, paid 960.00",
		"clawed_back refunded 200000, taken 200000, netted 200000; due -2000.00, paid 1760.00")
	if a := h.call(t, finance, "GET /v1/settlements/"+next.ID.String(), ""); a.status != http.StatusOK || !strings.Contains(string(a.body), `"status":"paid"`) {
		t.Errorf("the settlement: %s", a.body)
	}
	p.proven("in the end")
}

// outcomes are what the lines of a bank's answer did.
func (p *hardPeriod) outcomes(payout string, no int) (out []string) {
	p.t.Helper()
	var rows struct{ Items []struct{ Outcome string } }
	p.call(p.t, p.keys[east][access.Cashier], fmt.Sprintf("GET /v1/payouts/%s/imports/%d/rows", payout, no), "").into(p.t, &rows)
	for _, r := range rows.Items {
		out = append(out, r.Outcome)
	}
	return out
}

// lines are a settlement's, each as its kind and sum.
func (h *house) lines(t *testing.T, sid string) (out []string) {
	t.Helper()
	var list database.Paged[settlement.Line]
	h.call(t, h.keys[east][access.Finance], "GET /v1/settlements/"+sid+"/lines", "").into(t, &list)
	for _, l := range list.Items {
		out = append(out, fmt.Sprintf("%s %s", l.Kind, l.Gross))
	}
	return out
}
