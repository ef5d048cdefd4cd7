package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign"
	"siyu/campaign/guard"
	"siyu/campaign/material"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral/payee"
)

// TestConsoleApprovals: of a payee's change, a price under its floor, a
// material and a permit of the guard each, who asked may only take it back;
// somebody else refuses with a reason or approves what he was shown.
func TestConsoleApprovals(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		made, second := h.staffKey(access.Admin), h.consoleOf(h.staffKey(access.Admin))
		me, err := h.s.Access.Authenticate(h.system, made)
		must(t, err)
		asks, own := database.WithActor(h.system, me), h.consoleOf(made)
		run := h.run("flash_sale", "限时抢购", `{}`)
		_, err = h.s.Campaign.PutProducts(h.staff, campaign.ProductBatch{Products: []campaign.ProductIn{{SKU: "BC-100", Name: "安吉白茶<b>", ListPrice: 12800, FloorPrice: 8000}}})
		must(t, err)
		now := clock.MilliOf(db.Clock.Now())

		// ask makes one of the sort; seen says what it has become.
		type turn struct {
			ask  func(n int) string
			seen func(which string) (status, refusal string)
		}
		open, refused, approved := "open", "refused", "approved"
		turns := map[string]turn{
			"payees": {func(n int) string {
				m := h.member("李雷", "m-"+string(rune('a'+n)))
				_, err := h.s.Payee.Enter(asks, m, payee.Entry{ConsentVersion: "1", Details: payee.Details{Type: payee.TypeNatural, Name: "李雷", IDNo: "11010519491231002X", Kind: payee.AccountBank, CardNo: "6222020000000000000", BankName: "招商银行"}})
				must(t, err)
				p, err := h.s.Payee.PayeeOf(asks, m)
				must(t, err)
				return p.ID.String()
			}, func(which string) (string, string) {
				var pid id.Payee
				must(t, pid.UnmarshalText([]byte(which)))
				p, err := h.s.Payee.FindPayee(asks, pid)
				must(t, err)
				var v payee.Version
				must(t, db.Read(h.system).Raw("SELECT reason FROM payee_versions WHERE payee_id = ? AND no = 1", pid).Scan(&v).Error)
				switch {
				case p.Active != nil:
					return approved, v.Reason
				case p.Pending == nil:
					return refused, v.Reason
				}
				return open, v.Reason
			}},
			"prices": {func(n int) string {
				a, err := h.s.Campaign.AskPrice(asks, run.ID, campaign.PriceIn{ItemID: run.Items[0].ID, Price: 7000, Reason: "临期清仓<b>"})
				must(t, err)
				return a.String()
			}, func(which string) (string, string) {
				var a id.PriceApproval
				must(t, a.UnmarshalText([]byte(which)))
				x, err := h.s.Campaign.FindPriceApproval(asks, run.ID, a)
				must(t, err)
				return map[campaign.ApprovalStatus]string{campaign.ApprovalAsked: open, campaign.ApprovalApproved: approved, campaign.ApprovalRejected: refused}[x.Status], x.Refusal
			}},
			"materials": {func(n int) string {
				m, err := h.s.Material.Create(asks, material.In{Name: "春茶", Kind: material.KindText, Sponsor: "有鲜超市", Variants: []material.Content{{TextZH: "春茶今天 39.9<b>"}}})
				must(t, err)
				return m.String()
			}, func(which string) (string, string) {
				var m id.Material
				must(t, m.UnmarshalText([]byte(which)))
				x, err := h.s.Material.Find(asks, m)
				must(t, err)
				return map[material.Status]string{material.StatusDraft: open, material.StatusApproved: approved, material.StatusWithdrawn: refused}[x.Status], x.Refusal
			}},
			"permits": {func(n int) string {
				p, err := h.s.Guard.AskPermit(asks, guard.PermitIn{Kind: guard.PermitAdvance, Groups: []id.Group{h.group}, Reason: "店庆<b>", From: now, To: now.Add(24 * time.Hour)})
				must(t, err)
				return p.String()
			}, func(which string) (string, string) {
				var p id.Permit
				must(t, p.UnmarshalText([]byte(which)))
				x, err := h.s.Guard.FindPermit(asks, p)
				must(t, err)
				switch {
				case x.RevokedAt != 0:
					return refused, x.Refusal
				case x.ApprovedAt != 0:
					return approved, x.Refusal
				}
				return open, x.Refusal
			}},
		}
		for sort, x := range turns {
			at := "/console/approvals?sort=" + sort
			is := func(which, status, refusal string) {
				t.Helper()
				if s, r := x.seen(which); s != status || r != refusal {
					t.Errorf("%s: got %s %q, want %s %q", sort, s, r, status, refusal)
				}
			}
			first := x.ask(0)
			path := "/console/approvals/" + sort + "/" + first
			mine := own.get(at).is(t, 200)
			mine.has(t, "由你提交", "同事 提交", "撤回")
			mine.lacks(t, path+"/approve", "<b>临", " style=", "%!", "6222020000000000000")
			own.post(path+"/approve", mine.form(t, path+"/refuse")).is(t, http.StatusForbidden) // made up by hand
			theirs := second.get(at).is(t, 200)
			form := theirs.form(t, path+"/refuse")
			second.post(path+"/refuse", form).is(t, http.StatusUnprocessableEntity) // no reason
			is(first, open, "")
			form.Set("reason", "请附说明")
			second.post(path+"/refuse", form).is(t, http.StatusSeeOther)
			second.post(path+"/refuse", form).is(t, http.StatusConflict)
			is(first, refused, "请附说明")
			second.get(at).is(t, 200).has(t, "没有待复核的")

			next := x.ask(1)
			path = "/console/approvals/" + sort + "/" + next
			form = second.get(at).is(t, 200).form(t, path+"/approve")
			if form.Get("seen") != "" {
				other := url.Values{"form": form["form"], "key": form["key"], "of": form["of"], "seen": {"7"}}
				if r := second.post(path+"/approve", other); r.status < 400 {
					t.Errorf("%s: what was not shown was approved: %d", sort, r.status)
				}
			}
			is(next, open, "")
			second.post(path+"/approve", form).is(t, http.StatusSeeOther)
			second.post(path+"/approve", form).is(t, http.StatusConflict)
			is(next, approved, "")
			third := "/console/approvals/" + sort + "/x"
			second.post(third+"/approve", form).is(t, http.StatusNotFound)
			if en := second.get(at+"&lang=en").is(t, 200); strings.Contains(en.body, "%!") || !strings.Contains(en.body, "Nothing waits") {
				t.Errorf("%s in English: %s", sort, en.body)
			}
			second.get("/console?lang=zh").is(t, 200)
		}
		second.get("/console/approvals?sort=x").is(t, http.StatusNotFound)
		h.consoleOf(h.staffKey(access.Cashier)).get("/console/approvals").is(t, http.StatusForbidden)
		finance := h.consoleOf(h.staffKey(access.Finance)).get("/console/approvals").is(t, 200)
		finance.has(t, "收款人变更", "低于底价", "/console/settlements?status=closed")
		finance.lacks(t, "sort=permits", "sort=materials")
		marketer := h.consoleOf(h.staffKey(access.Marketer))
		marketer.get("/console").is(t, 200).has(t, `href="/console/approvals"`)
		marketer.get("/console/approvals").is(t, 200).lacks(t, "sort=payees")
		marketer.get("/console/approvals?sort=payees").is(t, http.StatusForbidden)
	})
}

