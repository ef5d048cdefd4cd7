package web

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/community"
	"siyu/community/gathering"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// gathered is an event of the house's group in half an hour, with a place for
// each of the members.
func (h *house) gathered(members ...id.Member) id.Gathering {
	h.t.Helper()
	for _, m := range members {
		_, err := h.s.Community.PutMemberships(h.staff, h.group, []community.MembershipIn{{MemberID: m}})
		must(h.t, err)
	}
	start := h.db.Clock.Now().Add(30 * time.Minute)
	e, err := h.s.Gathering.Create(h.staff, h.group, gathering.In{Title: "龙井开采" + hostileName, Place: "梅家坞", StartsAt: clock.MilliOf(start), EndsAt: clock.MilliOf(start.Add(time.Hour)), Capacity: 9})
	must(h.t, err)
	for _, m := range members {
		_, err = h.s.Gathering.SignUp(h.system, e, m)
		must(h.t, err)
	}
	return e
}

// TestScanPage: a colleague types or scans the code that a member shows, and
// reads at once whose it is, that he was there before, or why not.
func TestScanPage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		li, han := h.member("李雷<b>", "m-li"), h.member("韩梅梅", "m-han")
		e := h.gathered(li, han)
		page := "/console/work/gatherings/" + e.String() + "/scan"
		code := func(m id.Member) string {
			t.Helper()
			text, err := h.s.Gathering.SeatCode(h.system, e, m)
			must(t, err)
			return text
		}
		h.phone().get(page).is(t, http.StatusSeeOther)
		for _, role := range []access.Role{access.Finance, access.Cashier} {
			other := h.consoleOf(h.staffKey(role))
			other.get(page).is(t, http.StatusForbidden)
			other.post(page, url.Values{"seat": {code(li)}}).is(t, http.StatusForbidden)
		}
		desk := h.consoleOf(h.key)
		a := desk.get(page).is(t, 200)
		a.has(t, "已到 0/2", "扫码枪", "data-scan hidden")
		a.lacks(t, "<script>alert", " style=", "%!")
		desk.get("/console/groups/"+h.group.String()+"/gatherings").is(t, 200).has(t, `href="`+page+`"`)
		form := a.form(t, page)
		scan := func(seat string, status int) answer {
			t.Helper()
			form.Set("seat", seat)
			return desk.post(page, form).is(t, status)
		}

		// An owner of other groups, of this very unit, checks nobody in.
		foreign := h.consoleOf(h.staffKey(access.GroupOwner))
		foreign.get(page).is(t, http.StatusNotFound)
		theirs, err := h.s.Community.CreateGroup(h.staff, community.GroupIn{Name: "他的群", OwnerID: h.staffOf(foreign)})
		must(t, err)
		his := "/console/work/groups/" + theirs.String()
		stolen := foreign.get(his).is(t, 200).form(t, his+"/posted")
		stolen.Set("seat", code(li))
		foreign.post(page, stolen).is(t, http.StatusNotFound)
		desk.post(page, url.Values{"seat": {code(li)}}).is(t, http.StatusForbidden) // no form of this house

		x := scan("  "+code(li)+"\n", 200)
		x.has(t, "state good", "李雷&lt;b&gt;", "签到成功", "已到 1/2")
		db.Clock.Jump(time.Minute)
		scan(code(li), 200).has(t, "state wait", "10:00 已经签到过", "已到 1/2")
		seats, err := h.s.Gathering.ListSeats(h.staff, e)
		must(t, err)
		if seats[0].CheckedAt == 0 || seats[1].CheckedAt != 0 {
			t.Errorf("seats: %+v", seats)
		}
		old := code(han)
		db.Clock.Jump(3 * time.Minute)
		scan(old, http.StatusUnprocessableEntity).has(t, "state gone", "没有签到", "二维码已过期", "已到 1/2")
		scan("", http.StatusUnprocessableEntity).has(t, "请扫群友出示的码")
		door, err := h.s.Gathering.DoorCode(h.staff, e)
		must(t, err)
		scan(door, http.StatusUnprocessableEntity) // a door's code is no seat's
		other := h.gathered(han)
		wrong, err := h.s.Gathering.SeatCode(h.system, other, han)
		must(t, err)
		scan(wrong, http.StatusUnprocessableEntity)
		must(t, h.s.Gathering.Leave(h.system, e, han))
		desk.get(page+"?lang=en").is(t, 200).has(t, "1 of 1 here", "hand scanner")
	})
}

