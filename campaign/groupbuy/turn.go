package groupbuy

import (
	"maps"
	"slices"

	"siyu/campaign"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
	"siyu/referral"
)

// TurnTx follows orders that were paid, refunded or let go: a seat let go is
// free again while the team is open, and the last seat paid forms it. What
// happens after forming never unforms it.
func (s *Service) TurnTx(tx *database.Tx, orders []campaign.Order) error {
	turned := map[id.Team]*turn{}
	for _, o := range orders {
		t := turned[o.TeamID]
		if t == nil {
			t = &turn{}
			turned[o.TeamID] = t
		}
		switch o.Status {
		case campaign.OrderHeld:
		case campaign.OrderPaid:
			if o.RefundedGoods == 0 && o.RefundedQty == 0 {
				t.paid = append(t.paid, o)
			}
		default:
			t.freed++
		}
	}
	for _, tid := range slices.Sorted(maps.Keys(turned)) {
		if err := s.turnTeam(tx, tid, *turned[tid]); err != nil {
			return err
		}
	}
	return nil
}

// turn is what became of a team's orders in one transaction.
type turn struct {
	freed int
	paid  []campaign.Order // just now
}

func (s *Service) turnTeam(tx *database.Tx, tid id.Team, of turn) error {
	t, err := lockTeam(tx, tid)
	if err != nil || t.ID == 0 {
		return err
	}
	if t.Status == StatusFormed {
		if err := campaign.FormedTx(tx, of.paid); err != nil {
			return err
		}
		for _, o := range of.paid {
			if o.ID == t.OpenerOrder { // he paid after his team had formed
				if err := openerFee(tx, t); err != nil {
					return err
				}
			}
		}
		return campaign.ToShipTx(tx, of.paid)
	}
	if t.Status != StatusOpen {
		return nil
	}
	if of.freed > 0 {
		if err := tx.Exec("UPDATE teams SET live_seats = live_seats - ? WHERE id = ?", of.freed, tid).Error; err != nil {
			return err
		}
		t.LiveSeats -= of.freed
		if err := handOver(tx, &t); err != nil {
			return err
		}
	}
	if t.PaidSeats, err = paidSeats(tx.DB, tid); err != nil {
		return err
	}
	switch to, why := t.outcome(t.PaidSeats, 0); to { // at no time: the deadline is the sweep's
	case StatusFormed:
		return form(tx, t)
	case StatusFailed:
		return end(tx, t, why)
	}
	return nil
}

func lockTeam(tx *database.Tx, tid id.Team) (t Team, err error) {
	return t, tx.Raw("SELECT * FROM teams WHERE id = ?"+tx.Dialect.ForUpdate, tid).Scan(&t).Error
}

// form writes that the team formed and says that its paid orders may be sent.
func form(tx *database.Tx, t Team) error {
	t.Status, t.FormedAt, t.Counted = StatusFormed, tx.Now, t.PaidSeats
	err := tx.Exec("UPDATE teams SET status = ?, formed_at = ?, counted = ? WHERE id = ?", t.Status, t.FormedAt, t.Counted, t.ID).Error
	if err != nil {
		return err
	}
	if err := webhook.PublishTx(tx, eventFormed, t); err != nil {
		return err
	}
	if err := earn(tx, t.ID); err != nil {
		return err
	}
	if err := openerFee(tx, t); err != nil {
		return err
	}
	told, err := community.NoticesHeard(tx.DB)
	if err != nil {
		return err
	}
	if heard, err := campaign.ToShipHeard(tx.DB); err != nil || !heard && !told {
		return err
	}
	var paid []campaign.Order
	err = tx.Raw("SELECT orders.* FROM seats JOIN orders ON orders.id = seats.order_id WHERE seats.team_id = ? AND orders.status = ? ORDER BY orders.id",
		t.ID, campaign.OrderPaid).Scan(&paid).Error
	if err != nil {
		return err
	}
	for _, o := range paid {
		if err := campaign.NoticeTx(tx, community.NoticeTeamFormed, o, t.ID.String(), o.Amount); err != nil {
			return err
		}
	}
	return campaign.ToShipTx(tx, paid)
}

