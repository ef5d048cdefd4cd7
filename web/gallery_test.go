package web

import (
	"bytes"
	"cmp"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"siyu/campaign/groupbuy"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/wallet"
)

// shown is one page of the gallery.
type shown struct {
	file, name string
	base       page
	data       any
}

var shanghai = time.FixedZone("CST", 8*3600)

func noon() time.Time { return time.Date(2026, 3, 2, 10, 0, 0, 0, shanghai) }

func base(lang, title string) page {
	return page{Lang: lang, Title: title, Now: noon(), Other: "?lang=en", Form: "form", Key: "key"}
}

func sampleTeam(now time.Time, size int, names ...string) teamView {
	v := teamView{ID: id.Team(1 << 40), Opener: names[0], Size: size, Missing: size - len(names), Clock: countdown{Until: now.Add(3*time.Hour + 22*time.Minute + 9*time.Second), Now: now, Plain: true}}
	for i := range size {
		if i < len(names) {
			v.Seats = append(v.Seats, seatView{Name: names[i], Opener: i == 0, Held: i == 2})
		} else {
			v.Seats = append(v.Seats, seatView{})
		}
	}
	return v
}

func sampleLanding(lang string) landingPage {
	now := noon()
	items := []itemView{
		{ID: 11 << 30, Name: "明前龙井 50g 尝鲜装", Price: 3990, List: 6800, Stock: 300, Left: 126, PerMember: 2, PerOrder: 2, Art: 0},
		{ID: 12 << 30, Name: "安吉白茶 100g 礼罐", Price: 8800, List: 12800, Stock: 120, Left: 31, PerOrder: 3, Art: 1},
	}
	p := landingPage{
		page: base(lang, "春茶尝鲜拼团"), Code: "8K3Q-7TZP", Name: "春茶尝鲜 · 三人成团", Kind: "group_buy", State: "open",
		Banner: drawBanner("group_buy", 7, 3), Clock: countdown{Until: now.Add(51*time.Hour + 12*time.Minute + 9*time.Second), Now: now},
		Inviter: "王*", Items: items, Chosen: items[0], Qty: 1, Sizes: []groupbuy.Size{{Size: 3}}, Size: 3, TeamFor: 24 * time.Hour,
		Teams:     []teamView{sampleTeam(now, 3, "李*", "陈*"), sampleTeam(now, 3, "赵*")},
		Gifts:     []giftView{{Who: "你（被邀请）", Amount: 500, Note: "首单付款后"}, {Who: "王*（邀请人）", Amount: 800, Note: "同一张订单"}},
		GiftRules: []string{"你付款后记下，确认收货满 7 天（没有收货记录则付款满 15 天）后可结算。", "订单退款，奖励按比例取消。只奖励直接邀请，不看层级。"},
		Charter:   &charterView{Group: "西湖茶友群", Version: 3, Pact: "signed", Purpose: "一起喝春茶、聊产地、团好茶。", AdsPerDay: 1, AdsPerWeek: 2, Quiet: true, QuietFrom: "22:00", QuietTo: "08:30"},
		StartsAt:  now.Add(-2 * time.Hour), EndsAt: now.Add(51*time.Hour + 12*time.Minute), ZoneName: "北京时间", PayWithin: 15 * time.Minute,
		LoginURL: "https://mall.example/login", NeedsLogin: true, Strong: true,
	}
	if lang == langEN {
		p.Name, p.Title = "First spring tea, teams of three", "First spring tea"
		p.Inviter, p.Charter.Group, p.ZoneName = "L*", "West Lake tea friends", "Beijing time"
		p.Items[0].Name, p.Items[1].Name = "Longjing 50 g taster", "Anji white tea 100 g tin"
		p.Gifts[0].Who, p.Gifts[0].Note, p.Gifts[1].Who, p.Gifts[1].Note = "You, invited", "on your first order", "L*, inviter", "for the same order"
		p.GiftRules = []string{"Noted when you have paid; due 7 days after you received the goods, or 15 days after payment without a receipt.", "A refund takes its share back. Only direct invitations count."}
		p.Charter = &charterView{Group: p.Charter.Group, Version: 3, Pact: "signed", Purpose: "Tea, its places, and good buys together.", AdsPerDay: 1, AdsPerWeek: 2, Quiet: true, QuietFrom: "22:00", QuietTo: "08:30"}
	}
	return p
}

