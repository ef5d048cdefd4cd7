package main_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/money"
	"siyu/internal/wechat"
	"siyu/internal/wechat/wechattest"
)

// paydayPoints are the moments at which a process may die while members are
// paid by WeChat and, in the next round, while the day is tied out.
var paydayPoints = [][2]struct {
	name string
	pass int
}{
	// Bills are noted as asked for and nobody was asked; a step is written, not committed.
	{{"settlement:bill_kept", 1}, {"tieout:step", 6}},
	// WeChat has answered and nothing is noted; a step is committed, the next not begun.
	{{"settlement:bill_told", 2}, {"tieout:stepped", 7}},
}

// TestPaydayKillPoints ends a server at each of them and goes on with another:
// every member gets his money once, under one number, the day ties as it does
// without the kills, and every invariant holds.
func TestPaydayKillPoints(t *testing.T) {
	var want string
	known := make(chan struct{})
	var errands sync.WaitGroup
	errands.Go(func() {
		defer close(known)
		t.Run("undisturbed", func(t *testing.T) {
			p := newPayday(t, "sqlite")
			for range 2 {
				p.run()
			}
			want = p.end()
		})
	})
	for _, engine := range dbtest.Engines {
		for _, points := range paydayPoints {
			errands.Go(func() {
				t.Run(engine+"/"+points[0].name, func(t *testing.T) {
					p := newPayday(t, engine)
					for _, point := range points {
						armed := p.arm(fmt.Sprintf("%s:%d", point.name, point.pass))
						p.run()
						if armed.alive() {
							t.Errorf("pass %d of %s was not reached", point.pass, point.name)
						}
					}
					got := p.end()
					if <-known; got != want {
						t.Errorf("the end differs:\n%s", cmp.Diff(want, got))
					}
				})
			})
		}
	}
	errands.Wait()
}

// payday is an errand whose rewards are paid by a payer with WeChat, after
// which a day is tied out.
type payday struct {
	*errand
	pay *wechattest.Pay
	day int // that is tied out: yesterday, to which payments are moved
}

func newPayday(t testing.TB, engine string) *payday {
	pay, dir := wechattest.New(t, time.Now), t.TempDir()
	pay.WriteKeys(t, dir)
	zone, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	p := &payday{pay: pay, day: clock.Day(time.Now().AddDate(0, 0, -1), zone)}
	p.errand = newErrand(t, engine,
		"SIYU_WECHAT_MCH_ID="+pay.Merchant.ID, "SIYU_WECHAT_SERIAL="+pay.Merchant.Serial, "SIYU_WECHAT_PLATFORM_ID="+pay.Merchant.NoticeID,
		"SIYU_WECHAT_APP_ID="+wechattest.AppID, "SIYU_WECHAT_HOST="+pay.URL, "SIYU_WECHAT_KEY="+filepath.Join(dir, wechattest.KeyFile),
		"SIYU_WECHAT_PLATFORM_KEY="+filepath.Join(dir, wechattest.PlatformFile), "SIYU_WECHAT_APIV3_KEY="+filepath.Join(dir, wechattest.NoticesFile))
	var made struct{ ID string }
	p.must(t, "POST", "/v1/payers", "payer", map[string]any{"name": "晨光文化", "strategy": "labor_2018", "mch_id": wechattest.MerchantID, "app_id": wechattest.AppID}, &made)
	p.payer, p.channel, p.arrive = made.ID, "wechat_bills", p.confirmed
	p.exec("UPDATE programs SET payer_id = (SELECT MAX(id) FROM payers)")
	rows := []map[string]any{}
	for n := range p.members {
		rows = append(rows, map[string]any{"identities": []map[string]string{
			{"kind": "mall", "value": fmt.Sprintf("m%05d", n)}, {"kind": "openid", "app": wechattest.AppID, "value": fmt.Sprintf("oMember%d", n)},
		}})
	}
	p.must(t, "PUT", "/v1/members", "", map[string]any{"members": rows}, nil)
	for n, m := range p.members {
		in := map[string]any{"payee_type": "natural", "name": "王小明", "id_no": idNo(n), "account_kind": "wechat", "consent_version": "payout-1"}
		p.as(p.tokens[n]).must(t, "POST", "/v1/members/"+m+"/payee", "payee-"+m, in, nil)
	}
	return p
}

// idNo is an identity number with its check digit, another one for each n.
func idNo(n int) string {
	text, sum := fmt.Sprintf("11010519491231%03d", n), 0
	for i, weight := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += weight * int(text[i]-'0')
	}
	return text + "10X98765432"[sum%11:sum%11+1]
}

// run is a round of the errand and the day's tie-out.
func (p *payday) run() {
	p.errand.run()
	p.tied()
}

