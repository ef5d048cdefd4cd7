package web

import (
	"fmt"
	"slices"
	"time"

	"siyu/campaign"
	"siyu/internal/clock"
)

const (
	longName = "明前特级西湖龙井狮峰山核心产区手工炒制礼盒装 250g 限量编号版"
	longEN   = "Numbered spring Longjing from Lion Peak, hand-fired, gift box of 250 grams"
)

// saleGallery are the flash sale's pages of today's states.
func saleGallery(flash landingPage) []shown {
	now := noon()
	session := sessionView{Times: "10:00–12:00、20:00–22:00", Days: "每天", Zone: "北京时间", Until: now.Add(time.Hour), Next: now.Add(10 * time.Hour)}
	open := flash
	open.Notice, open.Session, open.Strong = nil, session, true
	open.Items = []itemView{{ID: 11 << 30, Name: longName, Price: 12_800_00, List: 16_800_00, Stock: 2000, Left: 7, Rest: 1600, Session: 50, PerMember: 2, PerOrder: 2, Art: 1}}
	open.Chosen = open.Items[0]
	open.Early = earlyView{From: now.Add(-time.Hour), Open: true}
	open.Offer = meansView{FormID: "take", Points: 123456, Part: "12.5%", Used: "3000", Coupon: "mcp_1", Coupons: []couponView{{ID: "mcp_1", Label: "春茶上新会员专享大额优惠券（全场通用） · 满 ¥10,000.00 减 ¥1,500.00"}},
		Quote: &quoteView{Sum: 1280000, Coupon: 150000, Points: 3000, Payable: 1127000}}
	out := open
	out.State, out.Offer, out.Early = "session_out", meansView{}, earlyView{}
	out.Items = []itemView{open.Items[0]}
	out.Items[0].Left = 0
	out.Chosen, out.Remind, out.Clock.Until = out.Items[0], session.Next, session.Next
	out.Notice = &notice{Text: "本场已抢完，请等下一场", More: "下一场 3月2日 20:00"}
	line := flash
	line.State, line.Notice, line.Strong = "sold_out", nil, true
	line.Items = []itemView{{ID: 11 << 30, Name: longName, Price: 2900, Stock: 20, PerMember: 1, PerOrder: 1}, {ID: 12 << 30, Name: "护手霜", Price: 2900, Stock: 20}, {ID: 13 << 30, Name: "香皂", Price: 900, Stock: 20}}
	line.Chosen = line.Items[0]
	line.Line = &lineView{PayWithin: 15 * time.Minute, Rows: []lineRow{
		{Item: longName, ID: 11 << 30, Wait: 1 << 40, Text: "第 1284 位", Waiting: true, Leave: true}, {Item: "护手霜", ID: 12 << 30, Join: true},
		{Item: "香皂", Wait: 2 << 40, Text: "轮到你了，已为你下单", Order: "/o/x"}, {Item: "香皂", Wait: 3 << 40, Text: "轮到时已不符合条件，没有下单", More: "已买到限购的件数", Join: true, Login: true},
	}}
	return slices.Concat(bilingual("session", open), bilingual("session_out", out), bilingual("line", line))
}

// bilingual shows the page in both languages; what somebody else wrote on it
// stays in its own.
func bilingual(file string, p landingPage) []shown {
	en := p
	en.Lang = langEN
	return []shown{{file, "landing", p.page, p}, {file + "_en", "landing", en.page, en}}
}

func sampleSteps() *stepsView {
	v := &stepsView{Measured: noon(), Maturing: 3, StayDays: 7, NextStay: noon().Add(50 * time.Hour), Rows: []stepRow{
		{What: "1 位好友进群留满 7 天", Gift: "50 积分", Have: 1, Count: 1, State: "已发放", Tone: "good", More: "3月1日 09:00"},
		{What: "3 位好友下单付款", Gift: "优惠券「老带新专享满减券」", Have: 3, Count: 3, State: "已达成", More: "3月9日 10:00 可领"},
		{What: "5 位好友进群留满 7 天", Gift: "手作紫砂保温杯礼盒（刻字） ×1", Have: 3, Count: 5, State: "还差 2 位", Tone: "dim", More: "达成 3 天后发放"},
		{What: "20 位好友下单付款", Gift: longName + " ×1", Have: 3, Count: 20, State: "还差 17 位", Tone: "dim"},
	}}
	v.Next = &v.Rows[2]
	return v
}