// earn asks for what invited members' orders earn because the team formed.
func earn(tx *database.Tx, tid id.Team) error {
	var invited []campaign.Order
	err := tx.Raw(`SELECT orders.* FROM seats JOIN orders ON orders.id = seats.order_id
		WHERE seats.team_id = ? AND orders.status = ? AND orders.program_id <> 0 ORDER BY orders.id`, tid, campaign.OrderPaid).Scan(&invited).Error
	if err != nil {
		return err
	}
	return campaign.FormedTx(tx, invited)
}

// openerFee asks for what whoever opened the team is paid for that. Teams from
// before an opener's order was kept were promised nothing.
func openerFee(tx *database.Tx, t Team) error {
	if t.OpenerOrder == 0 {
		return nil
	}
	pays, err := campaign.PaysOpener(tx.DB, t.CampaignID, t.CreatedAt)
	if err != nil || !pays {
		return err
	}
	ask := campaign.PayOpener{Order: t.OpenerOrder, OpenedAt: t.CreatedAt}
	err = tx.Raw(`SELECT orders.member_id FROM seats JOIN orders ON orders.id = seats.order_id
		WHERE seats.team_id = ? AND orders.status = ? AND orders.id <> ? GROUP BY orders.member_id ORDER BY MIN(orders.id) LIMIT ?`,
		t.ID, campaign.OrderPaid, t.OpenerOrder, referral.PeersMost).Scan(&ask.Peers).Error
	if err != nil {
		return err
	}
	return task.EnqueueTx(tx, ask, tx.Now)
}

// end writes that the team failed, and why.
func end(tx *database.Tx, t Team, why string) error {
	t.Status, t.ClosedAt, t.Counted, t.EndReason = StatusFailed, tx.Now, t.PaidSeats, why
	err := tx.Exec("UPDATE teams SET status = ?, closed_at = ?, counted = ?, end_reason = ? WHERE id = ?", t.Status, t.ClosedAt, t.Counted, why, t.ID).Error
	if err != nil {
		return err
	}
	return webhook.PublishTx(tx, eventFailed, t)
}

// handOver gives an open team whose opener left to whoever has sat in it
// longest. What the opener's own order cost stays his; the new opener keeps the
// price he joined at.
func handOver(tx *database.Tx, t *Team) error {
	var seats []struct {
		ID       id.Order
		MemberID id.Member
	}
	err := tx.Raw(`SELECT orders.id, orders.member_id FROM seats JOIN orders ON orders.id = seats.order_id
		WHERE seats.team_id = ? AND orders.status IN ('held', 'paid') ORDER BY orders.created_at, orders.id`, t.ID).Scan(&seats).Error
	if err != nil || len(seats) == 0 {
		return err
	}
	for _, x := range seats {
		if x.ID == t.OpenerOrder || t.OpenerOrder == 0 && x.MemberID == t.OpenerID {
			return nil
		}
	}
	from := t.OpenerOrder
	t.OpenerID, t.OpenerOrder = seats[0].MemberID, seats[0].ID
	if err := tx.Exec("UPDATE teams SET opener_id = ?, opener_order = ? WHERE id = ?", t.OpenerID, t.OpenerOrder, t.ID).Error; err != nil {
		return err
	}
	err = tx.Exec("INSERT INTO team_handovers (id, team_id, from_order, to_order, at) VALUES (?, ?, ?, ?, ?)", tx.Next(), t.ID, from, t.OpenerOrder, tx.Now).Error
	if err != nil {
		return err
	}
	return webhook.PublishTx(tx, eventHandedOver, handover{t.ID, from, t.OpenerOrder, t.OpenerID})
}

// handover is the event of a team that got another opener.
type handover struct {
	TeamID    id.Team   `json:"team_id"`
	FromOrder id.Order  `json:"from_order_id"`
	ToOrder   id.Order  `json:"to_order_id"`
	OpenerID  id.Member `json:"opener_id"`
}