// secondGallery is one thing of each sort that waits for a second person.
func secondGallery() []shown {
	var list []shown
	for _, lang := range []string{langZH, langEN} {
		a := asking{lang: lang, me: 1}
		at := clock.MilliOf(noon())
		version := payee.Version{No: 2, Type: payee.TypeSoleTrader, Kind: payee.AccountBank, NameMask: "晨**", IDMask: "9131****************2K", AccountMask: "6222 **** **** **** 1234", EnteredAt: at}
		price := campaign.AskedPrice{Campaign: "春茶尝鲜 · 三人成团", Product: "明前龙井 50g 尝鲜装 " + longName, SKU: "LJ-50-2026-SPRING-0001", Now: 3990}
		price.Price, price.FloorPrice, price.Cost, price.ListPrice, price.Reason, price.AskedBy, price.AskedAt = 2990, 3500, 2500, 6800, "临期清仓，月底前卖完", 1, at
		words := material.Looked{Findings: []campaign.Finding{{ReasonZH: "“最低价”需有依据", ReasonEN: "“lowest price” needs proof"}}}
		words.Name, words.Kind, words.Sponsor, words.CreatedAt, words.Version = "春茶上新 "+longName, material.KindLink, "有鲜超市", at, 3
		words.Variants = []material.Variant{{No: 1, Content: material.Content{TitleZH: "春茶上新", TextZH: "明前龙井三人成团 ¥39.90，今天 18:00 截止", Link: "https://s.example/i/8K3Q-7TZP?from=a-very-long-address-that-does-not-break-by-itself"}}}
		permit := guard.Permit{Kind: guard.PermitPass, Reason: "双十一", From: at, To: at.Add(72 * time.Hour), CreatedAt: at, Groups: []id.Group{1, 2, 3, 4, 5, 6, 7}}
		groups := map[id.Group]community.Group{}
		for _, g := range permit.Groups {
			groups[g] = community.Group{Name: "西湖茶友群"}
		}
		for sort, card := range map[string]approvalCard{
			"payees": payeeCard(a, payee.Payee{ID: 7 << 40, Active: &version, Pending: &version}, "王*"), "prices": priceCard(a, price), "materials": materialCard(a, words), "permits": permitCard(a, permit, groups),
		} {
			card.By = "欧阳秀英"
			p := approvalsPage{page: base(lang, choose(lang, "待复核", "For a second person")), Sort: sort, Cards: []approvalCard{card}, Next: "#", Else: []tab{{choose(lang, "结算单审核", "Settlements"), "#", false}, {"KOC", "#", false}}}
			for _, one := range approvalSorts {
				p.Tabs = append(p.Tabs, tab{choose(lang, one.zh, one.en), "#", one.name == sort})
			}
			list = append(list, shown{"approvals_" + sort + "_" + lang, "approvals", p.page, p})
		}
	}
	return list
}