func gallery() []shown {
	now := noon()
	group, english := sampleLanding(langZH), sampleLanding(langEN)
	flash := sampleLanding(langZH)
	flash.Kind, flash.Name, flash.Teams, flash.Hue, flash.Sizes = "flash_sale", "女神节限时抢购", nil, 2, nil
	flash.Banner = drawBanner("flash_sale", 13, 0)
	flash.Items = []itemView{{ID: 11 << 30, Name: "玫瑰精油护手霜 三支装", Price: 2900, List: 8900, Stock: 200, Left: 17, PerMember: 1, PerOrder: 1, Art: 2}}
	flash.Chosen, flash.Strong = flash.Items[0], false
	flash.Notice = &notice{Text: "这件商品每人限购，请先登录商城会员", Link: flash.LoginURL}
	soon := sampleLanding(langZH)
	soon.State, soon.Hue, soon.Teams, soon.Clock.Until, soon.StartsAt = "soon", 1, nil, now.Add(90*time.Minute), now.Add(90*time.Minute)
	sold := flash
	sold.State, sold.Hue, sold.Notice = "sold_out", 3, nil
	sold.Items = []itemView{flash.Items[0]}
	sold.Items[0].Left = 0
	sold.Chosen = sold.Items[0]

	team := sampleTeam(now, 3, "李*", "陈*")
	team.Big = true
	team.Seats[1].Held, team.Seats[1].You = true, false
	order := orderPage{page: base(langZH, "我的订单"), ID: 99 << 40, Campaign: group.Name, Item: group.Items[0].Name, Qty: 1, UnitPrice: 3990, Amount: 3990, CreatedAt: now.Add(-2 * time.Minute),
		Mood: "wait", StateText: "等你付款", StateMore: "付款后占住席位", Clock: &countdown{Until: now.Add(13 * time.Minute), Now: now}, PayURL: "https://mall.example/pay", Waiting: true}
	ot := sampleTeam(now, 3, "李*", "陈*")
	ot.Text, ot.Href = "还差 1 人", "/t/x"
	order.Team = &ot
	refunded := order
	refunded.Mood, refunded.StateText, refunded.StateMore, refunded.Clock, refunded.PayURL, refunded.Team = "gone", "没有成团，已退款", "到时人数不够，付款全部原路退回", nil, "", nil
	refunded.Refunds = []refundView{{No: "R-20260302-0001", At: now.Add(-time.Hour), Amount: 3990, Done: true, Text: "已退回"}}
	me := mePage{page: base(langZH, "我的奖励"), Name: "王*", Sums: []sumView{{"待生效", 1600, true}, {"可提现", 1200, false}, {"打款中", 1500, true}, {"已到账", 128800, true}},
		Rewards: sampleRewards(langZH),
	}
	meEN := me
	meEN.page, meEN.Name, meEN.Rewards = base(langEN, "My rewards"), "W*", sampleRewards(langEN)
	meEN.Sums = sums(langEN, wallet.Wallet{})
	tp := teamPage{page: base(langZH, "李* 的团"), Campaign: group.Name, Team: team, Item: group.Items[0], Mood: "wait", StateText: "还差 1 人成团", StateMore: "满 3 人付款即成团，先到先得", CanJoin: true, Need: 3, QR: true,
		Share: "我在拼「春茶尝鲜」,3 人成团 ¥39.90,还差 1 人:\nhttps://s.example/t/tem_0000000000001"}
	gone := plainPage{page: base(langZH, "邀请码无效"), Head: "这个邀请码用不了", Body: "可能输错了、过期了，或已被收回。请向邀请你的人要一个新的。"}
	console := consolePage{page: base(langZH, "控制台"), Role: "管理员", SeesMoney: true, SeesGroups: true, SeesReviews: true, SeesPlan: true, SeesBooks: true,
		Campaigns: []campaignRow{
			{Name: "春茶尝鲜 · 三人成团", Kind: "拼团", State: "进行中", Tone: "good", From: now, To: now.Add(72 * time.Hour), Items: []stockRow{{"明前龙井 50g 尝鲜装", 300, 120, 54, 126}, {"安吉白茶 100g 礼罐", 120, 80, 9, 31}}},
			{Name: "女神节限时抢购", Kind: "限时抢购", State: "待开始", From: now, To: now.Add(72 * time.Hour), Items: []stockRow{{"玫瑰精油护手霜 三支装", 200, 0, 0, 200}}},
		},
		Groups:      []groupRow{{Name: "西湖茶友群", Preset: "兴趣群", Used: 1, Cap: 2, Quiet: "22:00–08:30"}, {Name: "滨江门店福利群", Preset: "门店福利群", Used: 15, Cap: 15, Full: true, Quiet: "21:30–07:00"}},
		Decisions:   []decisionRow{{Group: "西湖茶友群", Outcome: "推迟", Why: "离最近一条推广 20 小时，至少隔 48 小时；最早 3月3日 14:00", When: now, Times: 2}, {Group: "滨江门店福利群", Outcome: "不发", Tone: "dim", Why: "当周已占 15 条，群约定每周最多 15 条", When: now, Times: 1}, {Group: "城东新客群", Outcome: "放行", Tone: "good", When: now, Times: 1}},
		Settlements: []settlementRow{{Label: "2026-02 邀请奖", State: "待审核", Lines: 128, Net: 102400, Cut: now, Mark: "9f3a01bc"}},
	}
	me.Goals = []goalView{{Name: "老带新 · 邀好友进群", Href: "/i/x", Steps: sampleSteps()}}
	tp.Offer = meansView{FormID: "join", Points: 1200, Part: "10%", Coupons: []couponView{{ID: "mcp_1", Label: "新茶券 · 减 ¥10.00"}}, Quote: &quoteView{Sum: 3990, Refused: "此单最多可用 399 积分"}}
	tq := tp
	tq.Offer.Quote = &quoteView{Sum: 3990, Coupon: 1000, Payable: 2990}
	login := loginPage{page: base(langZH, "控制台登录")}
	list := append(saleGallery(flash), inviteGallery(group)...)
	list = append(list, consoleGallery()...)
	list = append(list, planGallery()...)
	list = append(list, groupGallery()...)
	list = append(list, weekGallery()...)
	list = append(list, healthGallery()...)
	list = append(list, lifeGallery()...)
	list = append(list, promoterGallery()...)
	list = append(list, payeeGallery(me)...)
	list = append(list, insightGallery()...)
	list = append(list, exposureGallery()...)
	list = append(list, moneyGallery()...)
	list = append(list, workGallery()...)
	list = append(list, scanGallery()...)
	list = append(list, payersGallery()...)
	list = append(list, vouchersGallery()...)
	list = append(list, taxesGallery()...)
	list = append(list, workDoorGallery()...)
	list = append(list, approvalsGallery()...)
	list = append(list, settlementsGallery()...)
	list = append(list, secondGallery()...)
	return append(list, []shown{
		{"console", "console", console.page, console}, {"login", "login", login.page, login},
		{"landing", "landing", group.page, group}, {"landing_en", "landing", english.page, english},
		{"flash", "landing", flash.page, flash}, {"soon", "landing", soon.page, soon}, {"sold", "landing", sold.page, sold},
		{"order", "order", order.page, order}, {"refunded", "order", refunded.page, refunded},
		{"team", "team", tp.page, tp}, {"team_quoted", "team", tq.page, tq}, {"me", "me", me.page, me}, {"me_en", "me", meEN.page, meEN}, {"gone", "plain", gone.page, gone},
	}...)
}

