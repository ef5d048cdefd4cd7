package web

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/httpd"
)

// pageMax is the most a landing page may weigh with its style and script.
const pageMax = 60 << 10

func TestLanding(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.run("group_buy", "春茶尝鲜", `{"size": 3}`)
		code := h.code(run)

		t.Run("chinese", func(t *testing.T) {
			a := h.phone().get("/i/"+code).is(t, 200)
			a.has(t, "春茶尝鲜", "王*", "邀请你一起拼", "明前龙井 50g", "68.00", "还剩 10 件", "每人限 1 件", "拼团 · 3 人成团",
				"群约定", "每周最多 2 条", "22:00–08:30", "西湖茶友群", "邀请奖励", "第一次下单", "满 7 天", "付款满 15 天", "15 分钟内付款", "全部原路退回", "我来开团", "1 天")
			a.lacks(t, "王小明", "%!", "钱包", string(h.wang.String()))
		})
		t.Run("a paused program promises nothing", func(t *testing.T) {
			if err := h.s.Referral.PauseProgram(h.staff, h.prog); err != nil {
				t.Fatal(err)
			}
			h.phone().get("/i/"+code).is(t, 200).lacks(t, "邀请奖励", "第一次下单")
			if err := h.s.Referral.ResumeProgram(h.staff, h.prog); err != nil {
				t.Fatal(err)
			}
		})
		t.Run("english", func(t *testing.T) {
			p := h.phone()
			p.lang = "en-GB"
			a := p.get("/i/"+code).is(t, 200)
			a.has(t, `lang="en"`, "invites you to buy together", "team of 3", "What this group promises", "at most 2 ads a week", "refunded in full", "Open a team")
			a.lacks(t, "王小明", "%!", "我来开团", "群约定")
			p.get("/i/"+code+"?lang=zh").has(t, "我来开团")
			p.get("/i/"+code).has(t, "我来开团") // remembered
		})
		t.Run("headers and weight", func(t *testing.T) {
			a := h.phone().get("/i/" + code)
			if csp := a.header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || !strings.Contains(csp, "script-src 'self'") {
				t.Errorf("policy %q", csp)
			}
			a.lacks(t, " style=", "<style", " onclick", "javascript:")
			weight := len(a.body)
			for _, f := range h.s.press.shelf.byName {
				got := h.phone().get(f.href).is(t, 200)
				if !strings.Contains(got.header.Get("Cache-Control"), "immutable") {
					t.Errorf("%s is not kept: %q", f.href, got.header.Get("Cache-Control"))
				}
				weight += len(got.body)
			}
			if weight > pageMax {
				t.Errorf("the page weighs %d bytes, at most %d", weight, pageMax)
			}
			h.phone().get("/static/siyu.000000000000.css").is(t, 404)
		})
		t.Run("touches are counted", func(t *testing.T) {
			must(t, h.s.Referral.Flush(h.system))
			var n int
			must(t, db.Read(h.system).Raw("SELECT COUNT(*) FROM touches").Scan(&n).Error)
			if n < 4 {
				t.Errorf("%d touches, want every scan", n)
			}
		})
	})
}

func TestDeadCodesLookAlike(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.run("flash_sale", "限时抢购", `{}`)
		code := h.code(run)
		_, err := h.s.Referral.RevokeCode(h.staff, code)
		must(t, err)
		var guests int
		defer func() {
			must(t, db.Read(h.system).Raw("SELECT COUNT(*) FROM members WHERE guest = 1").Scan(&guests).Error)
			if guests != 0 {
				t.Errorf("dead codes made %d guests", guests)
			}
		}()
		first := h.phone().get("/i/"+code).is(t, 404)
		first.has(t, "这个邀请码用不了", `href="?lang=en"`)
		first.lacks(t, code)
		for _, other := range []string{"00000000000000", "no-such-code", strings.Repeat("a", 300), "%00", "%3Cscript%3E", code[:len(code)-1] + "Z"} {
			if a := h.phone().get("/i/"+other).is(t, 404); a.body != first.body {
				t.Errorf("the page of %q differs from the revoked one's:\n%s", other, a.body)
			}
		}
	})
}

func TestDoors(t *testing.T) {
	h := open(t, dbtest.Open(t, "sqlite"))
	h.phone().get("/").is(t, 200).has(t, "员工控制台", `href="/console"`, `href="/docs"`)
	kept := h.phone().get("/?lang=zh"+strings.Repeat("x", 3000)).is(t, 200).header.Get("Set-Cookie")
	if !strings.HasPrefix(kept, cookieLang+"="+langZH+";") {
		t.Errorf("the language is kept as %.60s", kept)
	}
	engine, err := httpd.NewEngine(httpd.Config{})
	must(t, err)
	engine.NoRoute(h.s.Lost(httpd.ErrNoRoute))
	for accept, want := range map[string]string{"text/html,*/*": "这里什么也没有", "application/json": `"code":"route_not_found"`} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/i/", nil)
		r.Header.Set("Accept", accept)
		engine.ServeHTTP(w, r)
		answer{status: w.Code, body: w.Body.String()}.is(t, 404).has(t, want)
	}
}

