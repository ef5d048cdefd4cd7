package main

import (
	"bytes"
	"crypto/rand"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"siyu/api"
)

// doorPage is a page of the door itself.
type doorPage struct {
	Clock   string
	Head    string
	Body    string
	Wait    bool // ask again soon
	Landing string
	Checks  []api.RehearsalCheck
	Order   *orderView
	Amount  string
}

// doorSheet is in both languages at once: who rehearses may be any colleague.
var doorSheet = template.Must(template.New("door").Parse(`<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">{{if .Wait}}<meta http-equiv="refresh" content="2">{{end}}<title>彩排 · rehearsal</title>
<style>body{font:15px/1.6 sans-serif;margin:0;color:#221d18;background:#f6f3ee}aside{padding:6px 14px;background:#ffd84d;font-size:13px}
main{max-width:560px;margin:0 auto;padding:14px}li{margin:6px 0}small{color:#6f665c}button,.btn{font:inherit;display:inline-block;padding:10px 20px;margin:6px 6px 6px 0;border:0;border-radius:8px;background:#bf3f1d;color:#fff;text-decoration:none}</style></head>
<body>{{with .Clock}}<aside class="rehearsal"><b>彩排 · rehearsal</b> <time>{{.}}</time> <a href="/rehearse/">进度 · Progress</a> <a href="/rehearse/leave">离开 · Leave</a></aside>{{end}}
<main><h1>{{.Head}}</h1><p>{{.Body}}</p>
{{with .Landing}}<p><a class="btn" href="{{.}}">打开落地页 · Open the landing page</a></p>{{end}}
{{with .Order}}<p>{{.ID}} · ¥{{$.Amount}} · {{.Status}}</p><form method="post" action="/rehearse/pay"><input type="hidden" name="order_id" value="{{.ID}}">
{{if eq .Status "held"}}<button name="act" value="pay">假装付款 · Pretend to pay</button>
{{else if eq .Status "paid"}}<button name="act" value="receive">假装收货 · Pretend to receive it</button><button name="act" value="refund">假装退款 · Pretend to refund</button>{{end}}
<a class="btn" href="/o/{{.ID}}">回到订单 · Back to the order</a></form>{{end}}
{{with .Checks}}<ol>{{range .}}<li>{{if eq .State "passed"}}✓{{else if eq .State "failed"}}✗{{else if eq .State "skipped"}}–{{else}}…{{end}} {{.ZH}} · {{.EN}}{{with .Detail}}<br><small>{{.}}</small>{{end}}</li>{{end}}</ol>{{end}}
</main></body></html>
`))

// show answers with a page of the door.
func (p doorPage) show(w http.ResponseWriter, status int) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	var b bytes.Buffer
	if err := doorSheet.Execute(&b, p); err != nil {
		slog.Error("rehearsal's page failed", "error", err)
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}

// door answers what lies under its path.
func (s *stages) door(w http.ResponseWriter, r *http.Request) {
	page := strings.TrimPrefix(r.URL.Path, doorPath)
	if page == "leave" {
		http.SetCookie(w, s.doorCookieFor("", time.Time{}))
		doorPage{Head: "已离开彩排 · You left the rehearsal", Body: "这个浏览器又回到正式环境。 This browser is back in the live house."}.show(w, http.StatusOK)
		return
	}
	if st := s.byToken(page); st != nil {
		s.enter(w, r, st)
		return
	}
	st, phone := s.of(r)
	switch {
	case st == nil:
		doorPage{Head: "没有这个彩排 · No such rehearsal", Body: "它可能已经结束，或由另一副本在进行。请向发起人要新的地址。 It may be over, or run by another replica; ask for a new address."}.show(w, http.StatusNotFound)
	case page == "":
		st.progress().show(w, http.StatusOK)
	case page == "pay":
		st.pay(w, r)
	case page == "sign-in":
		st.signIn(w, r, phone)
	default:
		doorPage{Clock: st.time(), Head: "没有这个地址 · Nothing here"}.show(w, http.StatusNotFound)
	}
}

// enter takes the browser in and leads it to where phones begin.
func (s *stages) enter(w http.ResponseWriter, r *http.Request, st *stage) {
	inside, phone := s.of(r)
	if inside != st || phone == "" {
		phone = rand.Text()
	}
	http.SetCookie(w, s.doorCookieFor(st.token+"."+phone, st.until))
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	to := st.progress().Landing
	if to == "" {
		to = doorPath
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (st *stage) time() string { return st.clk.Now().In(shanghai).Format("2006-01-02 15:04") }

// progress is how far the script has come.
func (st *stage) progress() doorPage {
	now := st.view()
	p := doorPage{Clock: st.time(), Checks: now.Checks}
	st.mu.Lock()
	p.Landing = st.landing
	st.mu.Unlock()
	switch now.State {
	case api.RehearsalPlaying:
		p.Wait = true
		p.Head, p.Body = "正在自动走一遍 · Being played", "稍等，走完就可以用手机试。 In a moment you can try it on this phone."
	case api.RehearsalOpen:
		p.Head, p.Body = "请上场 · Your turn", "你点的时候时钟按真实快慢走，两分钟不点就一分钟走一天。 The clock keeps real time while you tap; two minutes later it runs a day a minute."
	case api.RehearsalStopped:
		p.Head, p.Body = "走不下去了 · It cannot go on", "见打叉的一项。 See what failed."
	default:
		p.Head = "彩排已结束 · The rehearsal is over"
	}
	return p
}

// pay is the button page that stands for pay_url.
func (st *stage) pay(w http.ResponseWriter, r *http.Request) {
	if http.NewCrossOriginProtection().Check(r) != nil {
		doorPage{Clock: st.time(), Head: "不接受来自其他网站的请求 · Refused: sent from another site"}.show(w, http.StatusForbidden)
		return
	}
	st.tap(r.Method, r.URL.RequestURI())
	shop := st.shop()
	order, err := shop.order(r.Context(), r.FormValue("order_id"))
	if err == nil && r.Method == http.MethodPost {
		if err = shop.act(r.Context(), r.PostFormValue("act"), order); err == nil {
			if r.PostFormValue("act") == "pay" {
				st.note("phone_paid", api.CheckPassed, order.ID)
			}
			http.Redirect(w, r, "/o/"+order.ID, http.StatusSeeOther)
			return
		}
	}
	p := doorPage{Clock: st.time(), Head: "假装付款 · Pretend to pay", Body: "这里代替商城的收银台，不会扣款。 This stands for the mall's checkout; no money moves."}
	if err != nil {
		p.Head, p.Body = "没有成功 · It did not work", err.Error()
		p.show(w, http.StatusConflict)
		return
	}
	p.Order, p.Amount = &order, yuan(order.Amount)
	p.show(w, http.StatusOK)
}

// signIn stands for the mall's sign-in: the phone becomes one member of the
// audience and goes back with his token.
func (st *stage) signIn(w http.ResponseWriter, r *http.Request, phone string) {
	back, err := url.Parse(r.FormValue("return_to"))
	if err != nil {
		back = &url.URL{}
	}
	shop := st.shop()
	token, err := shop.known(r.Context(), phone)
	if err != nil {
		doorPage{Clock: st.time(), Head: "没有成功 · It did not work", Body: err.Error()}.show(w, http.StatusConflict)
		return
	}
	q := back.Query()
	q.Set("token", token)
	// One slash: "//elsewhere" would lead off this house.
	http.Redirect(w, r, "/"+strings.TrimLeft(back.EscapedPath(), "/")+"?"+q.Encode(), http.StatusSeeOther)
}

func (st *stage) shop() mall {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.mall
}
