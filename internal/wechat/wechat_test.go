package wechat_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"siyu/internal/wechat"
	"siyu/internal/wechat/wechattest"
)

// start of the platform's time; tests move it.
var start = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

type moved struct{ now time.Time }

func (m *moved) Now() time.Time { return m.now }

func open(t *testing.T) (*wechattest.Pay, *wechat.Client, *moved) {
	t.Helper()
	m := &moved{start}
	p := newPay(t, m)
	return p, p.Client(t), m
}

func newPay(t testing.TB, m *moved) *wechattest.Pay { t.Helper(); return wechattest.New(t, m.Now) }

// reward is a bill of 12.00 yuan.
func reward(no string) wechat.Transfer {
	return wechat.Transfer{AppID: wechattest.AppID, BillNo: no, Scene: "1000", OpenID: "oAda", Amount: 1200, Remark: "十一月奖励", Perception: "现金奖励",
		Infos: []wechat.Info{{Type: "活动名称", Content: "老友计划"}, {Type: "奖励说明", Content: "邀请奖励"}}}
}

func TestBill(t *testing.T) {
	p, c, m := open(t)
	ctx := context.Background()
	sent, err := c.Send(ctx, reward("P1"))
	if err != nil {
		t.Fatal(err)
	}
	want := wechat.Bill{BillNo: "P1", PlatformNo: sent.PlatformNo, State: wechat.StateWait, Package: "package_" + sent.PlatformNo, CreateTime: sent.CreateTime}
	if diff := cmp.Diff(want, sent); diff != "" || !sent.CreatedAt().Equal(start) {
		t.Errorf("sent (-want +got):\n%s created at %s", diff, sent.CreatedAt())
	}
	if again, err := c.Send(ctx, reward("P1")); err != nil || again != sent {
		t.Errorf("sent again: %+v, %v; want the same bill", again, err)
	}
	want.Amount, want.Package = 1200, ""
	if found, err := c.Find(ctx, "P1"); err != nil || found != want {
		t.Errorf("found %+v, %v; want %+v", found, err, want)
	}
	p.Confirm(t, "P1")
	if found, err := c.Find(ctx, "P1"); err != nil || found.State != wechat.StateSuccess || !found.State.Final() {
		t.Errorf("confirmed: %+v, %v", found, err)
	}

	if _, err := c.Send(ctx, reward("P2")); err != nil {
		t.Fatal(err)
	}
	m.now = start.Add(wechat.ConfirmFor - time.Second)
	if found, err := c.Find(ctx, "P2"); err != nil || found.State != wechat.StateWait {
		t.Errorf("a second before its end: %+v, %v", found, err)
	}
	m.now = start.Add(wechat.ConfirmFor)
	if found, err := c.Find(ctx, "P2"); err != nil || found.State != wechat.StateFail || found.FailReason != "OVERDUE_CLOSE" {
		t.Errorf("nobody confirmed: %+v, %v", found, err)
	}

	if _, err := c.Send(ctx, reward("P3")); err != nil {
		t.Fatal(err)
	}
	if b, err := c.Cancel(ctx, "P3"); err != nil || b.State != wechat.StateCanceling || b.State.Final() {
		t.Errorf("cancelled: %+v, %v", b, err)
	}
	for _, want := range []wechat.State{wechat.StateCanceling, wechat.StateCancelled} {
		if b, err := c.Find(ctx, "P3"); err != nil || b.State != want {
			t.Errorf("found %+v, %v; want %s", b, err, want)
		}
	}
	if diff := cmp.Diff(map[string]int64{"oAda": 1200}, p.Paid()); diff != "" {
		t.Errorf("paid (-want +got):\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	with := func(change func(*wechat.Transfer)) func(*wechattest.Pay) wechat.Transfer {
		return func(*wechattest.Pay) wechat.Transfer {
			x := reward("P2")
			change(&x)
			return x
		}
	}
	after := func(do func(*wechattest.Pay)) func(*wechattest.Pay) wechat.Transfer {
		return func(p *wechattest.Pay) wechat.Transfer { do(p); return reward("P2") }
	}
	meet := func(m wechattest.Mishap) func(*wechattest.Pay) wechat.Transfer {
		return after(func(p *wechattest.Pay) { p.Next(m) })
	}
	for _, c := range []struct {
		name   string
		do     func(*wechattest.Pay) wechat.Transfer
		code   string
		sort   wechat.Sort
		exists bool
	}{
		{"other parameters", with(func(x *wechat.Transfer) { x.BillNo, x.Amount = "P1", 1300 }), "ALREADY_EXISTS", wechat.SortRefused, false},
		{"another name", with(func(x *wechat.Transfer) { x.BillNo, x.Name = "P1", "李雷" }), "ALREADY_EXISTS", wechat.SortRefused, false},
		{"too little", with(func(x *wechat.Transfer) { x.Amount = 9 }), "PARAM_ERROR", wechat.SortRefused, false},
		{"a name for too little", with(func(x *wechat.Transfer) { x.Amount, x.Name = 29, "李雷" }), "PARAM_ERROR", wechat.SortRefused, false},
		{"no name for much", with(func(x *wechat.Transfer) { x.Amount = 200_000 }), "PARAM_ERROR", wechat.SortRefused, false},
		{"a long remark", with(func(x *wechat.Transfer) { x.Remark = strings.Repeat("长", 33) }), "PARAM_ERROR", wechat.SortRefused, false},
		{"a number with a dash", with(func(x *wechat.Transfer) { x.BillNo = "P-2" }), "PARAM_ERROR", wechat.SortRefused, false},
		{"the scene untold", with(func(x *wechat.Transfer) { x.Infos = x.Infos[:1] }), "PARAM_ERROR", wechat.SortRefused, false},
		{"a scene not ours", with(func(x *wechat.Transfer) { x.Scene = "1009" }), "INVALID_REQUEST", wechat.SortRefused, false},
		{"an app not ours", with(func(x *wechat.Transfer) { x.AppID = "wx2" }), "INVALID_REQUEST", wechat.SortRefused, false},
		{"no money", after(func(p *wechattest.Pay) { p.SetBalance(1199) }), "NOT_ENOUGH", wechat.SortBusy, false},
		{"the person's day", after(func(p *wechattest.Pay) { p.SetPersonMost(1200) }), "QUOTA_EXCEED", wechat.SortBusy, false},
		{"asked too often", after(func(p *wechattest.Pay) { p.SetRate(0) }), "FREQUENCY_LIMITED", wechat.SortBusy, false},
		{"a failure before", meet(wechattest.SystemBefore), "SYSTEM_ERROR", wechat.SortUnsure, false},
		{"a failure after", meet(wechattest.SystemAfter), "SYSTEM_ERROR", wechat.SortUnsure, true},
		{"a code nobody knows", meet(wechattest.UnknownCode), "BRAND_NEW_CODE", wechat.SortUnsure, true},
		{"lost before", meet(wechattest.LostBefore), "NO_ANSWER", wechat.SortUnsure, false},
		{"lost after", meet(wechattest.LostAfter), "NO_ANSWER", wechat.SortUnsure, true},
		{"unsigned", meet(wechattest.Unsigned), "UNSIGNED", wechat.SortUnsure, true},
		{"forged", meet(wechattest.Forged), "UNSIGNED", wechat.SortUnsure, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, client, _ := open(t)
			if _, err := client.Send(context.Background(), reward("P1")); err != nil {
				t.Fatal(err)
			}
			x := c.do(p)
			_, err := client.Send(context.Background(), x)
			if err == nil || wechat.Code(err) != c.code || wechat.SortOf(err) != c.sort {
				t.Errorf("got %v, code %s, sort %d; want %s, %d", err, wechat.Code(err), wechat.SortOf(err), c.code, c.sort)
			}
			if _, there := p.State("P2"); there != c.exists {
				t.Errorf("the bill exists: %v, want %v", there, c.exists)
			}
		})
	}
}

