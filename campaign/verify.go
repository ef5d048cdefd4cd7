package campaign

import (
	"context"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Verify proves V1, V2, V12 and the orders' part of V9.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	var out []database.Proof
	for _, prove := range []func(*database.Query, *database.Proof) error{proveStock, proveLimits, proveSwept, proveLines} {
		var p database.Proof
		if err := db.Snapshot(ctx, func(q *database.Query) error { return prove(q, &p) }); err != nil {
			return out, err
		}
		out = append(out, p)
	}
	return out, nil
}

// proveStock checks V1, and that the counters are what the orders say.
func proveStock(q *database.Query, p *database.Proof) error {
	p.ID, p.Says = "V1", "left + held + sold = stock, none negative, as the orders say"
	var sums []struct {
		ItemID     id.Item
		Held, Sold int64
	}
	err := q.Raw(`SELECT item_id,
			SUM(CASE WHEN status = 'held' THEN qty ELSE 0 END) AS held,
			SUM(CASE WHEN status IN ('paid', 'refunded') THEN qty - refunded_qty ELSE 0 END) AS sold
		FROM orders GROUP BY item_id`).Scan(&sums).Error
	if err != nil {
		return err
	}
	says := map[id.Item]move{}
	for _, s := range sums {
		says[s.ItemID] = move{held: s.Held, sold: s.Sold}
	}
	var items []Item
	if err := q.Raw("SELECT * FROM items ORDER BY id").Scan(&items).Error; err != nil {
		return err
	}
	for _, r := range items {
		p.Checked++
		if r.Left < 0 || r.Held < 0 || r.Sold < 0 || r.Left+r.Held+r.Sold != r.Stock {
			p.Break("%s: left %d + held %d + sold %d against stock %d", r.ID, r.Left, r.Held, r.Sold, r.Stock)
		}
		if said := says[r.ID]; r.Held != said.held || r.Sold != said.sold {
			p.Break("%s: held %d sold %d, but its orders hold %d and sold %d", r.ID, r.Held, r.Sold, said.held, said.sold)
		}
	}
	return nil
}

// proveLimits checks V2 against the limit frozen on the member's newest order.
func proveLimits(q *database.Query, p *database.Proof) error {
	p.ID, p.Says = "V2", "pieces per member and item within the frozen limit"
	var rows []struct {
		ItemID   id.Item
		MemberID id.Member
		Qty      int
		Allowed  int
	}
	err := q.Raw(`SELECT h.item_id, h.member_id, h.qty,
			(SELECT limit_frozen FROM orders WHERE id = h.newest) AS allowed
		FROM (SELECT item_id, member_id, MAX(id) AS newest, SUM(CASE WHEN status IN ('held', 'paid') THEN qty - refunded_qty ELSE 0 END) AS qty
			FROM orders GROUP BY item_id, member_id) h`).Scan(&rows).Error
	if err != nil {
		return err
	}
	var merged []struct {
		ItemID   id.Item
		MemberID id.Member
		Qty      int
	}
	if err := q.Raw("SELECT item_id, member_id, qty FROM limit_merges").Scan(&merged).Error; err != nil {
		return err
	}
	brought := map[place]int{}
	for _, m := range merged {
		brought[place{m.ItemID, m.MemberID}] = m.Qty
	}
	for _, r := range rows {
		p.Checked++
		if r.Allowed > 0 && r.Qty > r.Allowed+brought[place{r.ItemID, r.MemberID}] {
			p.Break("%s holds %d of %s, limit %d", r.MemberID, r.Qty, r.ItemID, r.Allowed)
		}
	}
	return nil
}

// proveSwept checks that nothing unpaid outlived the sweep, and that money of
// orders let go is on its way back.
func proveSwept(q *database.Query, p *database.Proof) error {
	p.ID, p.Says = "V9", "nothing held past the sweep; no paid money stranded"
	var swept clock.Milli
	if err := q.Raw("SELECT COALESCE(MAX(swept), 0) FROM sweeps WHERE name = ?", ordersSwept).Scan(&swept).Error; err != nil {
		return err
	}
	var late []id.Order
	if err := q.Raw("SELECT id FROM orders WHERE status = 'held' AND deadline_at < ? LIMIT 100", swept).Scan(&late).Error; err != nil {
		return err
	}
	for _, o := range late {
		p.Break("%s is held unpaid past its deadline", o)
	}
	choosing, err := proveLate(q, p)
	if err != nil {
		return err
	}
	var payments []struct {
		Payment
		Bought clock.Milli
	}
	err = q.Raw(`SELECT payments.*, orders.paid_at AS bought FROM payments JOIN orders ON orders.id = payments.order_id
		ORDER BY payments.order_id, payments.id`).Scan(&payments).Error
	if err != nil {
		return err
	}
	var backs []Refund
	if err := q.Raw("SELECT * FROM refunds WHERE refund_no LIKE 'back!_%' ESCAPE '!'").Scan(&backs).Error; err != nil {
		return err
	}
	back := map[string]bool{}
	for _, r := range backs {
		back[r.RefundNo] = true
	}
	kept := map[id.Order]bool{}
	for _, pay := range payments {
		p.Checked++
		if back[backPrefix+pay.ID.String()] || choosing[pay.ID] {
			continue
		}
		if pay.Bought == 0 {
			p.Break("%s of %s bought nothing, has no refund and no choice", pay.ID, pay.OrderID)
		}
		if kept[pay.OrderID] {
			p.Break("%s of %s bought nothing and has no refund", pay.ID, pay.OrderID)
		}
		kept[pay.OrderID] = true
	}
	var unpaid []id.Order
	if err := q.Raw("SELECT id FROM orders WHERE paid_at > 0 AND status IN ('held', 'expired', 'cancelled')").Scan(&unpaid).Error; err != nil {
		return err
	}
	for _, o := range unpaid {
		p.Break("%s was paid but is not paid", o)
	}
	return proveAlerts(q, p)
}

// proveAlerts checks that no refund was open past its bound, up to when the
// alert sweep last ran, without having said so.
func proveAlerts(q *database.Query, p *database.Proof) error {
	var swept clock.Milli
	if err := q.Raw("SELECT COALESCE(MAX(swept), 0) FROM sweeps WHERE name = ?", refundsAlerted).Scan(&swept).Error; err != nil {
		return err
	}
	var silent []Refund
	err := q.Raw("SELECT * FROM refunds WHERE status IN ? AND alerted_at = 0 AND created_at <= ?",
		[]RefundStatus{RefundRequested, RefundFailed}, swept.Add(-refundBound)).Scan(&silent).Error
	for _, r := range silent {
		p.Break("%s of %s is overdue without an alert", r.ID, r.OrderID)
	}
	return err
}

// VerifyStrict proves that the sweeps are at most 60 s behind the store's
// time; teams are swept as often as orders.
func VerifyStrict(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V9+", Says: "sweeps at most 60 s behind the store's time"}
	err := db.Snapshot(ctx, func(q *database.Query) error {
		now, err := database.StoreNow(q)
		if err != nil {
			return err
		}
		var rows []struct {
			Name  string
			Swept clock.Milli
		}
		if err := q.Raw("SELECT name, swept FROM sweeps").Scan(&rows).Error; err != nil {
			return err
		}
		for _, r := range rows {
			p.Checked++
			if r.Name != refundsAlerted && now-r.Swept > clock.Milli(time.Minute.Milliseconds()) {
				p.Break("the %s sweep is %s behind", r.Name, time.Duration(now-r.Swept)*time.Millisecond)
			}
		}
		return nil
	})
	return []database.Proof{p}, err
}
