package main_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sampleMall is docs/samplemall, built once per test and run as its own
// process beside the house.
type sampleMall struct {
	t         testing.TB
	bin, dir  string
	env       []string
	url       string
	out, errs *record
}

func newSampleMall(t testing.TB, siyuURL, key string, flags ...string) *sampleMall {
	t.Helper()
	dir := t.TempDir()
	m := &sampleMall{t: t, bin: filepath.Join(dir, "samplemall"), dir: dir, out: &record{}, errs: &record{}}
	build := exec.Command("go", "build", "-buildvcs=false", "-o", m.bin, "./docs/samplemall")
	build.Env = append(os.Environ(), "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	m.env = append(os.Environ(), "SIYU_URL="+siyuURL, "SIYU_KEY="+key)
	m.serve(flags...)
	return m
}

// serve starts the mall and waits until it listens.
func (m *sampleMall) serve(flags ...string) (stop func()) {
	m.t.Helper()
	m.out = &record{}
	cmd := exec.Command(m.bin, append(append([]string{"-addr", cmpOr(m.url, "127.0.0.1:0")}, flags...), "serve")...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = m.dir, m.env, m.out, m.errs
	if err := startBound(cmd); err != nil {
		m.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	stop = func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	m.t.Cleanup(func() {
		stop()
		if m.t.Failed() {
			m.t.Logf("the mall wrote:\n%s%s", m.out.tail(), m.errs.tail())
		}
	})
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if at := listening.FindString(m.out.String()); at != "" {
			m.url = strings.TrimPrefix(at, "http://")
			return stop
		}
	}
	m.t.Fatalf("the mall does not listen:\n%s", m.errs.tail())
	return nil
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// do runs one of the mall's commands.
func (m *sampleMall) do(args ...string) string {
	m.t.Helper()
	cmd := exec.Command(m.bin, args...)
	cmd.Dir, cmd.Env = m.dir, m.env
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		m.t.Fatalf("samplemall %s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return strings.TrimSpace(string(out))
}

// TestSampleMall runs the real server and the sample mall and goes through
// what a mall does: tokens, payments by page and by command, twice; refunds in
// part, whole, repeated, before their payment, requested, failed and done;
// shipments, receipts, cancellations; events repeated and forged.
func TestSampleMall(t *testing.T) {
	p := newPlace(t, "sqlite")
	p.env = append(p.env, "SIYU_WEBHOOK_ALLOW=127.0.0.0/8")
	_, at := p.serve()
	m := newSampleMall(t, at, p.key("mall"), "-failing", "1")
	admin := caller{url: at, key: p.key("admin"), http: crowd()}
	var sale struct {
		ID    string
		Items []struct{ ID string }
	}
	admin.must(t, "POST", "/v1/campaigns", "sale", map[string]any{
		"kind": "flash_sale", "name": "商城秒杀", "pay_url": "http://" + m.url + "/pay",
		"items":     []map[string]any{{"sku": "APPLE-5", "price_fen": 3000, "stock": 50, "per_member": 0, "per_order": 2}},
		"starts_at": time.Now().Add(-time.Minute).Format(time.RFC3339), "ends_at": time.Now().Add(24 * time.Hour).Format(time.RFC3339),
	}, &sale)
	admin.must(t, "POST", "/v1/campaigns/"+sale.ID+"/publish", "publish", nil, nil)
	anna := admin.as(m.do("token", "anna"))
	claim := func(key string) string {
		t.Helper()
		var o order
		anna.must(t, "POST", "/v1/campaigns/"+sale.ID+"/claims", key, map[string]any{"item_id": sale.Items[0].ID, "qty": 2}, &o)
		return o.ID
	}
	is := func(oid, want string) {
		t.Helper()
		if got := m.do("show", oid); got != oid+" "+want {
			t.Errorf("got %q, want %q", got, oid+" "+want)
		}
	}
	until := func(what string, done func() bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if done() {
				return
			}
		}
		t.Fatalf("not within 30 s: %s", what)
	}
	state := func() string { return m.file(t) }

	t.Run("paid on the page, in part and then wholly refunded", func(t *testing.T) {
		o := claim("a")
		for range 2 { // a buyer who presses twice pays once
			m.press(t, o)
		}
		is(o, "paid: 6000 fen, refunded 0")
		m.do("ship", o, "parcel-1")
		m.do("receive", o, "parcel-1")
		for range 2 {
			m.do("refund", o, "3000", "1", "r-1")
		}
		is(o, "paid: 6000 fen, refunded 3000")
		m.do("refund", o, "3000", "1", "r-2")
		is(o, "refunded: 6000 fen, refunded 6000")
	})
	t.Run("a refund comes before its payment", func(t *testing.T) {
		o := claim("b")
		m.do("refund", o, "3000", "1", "early")
		is(o, "held: 6000 fen, refunded 0")
		m.do("pay", o)
		is(o, "paid: 6000 fen, refunded 3000")
	})
	t.Run("a second payment is sent back, failed first and then done", func(t *testing.T) {
		o := claim("c")
		m.do("pay", o, "first")
		m.do("pay", o, "second")
		var seen struct {
			Refunds []struct {
				Amount int64  `json:"amount_fen"`
				Status string `json:"status"`
			}
		}
		until("the requested refund is done", func() bool {
			admin.must(t, "GET", "/v1/orders/"+o, "", nil, &seen)
			return len(seen.Refunds) == 1 && seen.Refunds[0].Status == "done"
		})
		is(o, "paid: 6000 fen, refunded 0")
		until("the mall heard of failure and success", func() bool {
			return strings.Contains(state(), `"refund.failed"`) && strings.Contains(state(), `"refund.done"`)
		})
	})
	t.Run("an unpaid order is cancelled", func(t *testing.T) {
		o := claim("d")
		m.do("cancel", o)
		is(o, "cancelled: 6000 fen, refunded 0")
	})
	t.Run("events come once and signed", func(t *testing.T) {
		until("all events are received", func() bool {
			for _, e := range []string{"order.held", "order.paid", "order.refunded", "order.shipped", "order.received", "order.cancelled", "refund.requested"} {
				if !strings.Contains(state(), `"`+e+`"`) {
					return false
				}
			}
			return true
		})
		before := state()
		req, err := http.NewRequest("POST", "http://"+m.url+"/hooks", strings.NewReader(`{"id":"evt_x","type":"refund.requested","data":{"order_id":"ord_x","refund_no":"x","amount_fen":1}}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("webhook-id", "evt_x")
		req.Header.Set("webhook-timestamp", "1")
		req.Header.Set("webhook-signature", "v1,AAAA")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized || strings.Contains(state(), "evt_x") || before == "" {
			t.Errorf("a forged event was answered %d", res.StatusCode)
		}
	})
	t.Run("the member is told of his money", func(t *testing.T) {
		until("the mall prints the notice", func() bool {
			return strings.Contains(m.out.String(), "「商城秒杀」的退款 30.00 元已退回。")
		})
	})
	t.Run("a repeated event changes nothing", func(t *testing.T) {
		var hooks struct{ Items []struct{ ID string } }
		admin.must(t, "GET", "/v1/webhooks", "", nil, &hooks)
		at := "/v1/webhooks/" + hooks.Items[0].ID + "/deliveries"
		var sent struct{ Items []struct{ ID, Status string } }
		delivered := func() bool { // a busy receiver has some of them wait
			admin.must(t, "GET", at+"?limit=200", "", nil, &sent)
			for _, d := range sent.Items {
				if d.Status != "delivered" {
					return false
				}
			}
			return true
		}
		until("every event is delivered", delivered)
		before := state()
		for _, d := range sent.Items {
			admin.must(t, "POST", at+"/"+d.ID+"/replay", "again-"+d.ID, nil, nil)
		}
		until("every event is delivered again", delivered)
		if state() != before || len(sent.Items) < 20 {
			t.Errorf("%d events sent again changed the mall from\n%s\nto\n%s", len(sent.Items), before, state())
		}
	})
	p.proven()
}

// file is the mall's state as it stands.
func (m *sampleMall) file(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(m.dir, "samplemall.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// press opens the mall's payment page and pays there.
func (m *sampleMall) press(t testing.TB, oid string) {
	t.Helper()
	res, err := http.Get("http://" + m.url + "/pay?order_id=" + oid)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || !strings.Contains(string(page), "6000") {
		t.Fatalf("the payment page shows %s, %v", page, err)
	}
	if res, err = http.PostForm("http://"+m.url+"/pay", url.Values{"order_id": {oid}}); err != nil {
		t.Fatal(err)
	}
	page, _ = io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("paying: %d %s", res.StatusCode, page)
	}
}