// TestGallery prints every page; with SIYU_GALLERY set it leaves them there
// with their assets beside them, to be looked at.
func TestGallery(t *testing.T) {
	files := printed(t)
	dir := os.Getenv("SIYU_GALLERY")
	if dir == "" {
		return
	}
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// printed are the pages of the gallery and their assets by file name.
func printed(t *testing.T) map[string][]byte {
	t.Helper()
	p, err := newPress()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for name, a := range p.shelf.byName {
		files[name] = a.body
	}
	for _, g := range gallery() {
		var b bytes.Buffer
		if err := p.print(&b, g.name, g.base, g.data); err != nil {
			t.Fatalf("%s: %v", g.file, err)
		}
		text := b.String()
		for name, a := range p.shelf.byName {
			text = strings.ReplaceAll(text, a.href, name)
		}
		files[g.file+".html"] = []byte(text)
	}
	return files
}

// ruler measures every page of the gallery in a frame of a small phone's width.
const ruler = `<!doctype html><body>%s<script>
window.onload = function () {
  var list = document.querySelectorAll('iframe'), out = [];
  for (var i = 0; i < list.length; i++) {
    var doc = list[i].contentDocument, wide = doc.documentElement.scrollWidth, who = '';
    var all = doc.body.querySelectorAll('*');
    for (var k = 0; wide > 360 && k < all.length; k++) {
      if (all[k].getBoundingClientRect().right > 361) { who += ' ' + all[k].tagName + '.' + all[k].getAttribute('class'); }
    }
    out.push('[' + list[i].title + ' ' + wide + who + ']');
  }
  document.body.textContent = out.join('');
};
</script>`

// TestNothingScrollsSideways: at 360 pixels no page is wider than the phone.
func TestNothingScrollsSideways(t *testing.T) {
	files := printed(t)
	frames, pages := "", 0
	for name := range files {
		if strings.HasSuffix(name, ".html") {
			frames += fmt.Sprintf(`<iframe src="/%s" title=%q width="360" height="700" style="border:0"></iframe>`, name, name)
			pages++
		}
	}
	dom := browse(t, files, fmt.Sprintf(ruler, frames))
	found := regexp.MustCompile(`\[(\S+) (\d+)([^\]]*)\]`).FindAllStringSubmatch(dom, -1)
	if len(found) != pages {
		t.Fatalf("measured %d of %d pages:\n%s", len(found), pages, dom)
	}
	for _, f := range found {
		if f[2] != "360" {
			t.Errorf("%s is %s pixels wide, not 360:%s", f[1], f[2], f[3])
		}
	}
}

// browse is the page over the gallery's files after its script ran.
func browse(t *testing.T, files map[string][]byte, page string) string {
	t.Helper()
	program := dbtest.Need(t, "chromium")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		body, ok := files[name]
		if name == "" {
			body, ok = []byte(page), true
		}
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", mime.TypeByExtension(cmp.Or(path.Ext(name), ".html")))
		w.Write(body)
	}))
	defer srv.Close()
	return chromium(t, program, srv.URL+"/")
}

// TestChoosingForgetsTheQuote: with the script a new choice takes the quote of
// the old one away, so that no sum is shown that is not this choice's.
func TestChoosingForgetsTheQuote(t *testing.T) {
	dom := browse(t, printed(t), `<!doctype html><body><iframe src="/session.html"></iframe><iframe src="/team_quoted.html"></iframe><script>
window.onload = function () {
  var list = document.querySelectorAll('iframe'), out = '';
  for (var i = 0; i < list.length; i++) {
    var doc = list[i].contentDocument, box = doc.querySelector('select[name=coupon]');
    var say = function () { return '[' + doc.getElementById('sum-name').textContent + ' ' + doc.getElementById('sum').textContent + (doc.getElementById('quote') ? ' quoted' : '') + ']'; };
    out += say();
    box.value = '';
    box.dispatchEvent(new Event('change', {bubbles: true}));
    out += say();
  }
  document.body.textContent = out;
};
</script>`)
	want := "[优惠后应付 ¥11,270 quoted][合计 ¥12,800.00][优惠后应付 ¥29.90 quoted][参团价 ¥39.90]"
	if !strings.Contains(dom, want) {
		t.Errorf("got %s, want %s", dom, want)
	}
}