func TestAbsent(t *testing.T) {
	p, c, _ := open(t)
	_, err := c.Find(context.Background(), "P9")
	if !errors.Is(err, wechat.ErrNotFound) || wechat.SortOf(err) != wechat.SortAbsent {
		t.Errorf("got %v, want that there is none", err)
	}
	p.Next(wechattest.Unsigned)
	if _, err := c.Find(context.Background(), "P9"); wechat.SortOf(err) != wechat.SortUnsure {
		t.Errorf("got %v: that a bill does not exist is believed only if it is signed", err)
	}
}

func TestStrangers(t *testing.T) {
	p, _, _ := open(t)
	m := p.Merchant
	m.Serial = "00"
	c, err := wechat.New(m, p.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(context.Background(), reward("P1")); !errors.Is(err, wechat.ErrSign) || wechat.SortOf(err) != wechat.SortRefused {
		t.Errorf("another certificate: %v", err)
	}
	m = p.Merchant
	m.NoticeID = "PUB_KEY_ID_other"
	if c, err = wechat.New(m, p.URL); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(context.Background(), reward("P1")); !errors.Is(err, wechat.ErrUnconfirmed) {
		t.Errorf("a key we do not know: %v", err)
	}
	m.Notices = m.Notices[:31]
	if _, err := wechat.New(m, p.URL); err == nil {
		t.Error("a short APIv3 key is accepted")
	}
}

// What a failure says may be logged: it quotes neither the person nor a key.
func TestNothingSecretIsSaid(t *testing.T) {
	p, c, _ := open(t)
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	x := reward("P1")
	x.OpenID, x.Name, x.Amount = "oCanary", "韩梅梅", 9
	_, err := c.Send(context.Background(), x)
	log.Warn("refused", "error", err)
	p.Next(wechattest.LostBefore)
	_, err = c.Send(context.Background(), x)
	log.Warn("lost", "error", err)
	for _, canary := range []string{"oCanary", "韩梅梅", "openid", "signature=", p.Merchant.Serial} {
		if strings.Contains(said.String(), canary) {
			t.Errorf("the log says %q:\n%s", canary, said.String())
		}
	}
}