// confirmed has every member of the payout confirm his bill, and waits until
// the house knows.
func (p *payday) confirmed(payout string) {
	p.stand(payout, "waiting", func(no string) {
		if s, _ := p.pay.State(no); s == wechat.StateWait {
			p.pay.Confirm(p.t, no)
		}
	})
	p.stand(payout, "paid", func(string) {})
}

// stand waits until all bills of a payout have come to a state or beyond, and
// has the house ask about them now and not in ten minutes.
func (p *payday) stand(payout, status string, then func(no string)) {
	p.t.Helper()
	var list struct {
		Items []struct {
			No     string `json:"bill_no"`
			Status string
		}
	}
	hurried := time.Now()
	p.until("the bills are "+status, func() bool {
		p.call(p.as(p.cashier), "GET", "/v1/payouts/"+payout+"/bills", "", nil, &list)
		for _, b := range list.Items {
			if b.Status != status && b.Status != "paid" {
				if time.Since(hurried) > 2*time.Second {
					hurried = time.Now()
					p.exec("UPDATE payout_bills SET next_at = 1 WHERE next_at > 1")
					p.exec("UPDATE outbox SET next_at = 1 WHERE kind = 'settlement:work_bills' AND status = 0")
				}
				return false
			}
		}
		return len(list.Items) == perRound+1 // the inviter and his friends
	})
	for _, b := range list.Items {
		then(b.No)
	}
}

// tied puts what was paid onto the day before, has mall and statement say so
// but for one payment each, and runs the day.
func (p *payday) tied() {
	p.exec("UPDATE payments SET paid_at = paid_at - 86400000 WHERE paid_at > ?", time.Now().Add(-time.Hour).UnixMilli())
	var rows []struct {
		No     string
		Amount money.Amount
		At     clock.Milli
	}
	if err := p.db.Read(p.t.Context()).Raw("SELECT payment_no AS no, amount, paid_at AS at FROM payments ORDER BY id").Scan(&rows).Error; err != nil {
		p.t.Fatal(err)
	}
	mall, paper := "kind,no,order_id,amount_fen,at\n", "kind,no,amount,at\n"
	for i, r := range rows {
		if i != 1 {
			mall += fmt.Sprintf("payment,%s,,%d,%s\n", r.No, int64(r.Amount), r.At)
		}
		if i != 2 {
			paper += fmt.Sprintf("payment,%s,%s,%s\n", r.No, r.Amount, r.At)
		}
	}
	name := func(what string) string { return fmt.Sprintf("%s-%d", what, p.round) }
	var t struct{ ID, Status string }
	p.call(p.caller, "POST", "/v1/tieouts", name("tieout"), map[string]any{"day": p.day, "payer_id": p.payer}, &t)
	at := "/v1/tieouts/" + t.ID
	p.call(p.caller, "POST", at+"/mall", name("mall"), csvText(mall), nil)
	p.call(p.caller, "POST", at+"/statement?form=generic", name("paper"), csvText(paper), nil)
	p.call(p.caller, "POST", at+"/run", name("tie"), map[string]any{}, nil)
	p.until("the day is run", func() bool {
		p.call(p.caller, "GET", at, "", nil, &t)
		return t.Status != "running"
	})
}

func (p *payday) exec(sql string, args ...any) {
	p.t.Helper()
	if err := p.db.Tx(p.t.Context(), func(tx *database.Tx) error { return tx.Exec(sql, args...).Error }); err != nil {
		p.t.Fatal(err)
	}
}

// end is the errand's, with who got what under how many numbers, and how the
// day ties.
func (p *payday) end() string {
	var b strings.Builder
	b.WriteString(p.errand.end())
	for _, q := range []string{
		"SELECT CONCAT_WS(' ', 'bills', status, try_no, COUNT(*), SUM(net)) FROM payout_bills GROUP BY status, try_no",
		"SELECT CONCAT_WS(' ', 'tieouts', status, run_no, taken, matched, difference_count, open_count) FROM tieouts",
		"SELECT CONCAT_WS(' ', 'totals', run_no, side, kind, line_count, amount) FROM tieout_totals",
		"SELECT CONCAT_WS(' ', 'differences', run_no, difference, COUNT(*)) FROM tieout_differences GROUP BY run_no, difference",
	} {
		var rows []string
		if err := p.db.Read(p.t.Context()).Raw(q + " ORDER BY 1").Scan(&rows).Error; err != nil {
			p.t.Fatal(err)
		}
		fmt.Fprintln(&b, strings.Join(rows, "\n"))
	}
	fmt.Fprintln(&b, len(p.pay.Numbers()), "numbers, paid by WeChat", p.pay.Paid())
	return b.String()
}
