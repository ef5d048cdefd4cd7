package main_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"siyu/internal/database"
)

// errand is the main job as one patient client does it: every call has its
// Idempotency-Key and is sent again, to whoever serves by then, until it is
// answered. Whatever dies on the way, it must come to the same end.
type errand struct {
	t      testing.TB
	place  *place
	db     *database.DB // to look into the store
	server *process
	brand
	reviewer, cashier string
	program, code     string
	team, teamItem    string
	hook              *mailbox
	round             int

	// How members are paid, where it is not by the cashier's word alone.
	payer, channel string
	arrive         func(payout string)
}

// perRound is how many friends buy by the code in one round.
const perRound = 3

// newErrand founds the brand on a fresh store: a program whose rewards mature
// on receipt, a flash sale and a group-buy under it, an inviter with a code,
// and a webhook that gets what an errand brings about. The closing of the books
// is not among it: whether one falls into a run depends on the hour.
func newErrand(t testing.TB, engine string, env ...string) *errand {
	e := &errand{t: t, place: newPlace(t, engine), hook: newMailbox(t)}
	e.place.env = append(append(e.place.env, "SIYU_WEBHOOK_ALLOW=127.0.0.0/8"), env...)
	e.db = e.place.db()
	server, url := e.place.serve()
	e.server = server
	maker := caller{url: url, key: e.place.key("admin"), http: crowd()}
	e.reviewer, e.cashier = e.place.key("finance"), e.place.key("cashier")
	maker.must(t, "POST", "/v1/webhooks", "hook", map[string]any{"url": e.hook.URL, "events": []string{
		"binding.*", "campaign.*", "notice.*", "order.*", "payout.*", "points.*", "refund.*", "reward.*", "settlement.*", "team.*"}}, nil)
	var made struct{ ID string }
	maker.must(t, "POST", "/v1/programs", "program", map[string]any{
		"name": "老带新", "budget_fen": 1_000_000, "rules": map[string]any{
			"trigger": "every_paid_order", "inviter_has_completed_order": false, "hold_days_after_receipt": 0,
			"rewards": []map[string]any{
				{"rule": "inviter_share", "to": "inviter", "mode": "percent", "rate_bp": 500},
				{"rule": "invitee_gift", "to": "invitee", "mode": "fixed", "amount_fen": 100},
			},
		},
	}, &made)
	e.program = made.ID
	e.brand = e.place.open(url, 1+3*(perRound+2), 1, 100, map[string]any{"program_id": e.program})
	var sale struct {
		ID    string
		Items []struct{ ID string }
	}
	e.must(t, "POST", "/v1/campaigns", "team", map[string]any{
		"kind": "group_buy", "name": "二人成团", "rules": map[string]any{"size": 2},
		"items":     []map[string]any{{"sku": "SKU-0", "price_fen": 1000, "stock": 100, "per_member": 1, "per_order": 1}},
		"starts_at": time.Now().Add(-time.Minute).Format(time.RFC3339), "ends_at": time.Now().Add(24 * time.Hour).Format(time.RFC3339),
	}, &sale)
	e.team, e.teamItem = sale.ID, sale.Items[0].ID
	e.must(t, "POST", "/v1/campaigns/"+e.team+"/publish", "publish-team", nil, nil)
	var code struct{ Code string }
	e.as(e.tokens[0]).must(t, "POST", "/v1/codes", "code", map[string]any{"program_id": e.program, "campaign_id": e.campaign}, &code)
	e.code = code.Code
	return e
}

// call sends until there is an answer and reads it.
func (e *errand) call(c caller, method, path, key string, body, into any) {
	e.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		a, err := c.at(e.url()).send(method, path, key, body)
		if err != nil || a.status >= 500 || a.code == "idempotency.in_flight" {
			continue
		}
		if a.status >= 300 {
			e.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
		}
		if into != nil {
			if err := a.read(into); err != nil {
				e.t.Fatal(err)
			}
		}
		return
	}
	e.t.Fatalf("%s %s was not answered within 30 s", method, path)
}

// url is where the house answers; a server that died is started again, with
// no kill point.
func (e *errand) url() string {
	if !e.server.alive() {
		e.server, e.brand.url = e.place.serve()
	}
	return e.brand.url
}

// arm has the next server die at the point.
func (e *errand) arm(point string) *process {
	e.server.kill()
	e.server = e.place.start("SIYU_KILL_AT=" + point)
	e.brand.url = e.server.url()
	return e.server
}

