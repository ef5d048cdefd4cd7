package campaign

import (
	"strconv"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

// serveMax is how many places one transaction serves; the rest is a task.
const serveMax = 100

// serveLine gives what is left of the item to the head of its line, in the
// transaction that freed it and with the item locked. While places wait, an
// ordinary claim may take only what is left beyond them, so a line that could
// not be served at once is not overtaken. A paused campaign's line stands.
func (s *Service) serveLine(tx *database.Tx, item id.Item) error {
	for left := serveMax; ; {
		var i Item
		if err := tx.Raw("SELECT * FROM items WHERE id = ?", item).Scan(&i).Error; err != nil {
			return err
		}
		n := min(i.Left, i.Waiting)
		if n <= 0 {
			return nil
		}
		if left == 0 {
			return task.EnqueueTx(tx, serveItem{item}, tx.Now)
		}
		var c Campaign
		if err := tx.Raw("SELECT * FROM campaigns WHERE id = ?", i.CampaignID).Scan(&c).Error; err != nil {
			return err
		}
		if c.Phase(tx.Now) != StatusRunning {
			return nil
		}
		served, err := s.serveHeads(tx, item, min(int(n), left))
		if err != nil || served == 0 { // a count without places is V12's to tell
			return err
		}
		left -= served
	}
}

// serveHeads takes the n first places out of the line: each is granted an
// order of its own, or skipped with the reason.
func (s *Service) serveHeads(tx *database.Tx, item id.Item, n int) (served int, err error) {
	var heads []Wait
	err = tx.Raw("SELECT * FROM waits WHERE item_id = ? AND status = ? ORDER BY seq LIMIT ?", item, WaitWaiting, n).Scan(&heads).Error
	if err != nil || len(heads) == 0 {
		return 0, err
	}
	claims := make([]Claim, len(heads))
	for i, w := range heads {
		claims[i] = Claim{
			Campaign: w.CampaignID, Item: item, Member: w.MemberID, Qty: 1, fromLine: true,
			By: w.MemberID, Key: w.ID.String() + " " + strconv.FormatInt(w.Seq, 10),
		}
	}
	out, err := s.TakeTx(tx, claims)
	if err != nil {
		return 0, err
	}
	var granted []Order
	for i, w := range heads {
		w.Status, w.OrderID = WaitGranted, out[i].Order.ID
		if out[i].Refusal == nil {
			granted = append(granted, out[i].Order)
		} else if f, ok := fault.As(out[i].Refusal); ok {
			w.Status, w.Reason = WaitSkipped, f.Code
		} else {
			return 0, out[i].Refusal
		}
		err := tx.Exec("UPDATE waits SET status = ?, reason = ?, order_id = ?, closed_at = ? WHERE id = ?", w.Status, w.Reason, w.OrderID, tx.Now, w.ID).Error
		if err != nil {
			return 0, err
		}
	}
	if err := countWaits(tx, item, -int64(len(heads))); err != nil {
		return 0, err
	}
	for _, o := range granted {
		if err := NoticeTx(tx, community.NoticeWaitGranted, o, o.ID.String(), o.Amount); err != nil {
			return 0, err
		}
	}
	return len(heads), publishOrders(tx, eventOrderFromWait, granted)
}

// serveItem is the task that serves the line of an item whose stock grew, or
// whose campaign runs again.
type serveItem struct {
	Item id.Item `json:"item"`
}

// Kind names the task.
func (serveItem) Kind() string { return "campaign:serve_line" }

func (s *Service) serve(tx *database.Tx, a serveItem) error {
	if err := LockItemTx(tx, a.Item); err != nil {
		return err
	}
	tx.AfterCommit(func() { s.shelves.forget(a.Item) })
	return s.serveLine(tx, a.Item)
}

// serveLaterTx lets the lines of the campaign be served once this transaction
// stands: what it changes of the campaign must not be remembered before.
func serveLaterTx(tx *database.Tx, cid id.Campaign) error {
	var items []id.Item
	if err := tx.Raw("SELECT id FROM items WHERE campaign_id = ? AND waiting > 0 ORDER BY id", cid).Scan(&items).Error; err != nil {
		return err
	}
	for _, item := range items {
		if err := task.EnqueueTx(tx, serveItem{item}, tx.Now); err != nil {
			return err
		}
	}
	return nil
}

// proveLines checks V12 of every line.
func proveLines(q *database.Query, p *database.Proof) error {
	p.ID, p.Says = "V12", "a waiting line is served from its head; nobody granted has no order"
	var lines []struct {
		ItemID                 id.Item
		Counted, Waits         int64
		FirstWaits, LastServed int64
	}
	err := q.Raw(`SELECT items.id AS item_id, items.waiting AS counted, COALESCE(w.waits, 0) AS waits,
			COALESCE(w.first_waits, 0) AS first_waits, COALESCE(w.last_served, 0) AS last_served
		FROM items LEFT JOIN (SELECT item_id, SUM(CASE WHEN status = 'waiting' THEN 1 ELSE 0 END) AS waits,
			MIN(CASE WHEN status = 'waiting' THEN seq END) AS first_waits,
			MAX(CASE WHEN status IN ('granted', 'skipped') THEN seq END) AS last_served
			FROM waits GROUP BY item_id) w ON w.item_id = items.id
		WHERE items.waiting <> 0 OR w.item_id IS NOT NULL`).Scan(&lines).Error
	if err != nil {
		return err
	}
	for _, l := range lines {
		p.Checked++
		if l.Counted != l.Waits {
			p.Break("%s counts %d places that wait, but %d do", l.ItemID, l.Counted, l.Waits)
		}
		if l.Waits > 0 && l.FirstWaits < l.LastServed {
			p.Break("%s served place %d before %d", l.ItemID, l.LastServed, l.FirstWaits)
		}
	}
	var without []id.Wait
	err = q.Raw(`SELECT waits.id FROM waits LEFT JOIN orders ON orders.id = waits.order_id AND orders.item_id = waits.item_id
		WHERE waits.status = 'granted' AND orders.id IS NULL LIMIT 100`).Scan(&without).Error
	for _, w := range without {
		p.Break("%s was granted, but has no order", w)
	}
	return err
}
