package tieout

import (
	"errors"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"siyu/internal/fault"
	"siyu/internal/money"
)

func TestJudge(t *testing.T) {
	one := func(fen money.Amount) held { return held{1, fen} }
	for _, tt := range []struct {
		name string
		is   seen
		want Sort
		day  int
	}{
		{"three agree", seen{Kind: KindPayment, Mall: one(5), Siyu: one(5), Paper: one(5)}, Tied, 0},
		{"a sale of the mall's own", seen{Kind: KindPayment, Own: true, Mall: one(5), Paper: one(5)}, Tied, 0},
		{"its own, which Siyu has too", seen{Kind: KindPayment, Own: true, Mall: one(5), Siyu: one(6), Paper: one(5)}, Amounts, 0},
		{"a payout needs no mall", seen{Kind: KindPayout, Siyu: one(5), Paper: one(5)}, Tied, 0},
		{"a payout that no statement has", seen{Kind: KindPayout, Siyu: one(5)}, OnlySiyu, 0},
		{"only the mall", seen{Kind: KindRefund, Mall: one(5)}, OnlyMall, 0},
		{"only Siyu", seen{Kind: KindPayment, Siyu: one(5)}, OnlySiyu, 0},
		{"only the statement", seen{Kind: KindPayment, Paper: one(5)}, OnlyPaper, 0},
		{"no money came", seen{Kind: KindPayment, Mall: one(5), Siyu: one(5)}, NoPaper, 0},
		{"Siyu was not told", seen{Kind: KindPayment, Mall: one(5), Paper: one(5)}, NoSiyu, 0},
		{"the mall forgot it", seen{Kind: KindPayment, Siyu: one(5), Paper: one(5)}, NoMall, 0},
		{"the statement says less", seen{Kind: KindPayment, Mall: one(5), Siyu: one(5), Paper: one(4)}, Amounts, 0},
		{"Siyu says less", seen{Kind: KindPayment, Mall: one(5), Siyu: one(4), Paper: one(5)}, Amounts, 0},
		{"twice", seen{Kind: KindPayment, Mall: held{2, 10}, Siyu: one(10), Paper: one(10)}, MoreThanOne, 0},
		{"after midnight on the statement", seen{Kind: KindPayment, Mall: one(5), Siyu: one(5), Day: 20260302}, OtherDay, 20260302},
		{"two lack it, one has it elsewhere", seen{Kind: KindPayment, Mall: one(5), Day: 20260302}, OnlyMall, 0},
		{"two have it elsewhere", seen{Kind: KindPayment, Paper: one(5), MallDay: 20260228, SiyuDay: 20260228}, OtherDay, 20260228},
		{"of another payer", seen{Kind: KindPayment, Mall: one(5), Paper: one(5), Strange: true, SiyuDay: 20260301}, OtherPayer, 20260301},
		{"Siyu has it here and of another payer", seen{Kind: KindPayment, Siyu: one(5), Paper: one(5), Strange: true, SiyuDay: 20260301}, NoMall, 0},
	} {
		if got, day := judge(tt.is); got != tt.want || day != tt.day {
			t.Errorf("%s: got %q of %d, want %q of %d", tt.name, got, day, tt.want, tt.day)
		}
	}
}

// TestAReasonIsOfWhatItWasGivenFor: a difference keeps its reason through a run
// only while no side says anything else.
func TestAReasonIsOfWhatItWasGivenFor(t *testing.T) {
	was := Difference{Sort: Amounts, OtherDay: 1, MallLines: 1, Mall: 5, SiyuLines: 1, Siyu: 5, PaperLines: 1, Paper: 4, Reason: "少收", ExplainedBy: 7}
	if is := was; !was.same(is) {
		t.Error("the same one lost its reason")
	}
	for name, change := range map[string]func(*Difference){
		"sort": func(d *Difference) { d.Sort = NoMall }, "day": func(d *Difference) { d.OtherDay = 2 },
		"mall lines": func(d *Difference) { d.MallLines = 2 }, "mall": func(d *Difference) { d.Mall = 6 },
		"Siyu's lines": func(d *Difference) { d.SiyuLines = 2 }, "Siyu": func(d *Difference) { d.Siyu = 6 },
		"statement lines": func(d *Difference) { d.PaperLines = 2 }, "statement": func(d *Difference) { d.Paper = 3 },
	} {
		is := was
		if change(&is); was.same(is) {
			t.Errorf("%s: another one has its reason", name)
		}
	}
}