// run does one round of the main job.
func (e *errand) run() {
	e.round++
	name := func(what string, n int) string { return fmt.Sprintf("%s-%d-%d", what, e.round, n) }
	first := 1 + (e.round-1)*(perRound+2)
	var bought []order
	for n := first; n < first+perRound; n++ {
		var o order
		e.call(e.as(e.tokens[n]), "POST", "/v1/campaigns/"+e.campaign+"/claims", name("claim", n), map[string]any{"item_id": e.items[0], "code": e.code}, &o)
		bought = append(bought, o)
	}
	var opened struct {
		order
		TeamID string `json:"team_id"`
	}
	e.call(e.as(e.tokens[first+perRound]), "POST", "/v1/campaigns/"+e.team+"/teams", name("open", 0), map[string]any{"item_id": e.teamItem}, &opened)
	var joined order
	e.call(e.as(e.tokens[first+perRound+1]), "POST", "/v1/teams/"+opened.TeamID+"/join", name("join", 0), map[string]any{}, &joined)
	for i, o := range append(bought, opened.order, joined) {
		pay := map[string]any{"provider": "wechat", "payment_no": "wx" + o.ID, "goods_fen": o.Amount, "amount_fen": o.Amount}
		e.call(e.caller, "POST", "/v1/orders/"+o.ID+"/payments", name("pay", i), pay, nil)
		e.call(e.caller, "POST", "/v1/orders/"+o.ID+"/shipments", name("ship", i), map[string]any{"stage": "received", "shipment_no": "sf" + o.ID}, nil)
	}
	e.until("the rewards are cleared", func() bool { return e.rewards("cleared") == 2*perRound*e.round-2*(e.round-1) })
	e.age()
	e.settle(name)
	back := bought[0]
	e.call(e.caller, "POST", "/v1/orders/"+back.ID+"/refunds", name("refund", 0), map[string]any{"refund_no": "rf", "amount_fen": back.Amount, "goods_fen": back.Amount}, nil)
	e.until("the rewards are clawed back", func() bool { return e.rewards("clawed_back") == 2*e.round })
}

// settle closes a settlement that is rejected, and one that is reviewed and
// paid.
func (e *errand) settle(name func(string, int) string) {
	var s struct{ ID, Status, Digest string }
	reach := func(status string) {
		e.until("the settlement is "+status, func() bool {
			e.call(e.caller, "GET", "/v1/settlements/"+s.ID, "", nil, &s)
			return s.Status == status
		})
	}
	for try := range 2 {
		in := map[string]any{"label": "第一期"}
		if e.payer != "" {
			in["payer_id"] = e.payer
		}
		e.call(e.caller, "POST", "/v1/settlements", name("settlement", try), in, &s)
		e.turn(e.brand.key, s.ID, "close", map[string]any{}, "open")
		reach("closed")
		if try == 0 {
			e.turn(e.reviewer, s.ID, "reject", map[string]any{"reason": "请重做"}, "closed")
			e.until("its lines are free", func() bool {
				return e.count("SELECT COUNT(*) FROM settlements WHERE status = 'rejected' AND freed_at = 0") == 0
			})
		}
	}
	e.turn(e.reviewer, s.ID, "review", map[string]any{"digest": s.Digest}, "closed")
	var p struct{ ID string }
	in := map[string]any{"settlement_id": s.ID}
	if e.channel != "" {
		in["channel"] = e.channel
	}
	e.call(e.as(e.cashier), "POST", "/v1/payouts", name("payout", 0), in, &p)
	e.call(e.as(e.cashier), "POST", "/v1/payouts/"+p.ID+"/pay", name("pay-out", 0), map[string]any{}, nil)
	if e.arrive != nil {
		e.arrive(p.ID)
	}
	reach("paid")
}

// turn moves a settlement on from a state. These calls carry no key: whether
// one that was cut off has happened is seen on the settlement.
func (e *errand) turn(key, settlement, verb string, body any, from string) {
	e.until("settlement "+verb, func() bool {
		var s struct{ Status string }
		e.call(e.caller, "GET", "/v1/settlements/"+settlement, "", nil, &s)
		if s.Status != from {
			return true
		}
		a, err := e.as(key).at(e.url()).send("POST", "/v1/settlements/"+settlement+"/"+verb, "", body)
		if err == nil && a.status >= 400 && a.status < 500 && a.status != http.StatusConflict {
			e.t.Fatalf("%s: %d %s", verb, a.status, a.body)
		}
		return err == nil && a.status < 300
	})
}

// until waits for the workers; a server that died meanwhile is started again.
func (e *errand) until(what string, done func() bool) {
	for end := time.Now().Add(45 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if e.url(); done() {
			return
		}
	}
	e.t.Fatalf("not within 45 s: %s", what)
}

func (e *errand) rewards(state string) (n int) {
	var list struct{ Items []struct{ State string } }
	e.call(e.caller, "GET", "/v1/rewards?limit=200", "", nil, &list)
	for _, r := range list.Items {
		if r.State == state {
			n++
		}
	}
	return n
}

