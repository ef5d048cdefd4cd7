package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// joined is a row of who joined the group and on what terms.
type joined struct {
	CharterVersion      int
	CodeID              id.Code
	InviterID           id.Member
	TextVersion, Source string
}

func (h *house) joined(m id.Member) []joined {
	h.t.Helper()
	var rows []joined
	must(h.t, h.db.Read(h.system).Raw(`SELECT m.charter_version, m.code_id, m.inviter_id, c.text_version, c.source FROM memberships m
		JOIN consents c ON c.member_id = m.member_id AND c.purpose = 'group_ops' AND c.granted = 1
		WHERE m.group_id = ? AND m.member_id = ? AND m.left_at = 0`, h.group, m).Scan(&rows).Error)
	return rows
}

func TestActingJoinsTheGroup(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		sale, tea := h.run("flash_sale", "限时抢购", `{}`), h.run("group_buy", "春茶尝鲜", `{"size": 2}`)
		code, teaCode := h.code(sale), h.code(tea)
		form := func(p *phone, page, action string, item id.Item) url.Values {
			f := p.get(page).is(t, 200).form(t, action)
			f.Set("item", item.String())
			f.Set("qty", "1")
			return f
		}
		strict := community.CharterIn{Purpose: "只聊茶", AdsPerDay: 1, AdsPerWeek: 1, QuietFrom: 21 * 60, QuietTo: 9 * 60,
			CharterWords: community.CharterWords{Audience: "常喝茶的人", Benefits: "每月一次试饮", Rules: "不发广告\n\n不拉人"}}

		t.Run("a claim joins under the version shown", func(t *testing.T) {
			m := h.member("李雷", "m-li")
			p, action := h.signedIn(m), "/i/"+code+"/claim"
			f := form(p, "/i/"+code, action, sale.Items[0].ID)
			p.get("/i/"+code).has(t, "参加即同意", "群约定", "加入「西湖茶友群」", "第\u00a01\u00a0版")
			_, err := h.s.Community.PublishCharter(h.staff, h.group, strict)
			must(t, err)
			orderOf(t, p.post(action, f))
			want := community.CharterText(h.group, 1)
			if got := h.joined(m); len(got) != 1 || got[0].CharterVersion != 1 || got[0].CodeID == 0 || got[0].InviterID == 0 || got[0].TextVersion != want || got[0].Source != "page" {
				t.Errorf("joined %+v, want once under %s by the page", got, want)
			}
			p.post(action, f).is(t, http.StatusSeeOther)
			if got := h.joined(m); len(got) != 1 {
				t.Errorf("a second tap joined %+v", got)
			}
			a := p.get("/i/" + code)
			a.has(t, "第\u00a02\u00a0版", "每周最多 1 条", "常喝茶的人", "每月一次试饮", "<li>不发广告</li><li>不拉人</li>")
			a.lacks(t, "参加即同意", `name="pact"`)
		})
		t.Run("opening a team and joining one join too", func(t *testing.T) {
			opener, second := h.member("韩梅梅", "m-han"), h.member("赵四", "m-zhao")
			p, action := h.signedIn(opener), "/i/"+teaCode+"/open"
			first := p.post(action, form(p, "/i/"+teaCode, action, tea.Items[0].ID)).is(t, http.StatusSeeOther)
			_, rest, _ := strings.Cut(p.get(first.to).body, `href="/t/`)
			team := "/t/" + rest[:len("tem_")+13]
			q := h.signedIn(second)
			page := q.get(team+"?c="+teaCode).is(t, 200)
			page.has(t, "群约定", "参加即同意")
			q.post(team+"/join", page.form(t, team+"/join")).is(t, http.StatusSeeOther)
			for _, m := range []id.Member{opener, second} {
				if got := h.joined(m); len(got) != 1 || got[0].CharterVersion != 2 {
					t.Errorf("joined %+v, want once under 2", got)
				}
			}
			h.phone().get(team).lacks(t, "群约定")
		})
		t.Run("what is refused, forged or another's joins nobody", func(t *testing.T) {
			p, action := h.phone(), "/i/"+code+"/claim"
			p.post(action, form(p, "/i/"+code, action, sale.Items[1].ID)).is(t, 422)
			f := form(p, "/i/"+code, action, sale.Items[0].ID)
			f.Set("pact", strings.Replace(f.Get("pact"), "/2/", "/1/", 1))
			orderOf(t, p.post(action, f))
			other := h.phone()
			g := form(other, "/i/"+code, action, sale.Items[0].ID)
			g.Set("pact", form(p, "/i/"+code, action, sale.Items[0].ID).Get("pact"))
			orderOf(t, other.post(action, g))
			var n int
			must(t, db.Read(h.system).Raw("SELECT COUNT(*) FROM memberships m JOIN members x ON x.id = m.member_id AND x.guest = 1").Scan(&n).Error)
			if n != 0 {
				t.Errorf("%d guests joined", n)
			}
		})
		t.Run("a group that is over keeps nobody from buying", func(t *testing.T) {
			p, action := h.phone(), "/i/"+code+"/claim"
			f := form(p, "/i/"+code, action, sale.Items[0].ID)
			g, err := h.s.Community.FindGroup(h.staff, h.group)
			must(t, err)
			over, why := community.GroupDissolved, "没人了"
			_, err = h.s.Community.UpdateGroup(h.staff, h.group, g.Version, community.GroupChange{Status: &over, Reason: &why})
			must(t, err)
			orderOf(t, p.post(action, f))
			h.phone().get("/i/"+code).is(t, 200).lacks(t, "群约定", "西湖茶友群")
		})
	})
}

func TestAcceptingJoinsTheGroup(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.run("referral", "老带新", `{}`)
		code, m := h.code(run), h.member("李雷", "m-li")
		p := h.signedIn(m)
		for range 2 {
			f := p.get("/i/"+code).is(t, 200).form(t, "/i/"+code+"/bind")
			p.post("/i/"+code+"/bind", f).is(t, http.StatusSeeOther)
		}
		if got := h.joined(m); len(got) != 1 || got[0].CharterVersion != 1 {
			t.Errorf("joined %+v, want once under 1", got)
		}
	})
}