const trade = "交易时间,公众账号ID,商户号,微信订单号,商户订单号,用户标识,交易状态,应结订单金额,微信退款单号,商户退款单号,退款金额,订单金额,申请退款金额\r\n" +
	"`2026-03-01 10:00:00,`wx1,`190,`4200001,`pay-1,`oA,`SUCCESS,`99.00,`0,`0,`0.00,`99.00,`0.00\r\n" +
	"`2026-03-01 11:00:00,`wx1,`190,`4200001,`pay-1,`oA,`REFUND,`0.00,`5000001,`ref-1,`9.90,`0.00,`9.90\r\n"

func TestStatement(t *testing.T) {
	const day = 20260301
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(trade + "总交易单数,应结订单总金额\r\n`2,`99.00\r\n")
	if err != nil {
		t.Fatal(err)
	}
	read := func(form, body string, provider bool) ([]Line, error) {
		t.Helper()
		f, err := FindForm(form)
		if err != nil {
			t.Fatal(err)
		}
		return f.Read([]byte(body), day, provider)
	}
	for name, body := range map[string]string{"cut before its totals": trade, "GBK with totals": gbk} {
		lines, err := read("wechat_trade", body, false)
		if err != nil || len(lines) != 2 {
			t.Fatalf("%s: %v %+v", name, err, lines)
		}
		if a, b := lines[0], lines[1]; a.Kind != KindPayment || a.No != "pay-1" || a.Amount != 9900 || b.Kind != KindRefund || b.No != "ref-1" || b.Amount != 990 {
			t.Errorf("%s: %+v", name, lines)
		}
	}
	if lines, err := read("wechat_trade", trade, true); err != nil || lines[0].No != "4200001" || lines[1].No != "5000001" {
		t.Errorf("by the provider's numbers: %v %+v", err, lines)
	}
	fund := "记账时间,微信支付业务单号,业务名称,业务类型,收支类型,收支金额(元),业务凭证号\n`2026-03-01 01:00:00,`1,`商家转账,`商家转账,`支出,`25.60,`P7\n`2026-03-01 02:00:00,`2,`提现,`提现,`支出,`1000.00,`\n"
	if lines, err := read("wechat_fund", fund, false); err != nil || len(lines) != 2 || lines[0].Kind != KindPayout || lines[0].No != "P7" || lines[1].Kind != KindOther || lines[1].Amount != 100000 {
		t.Errorf("fund flow: %v %+v", err, lines)
	}
	for name, tt := range map[string]struct {
		form, body string
		want       *fault.Fault
	}{
		"cut off":          {"wechat_trade", trade + "总交易单数,应结订单总金额\n`3,`99.00\n", ErrCount},
		"another day":      {"generic", "kind,no,amount,at\npayment,a,1.00,2026-03-02 00:00:00\n", ErrDay},
		"no amount":        {"generic", "kind,no,amount,at\npayment,a,x,2026-03-01 00:00:00\n", ErrLine},
		"no number":        {"generic", "kind,no,amount,at\npayment,,1.00,2026-03-01 00:00:00\n", ErrLine},
		"an unknown kind":  {"generic", "kind,no,amount,at\ngift,a,1.00,2026-03-01 00:00:00\n", ErrLine},
		"no heads":         {"generic", "a,b\n1,2\n", ErrHeads},
		"no time":          {"generic", "kind,no,amount,at\npayment,a,1.00,soon\n", ErrLine},
		"three decimals":   {"generic", "kind,no,amount,at\npayment,a,1.001,2026-03-01 00:00:00\n", ErrLine},
		"a line too large": {"generic", string(make([]byte, BytesMax+1)), ErrLarge},
	} {
		if _, err := read(tt.form, tt.body, false); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	for name, tt := range map[string]struct {
		body string
		want *fault.Fault
	}{
		"a payout":         {"kind,no,order_id,amount_fen,at\npayout,a,,1,2026-03-01 00:00:00\n", ErrLine},
		"a wrong order":    {"kind,no,order_id,amount_fen,at\npayment,a,mem_1,1,2026-03-01 00:00:00\n", ErrLine},
		"no column of it":  {"kind,no,at\npayment,a,2026-03-01 00:00:00\n", ErrHeads},
		"the day before":   {"kind,no,order_id,amount_fen,at\npayment,a,,1,2026-02-28 23:59:59\n", ErrDay},
		"less than naught": {"kind,no,order_id,amount_fen,at\npayment,a,,-1,2026-03-01 00:00:00\n", ErrLine},
	} {
		if _, err := ReadMall([]byte(tt.body), day); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

func FuzzStatement(f *testing.F) {
	f.Add([]byte(trade))
	form, err := FindForm("wechat_trade")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		lines, err := form.Read(body, 20260301, false)
		for _, l := range lines {
			if err == nil && (l.Amount < 0 || !numbered(l.No) || l.At == 0) {
				t.Fatalf("%+v", l)
			}
		}
	})
}