// TestBytesThatAreNoText: what is no text in a form reaches the rooms as a sign
// that says so, because MariaDB keeps no such bytes.
func TestBytesThatAreNoText(t *testing.T) {
	h := open(t, dbtest.Open(t, "sqlite"))
	engine, err := httpd.NewEngine(httpd.Config{})
	must(t, err)
	got := ""
	engine.POST("/", h.s.open(func(c *gin.Context) error { got = c.PostForm("reason"); return nil }))
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("reason=%FF%FE%E9%87%91%E9%A2%9D"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	engine.ServeHTTP(httptest.NewRecorder(), r)
	if got != "\uFFFD金额" {
		t.Errorf("got %q", got)
	}
}

// TestFormAddresses: an address that takes forms alone says so to a browser that
// opens it, and a form that failed leads back to the page it stood on, in either
// language.
func TestFormAddresses(t *testing.T) {
	h := open(t, dbtest.Open(t, "sqlite"))
	engine, err := httpd.NewEngine(httpd.Config{})
	must(t, err)
	h.s.Register(engine)
	engine.NoMethod(h.s.Lost(httpd.ErrNoMethod))
	const page = "/o/ord_0000000000001"
	ask := func(method, from string) answer {
		w, r := httptest.NewRecorder(), httptest.NewRequest(method, page+"/late", nil)
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Referer", from)
		engine.ServeHTTP(w, r)
		return answer{status: w.Code, body: w.Body.String()}
	}
	a := ask(http.MethodGet, "").is(t, http.StatusMethodNotAllowed)
	a.has(t, "这个地址只收表单", `<html lang="zh-CN"`)
	a.lacks(t, "hreflang")
	ask(http.MethodPost, "http://example.com"+page).is(t, 403).has(t, `href="`+page+`"`, `href="`+page+`?lang=en"`, `data-home="`+page+`"`)
	for _, from := range []string{"", "https://evil.example" + page, "http://example.com"} {
		ask(http.MethodPost, from).is(t, 403).lacks(t, "hreflang", "/late", "evil")
	}
}

func TestStates(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.run("flash_sale", "限时抢购", `{}`)
		code := h.code(run)
		must(t, h.s.Campaign.Turn(h.staff, run.ID, campaign.Pause))
		a := h.phone().get("/i/"+code).is(t, 200)
		a.has(t, "暂停中")
		a.lacks(t, "立即抢购")
		must(t, h.s.Campaign.Turn(h.staff, run.ID, campaign.Resume))
		h.phone().get("/i/"+code).has(t, "立即抢购", "距结束")
		db.Clock.Jump(49 * time.Hour)
		a = h.phone().get("/i/"+code).is(t, 200)
		a.has(t, "活动已结束")
		a.lacks(t, "立即抢购", "data-until")
	})
}

func TestHostileNamesAreHarmless(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		h.wang = h.member(hostileName, "m-hostile")
		var err error
		h.group, err = h.s.Community.CreateGroup(h.staff, community.GroupIn{Name: `茶友"><img src=x onerror=alert(2)>`})
		must(t, err)
		run := h.run("group_buy", `<b onmouseover="x">抢</b>`, `{"size": 2}`)
		a := h.phone().get("/i/"+h.code(run)).is(t, 200)
		a.has(t, "&lt;*", "&lt;b onmouseover=")
		a.lacks(t, "<script>alert", "<img src=x", "<b onmouseover", "alert(1)")
		if got := clean(hostileGroup); strings.ContainsAny(got, "\u202e\u2066") {
			t.Errorf("clean kept what turns text round: %q", got)
		}
	})
}

// TestChromium opens the landing page in a real browser: the script ran under
// the page's policy, so the clock ticks and the total follows.
func TestChromium(t *testing.T) {
	program := dbtest.Need(t, "chromium")
	h := open(t, dbtest.Open(t, "sqlite"))
	run := h.run("group_buy", "春茶尝鲜", `{"size": 3}`)
	dom := answer{status: http.StatusOK, body: chromium(t, program, h.url+"/i/"+h.code(run)+"?lang=zh")}
	dom.has(t, "春茶尝鲜", "王*", "我来开团", "群约定", `data-until=`)
	dom.lacks(t, "王小明")
	// Printed with two days left, the clock has ticked since.
	dom.has(t, "<b>1</b>天<b>23</b>时<b>59</b>分")
}

// chromium is the page at the address after its script ran.
func chromium(t *testing.T, program, address string) string {
	t.Helper()
	out, err := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(),
		"--window-size=390,844", "--hide-scrollbars", "--virtual-time-budget=3000", "--dump-dom", address).Output()
	must(t, err)
	return string(out)
}
