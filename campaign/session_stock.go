package campaign

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// ErrSessionSoldOut refuses a claim beyond what the open session may sell.
var ErrSessionSoldOut = fault.New(fault.KindConflict, "campaign.session_sold_out", "本场已抢完，请等下一场", "this session is sold out; wait for the next one")

// SessionLeft is how many pieces the session that began then may still sell,
// to whoever is not in the waiting line.
func (i Item) SessionLeft(began clock.Milli) int64 {
	if i.SessionStock == 0 {
		return i.Free()
	}
	taken := int64(0)
	if i.SessionAt >= began {
		taken = i.SessionTaken
	}
	return min(i.Free(), max(i.SessionStock-taken, 0))
}

// sessionRoom refuses pieces beyond the item's stock of the session that is
// open at now, of which more was taken already than its row says.
func (i *Item) sessionRoom(c *Campaign, now clock.Milli, more int64, qty int) error {
	if i.SessionStock == 0 || c.hours == nil {
		return nil
	}
	began, next := c.hours.since(now)
	switch {
	case began < i.SessionAt:
		return ErrBetweenSessions.With("next_at", i.SessionAt) // the next one began while this claim waited
	case began == i.SessionAt:
		more += i.SessionTaken
	}
	if more+int64(qty) > i.SessionStock {
		return ErrSessionSoldOut.With("next_at", next)
	}
	return nil
}

// joinSession adds pieces granted now to the count of the open session. If the
// item's count is still that of an earlier session, it begins anew at zero.
func (i *Item) joinSession(c *Campaign, now clock.Milli, pieces int64) {
	if i.SessionStock == 0 || c.hours == nil || now < i.SessionAt {
		return
	}
	if began, _ := c.hours.since(now); began > i.SessionAt {
		i.SessionAt, i.SessionTaken = began, 0
	}
	i.SessionTaken += pieces
}

// join notes an order that takes from the open session's stock. An order that a
// late payment revived may be older than the open session, and then takes
// nothing from its stock. If the item's count is still that of the revived
// order's own session, the item is noted with no pieces, so that its count
// turns to the open session.
func (b *batch) join(camp *Campaign, item Item, o Order) {
	if item.SessionStock == 0 || camp.hours == nil {
		return
	}
	began, _ := camp.hours.since(b.now)
	switch {
	case o.CreatedAt >= max(began, item.SessionAt):
		b.joined[item.ID] += int64(o.Qty)
	case o.CreatedAt >= item.SessionAt:
		b.joined[item.ID] += 0
	}
}

// takeSession writes what the batch took of the items that sell by session.
func (b *batch) takeSession(tx *database.Tx) error {
	for _, item := range sorted(b.joined) {
		locked := b.items[item]
		camp := b.campaigns[locked.CampaignID]
		locked.joinSession(&camp, b.now, b.joined[item])
		err := tx.Defer("UPDATE items SET session_at = ?, session_taken = ? WHERE id = ?", locked.SessionAt, locked.SessionTaken, item)
		if err != nil {
			return err
		}
	}
	return nil
}

// leaveSession takes pieces of an order that were given back out of the count
// of the session the order was made in, if it is still the one that counts.
// The item is locked.
func leaveSession(tx *database.Tx, o Order, pieces int64) error {
	return tx.Exec("UPDATE items SET session_taken = session_taken - ? WHERE id = ? AND session_stock > 0 AND session_at <= ?",
		pieces, o.ItemID, o.CreatedAt).Error
}

// checkSessionStock refuses a stock by session where there are no sessions.
func (s *Service) checkSessionStock(check *fault.Check, c Campaign, items []Item) error {
	hours, err := s.kinds[c.Kind].timetable(c)
	if err != nil {
		return err
	}
	for i, item := range items {
		check.That(item.SessionStock == 0 || hours != nil, fmt.Sprintf("items[%d].session_stock", i), "no_sessions",
			"活动没有场次；请填写 rules.sessions，或去掉每场库存", "the campaign has no sessions; give it rules.sessions, or leave this out")
	}
	return nil
}

// joinedSince counts, of the orders the condition finds, the live pieces that
// belong to the last session of the items that sell by session.
func joinedSince(q *database.Query, cond string, args ...any) (map[id.Item]int64, error) {
	var rows []struct {
		ItemID id.Item
		Pieces int64
	}
	err := q.Raw(`SELECT orders.item_id, SUM(orders.qty - orders.refunded_qty) AS pieces
		FROM orders JOIN items ON items.id = orders.item_id AND items.session_stock > 0 AND orders.created_at >= items.session_at
		WHERE orders.status IN ('held', 'paid') AND `+cond+" GROUP BY orders.item_id", args...).Scan(&rows).Error
	out := map[id.Item]int64{}
	for _, r := range rows {
		out[r.ItemID] = r.Pieces
	}
	return out, err
}