// scanStub stands for a browser that reads codes: Chromium on a server has a
// camera that shows a test picture, and no reader.
const scanStub = `window.BarcodeDetector = function () {};
window.BarcodeDetector.prototype.detect = function () { return Promise.resolve([{rawValue: %q}]); };
sessionStorage.setItem('scan-on', '1');`

// TestScanByCamera opens the page in a real browser with a camera: what it
// reads is sent by itself, and the member is checked in.
func TestScanByCamera(t *testing.T) {
	program := dbtest.Need(t, "chromium")
	h := open(t, dbtest.Open(t, "sqlite"))
	li := h.member("李雷", "m-li")
	e := h.gathered(li)
	code, err := h.s.Gathering.SeatCode(h.system, e, li)
	must(t, err)
	page := "/console/work/gatherings/" + e.String() + "/scan"
	desk := h.consoleOf(h.key)
	said := make(chan string, 9)
	browser := h.signed(desk, func(r *http.Response) error {
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		body = bytes.Replace(body, []byte("<script "), []byte(`<script src="/stub.js"></script><script `), 1)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		if r.Request.Method == http.MethodPost {
			said <- string(body)
		}
		return err
	}, strings.Replace(scanStub, "%q", strconv.Quote(code), 1))
	run := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--user-data-dir="+t.TempDir(), "--remote-debugging-port=0",
		"--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--window-size=390,844", browser+page+"?lang=zh")
	must(t, run.Start())
	defer func() { _ = run.Process.Kill(); _ = run.Wait() }()
	select {
	case body := <-said:
		answer{status: 200, body: body}.has(t, "state good", "李雷", "签到成功")
	case <-time.After(time.Minute):
		t.Fatal("the browser sent no code")
	}
	seat, err := h.s.Gathering.Mine(h.system, e, li)
	if err != nil || seat.CheckedAt == 0 {
		t.Errorf("seat: %+v, %v", seat, err)
	}
}

// signed is the house behind a proxy that signs a browser in as a colleague;
// edit, if any, changes its answers, and stub is the script at /stub.js.
func (h *house) signed(desk *phone, edit func(*http.Response) error, stub string) string {
	h.t.Helper()
	target, err := url.Parse(h.url)
	must(h.t, err)
	work, err := url.Parse(h.url + workPath)
	must(h.t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = edit
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stub.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, stub)
			return
		}
		for _, c := range desk.client.Jar.Cookies(work) {
			r.AddCookie(c)
		}
		r.Host = target.Host
		r.Header.Del("Accept-Encoding")
		if r.Header.Get("Origin") != "" {
			r.Header.Set("Origin", h.url)
		}
		proxy.ServeHTTP(w, r)
	}))
	h.t.Cleanup(srv.Close)
	return srv.URL
}

// scanGallery is the page before a code and after each sort of answer.
func scanGallery() []shown {
	var list []shown
	for _, lang := range []string{langZH, langEN} {
		p := scanPage{page: base(lang, "签到"), ID: 7 << 40, Name: "龙井开采，一起上山采茶", Place: "杭州市西湖区梅家坞村 12 号茶园入口", When: noon(), There: 11, Of: 18}
		list = append(list, shown{"scan_" + lang, "scan", p.page, p})
		for _, seen := range []scanned{{"good", "李秀英", choose(lang, "签到成功", "checked in")}, {"wait", longName, choose(lang, "10:00 已经签到过", "checked in already, at 10:00")},
			{"gone", choose(lang, "没有签到", "Not checked in"), choose(lang, "二维码已过期或不是这次活动的，请重新扫", "the code has run out or is of another event; scan again")}} {
			p.Seen = &seen
			list = append(list, shown{"scan_" + seen.Mood + "_" + lang, "scan", p.page, p})
		}
	}
	return list
}