func (e *errand) count(query string) (n int) {
	if err := e.db.Read(context.Background()).Raw(query).Scan(&n).Error; err != nil {
		e.t.Fatal(err)
	}
	return n
}

// age makes the clearings so far older than the five minutes that a cut-off
// keeps from now.
func (e *errand) age() {
	err := e.db.Tx(context.Background(), func(tx *database.Tx) error {
		now := time.Now().UnixMilli()
		err := tx.Exec("UPDATE clearings SET cleared_at = cleared_at - 600000 WHERE cleared_at > ?", now-300_000).Error
		if err != nil {
			return err
		}
		return tx.Exec("UPDATE reward_events SET at = at - 600000 WHERE kind = 'cleared' AND at > ?", now-300_000).Error
	})
	if err != nil {
		e.t.Fatal(err)
	}
}

// mailbox is the mall's end of a webhook. It tells repeats by webhook-id.
type mailbox struct {
	*httptest.Server
	mu   sync.Mutex
	seen map[string]bool
}

func newMailbox(t testing.TB) *mailbox {
	r := &mailbox{seen: map[string]bool{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.seen[req.Header.Get("webhook-id")] = true
	}))
	t.Cleanup(r.Close)
	return r
}

// end lets the house come to rest, has it prove its invariants, and is all
// that the rounds have left behind, without ids and times: equal ends are
// equal texts.
func (e *errand) end() string {
	e.until("every event is received", func() bool { return e.count("SELECT COUNT(*) FROM deliveries WHERE status = 'pending'") == 0 })
	e.place.proven()
	var b strings.Builder
	for _, q := range []string{
		"SELECT CONCAT_WS(' ', 'orders', status, COUNT(*), SUM(amount), SUM(refunded_goods)) FROM orders GROUP BY status",
		"SELECT CONCAT_WS(' ', 'item', stock, left_qty, held_qty, sold_qty) FROM items",
		"SELECT CONCAT_WS(' ', 'payments', COUNT(*), SUM(amount)) FROM payments",
		"SELECT CONCAT_WS(' ', 'refunds', status, COUNT(*), SUM(amount)) FROM refunds GROUP BY status",
		"SELECT CONCAT_WS(' ', 'teams', status, COUNT(*), SUM(live_seats)) FROM teams GROUP BY status",
		"SELECT CONCAT_WS(' ', 'bindings', COUNT(*)) FROM bindings",
		"SELECT CONCAT_WS(' ', 'rewards', rule, COUNT(*), SUM(amount)) FROM rewards GROUP BY rule",
		"SELECT CONCAT_WS(' ', 'reward events', kind, COUNT(*), SUM(amount)) FROM reward_events GROUP BY kind",
		// How many rewards one transfer clears depends on when the worker came.
		"SELECT CONCAT_WS(' ', 'transfers', kind, COUNT(*)) FROM transfers WHERE kind <> 'reward_clear' GROUP BY kind",
		"SELECT CONCAT_WS(' ', 'moved', t.kind, SUM(x.amount)) FROM transfers t JOIN entries x ON x.transfer_id = t.id WHERE x.amount > 0 GROUP BY t.kind",
		"SELECT CONCAT_WS(' ', 'accounts', stage, owner_kind, COUNT(*), SUM(balance)) FROM accounts GROUP BY stage, owner_kind",
		"SELECT CONCAT_WS(' ', 'settlements', status, COUNT(*), SUM(line_count), SUM(net)) FROM settlements GROUP BY status",
		"SELECT CONCAT_WS(' ', 'lines', kind, COUNT(*), SUM(net)) FROM settlement_lines GROUP BY kind",
		"SELECT CONCAT_WS(' ', 'payouts', status, COUNT(*), SUM(net), SUM(line_count)) FROM payouts GROUP BY status",
		"SELECT CONCAT_WS(' ', 'events', type, COUNT(*)) FROM events GROUP BY type",
		"SELECT CONCAT_WS(' ', 'deliveries', status, COUNT(*)) FROM deliveries GROUP BY status",
		"SELECT CONCAT_WS(' ', 'tasks dead', COUNT(*)) FROM outbox WHERE status = 3",
	} {
		var rows []string
		if err := e.db.Read(context.Background()).Raw(q + " ORDER BY 1").Scan(&rows).Error; err != nil {
			e.t.Fatal(err)
		}
		fmt.Fprintln(&b, strings.Join(rows, "\n"))
	}
	e.hook.mu.Lock()
	defer e.hook.mu.Unlock()
	fmt.Fprintln(&b, "received", len(e.hook.seen))
	return b.String()
}