// inviteGallery is the page of one's own code, and the console's of a campaign.
func inviteGallery(base landingPage) []shown {
	p := base
	p.Kind, p.Name, p.Items, p.Teams, p.Sizes, p.Own, p.Hue, p.Chosen = "referral", "老带新 · 邀好友进群", nil, nil, nil, true, 1, itemView{}
	p.Banner = drawBanner("referral", 5, 0)
	p.Steps = sampleSteps()
	p.Board = &boardView{By: "按留下的好友", Measured: noon(), Rows: []boardRow{{1, "王*", 128, false}, {2, "李*", 96, false}, {2, "A*", 96, false}}, Own: &boardRow{1024, "赵*", 3, true}}
	return bilingual("steps", p)
}

func consoleGallery() []shown {
	var list []shown
	for _, lang := range []string{langZH, langEN} {
		p := sampleCampaign(lang)
		list = append(list, shown{"campaign_" + lang, "campaign", p.page, p})
	}
	reviews := sampleReviews()
	list = append(list, shown{"reviews", "reviews", reviews.page, reviews})
	for _, lang := range []string{langZH, langEN} {
		p := sampleLedger(lang)
		days, bills := sampleTieOuts(lang), sampleBills(lang)
		list = append(list, shown{"ledger_" + lang, "ledger", p.page, p}, shown{"tieouts_" + lang, "tieouts", days.page, days}, shown{"bills_" + lang, "bills", bills.page, bills})
		asked, koc := sampleRequested(lang), sampleKOC(lang)
		list = append(list, shown{"withdrawals_" + lang, "withdrawals", asked.page, asked}, shown{"koc_" + lang, "koc", koc.page, koc})
	}
	return list
}

func sampleCampaign(lang string) campaignPage {
	now := noon()
	name := longName
	if lang == langEN {
		name = longEN
	}
	p := campaignPage{page: base(lang, "活动"), Name: name, Kind: kindName(lang, "flash_sale"), State: choose(lang, "已结束", "ended"), Tone: "dim", From: now.Add(-72 * time.Hour), To: now}
	p.Figures = []figure{{choose(lang, "订单", "Orders"), "1,284"}, {choose(lang, "已付款", "Paid"), "1,001"}, {choose(lang, "付款率", "Paid of made"), "77.96%"}, {choose(lang, "净额", "Net"), "¥1,234,567.89"}}
	p.Funnel = funnelBars(lang, campaign.FunnelSteps{Touches: 12840, Bindings: 3200, Orders: 1284, Paid: 1001, Refunded: 12})
	p.Groups = []chartBar{{Name: "西湖茶友群", Value: choose(lang, "扫码 %d · 付款 %d", "%d scans · %d paid", 8000, 700), N: 700}, {Name: name, Value: choose(lang, "扫码 %d · 付款 %d", "%d scans · %d paid", 12, 3), N: 3}}
	scale(p.Groups)
	var rows []campaign.FunnelRow
	for i := range 60 {
		n := int64(i*7%23) * int64(i%5)
		rows = append(rows, campaign.FunnelRow{HourAt: clock.MilliOf(now.Add(time.Duration(i-60) * time.Hour).Truncate(time.Hour)), FunnelSteps: campaign.FunnelSteps{Orders: n, Paid: n * 3 / 4}})
	}
	p.Hours = drawHours(lang, now, shanghai, rows)
	p.Items = []stockRow{{name, 300, 120, 54, 126}}
	for _, a := range (campaign.Targets{PaidOrders: 1000, Pieces: 4000, Net: 200000000}).Beside(1001, 1200, 123456789) {
		p.Targets = append(p.Targets, targetOf(lang, a))
	}
	p.Report = &reportView{Figures: p.Figures, Best: []figure{{choose(lang, "成交最多的一小时", "Best hour"), "3月1日 20:00 · 128 单 ¥12,345.00"}, {choose(lang, "成交最多的群", "Best group"), name + " · 12 单 ¥1.00"}},
		Last: name, Beside: []besideRow{beside(choose(lang, "净额", "Net"), 123456789, 98765432, "¥1,234,567.89", "¥987,654.32"), beside(choose(lang, "件数", "Pieces"), 3, 12, "3", "12")},
		Advice: []string{"“" + name + "”售罄：下次增加库存，或开放候补", "1284 笔订单中有 283 笔未付款：缩短付款时限，并在到期前提醒", "一位推荐人带来 61.2% 的净额：给更多会员发邀请码"}}
	p.Steps = &stepsDesk{Tripped: true, Kept: choose(lang, "最近 %d 位中留下 %d 位", "%[2]d of the last %[1]d were kept", 50, 12), Figures: []figure{{choose(lang, "已给奖励", "Rewards given"), "12 / 100"}},
		Goods: []goodsRow{{ID: 5 << 40, Member: 7 << 40, Name: "王*", What: fmt.Sprintf("%s ×%d", name, 1), Step: 3, Reached: now}}}
	return p
}
