package campaign

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// Figures are what orders came to, of one item or of a whole campaign.
type Figures struct {
	Orders          OrderCounts  `json:"orders" gorm:"embedded"`
	Gross           money.Amount `json:"gross_fen"`
	Refunded        money.Amount `json:"refunded_fen"`
	RewardsPromised money.Amount `json:"rewards_promised_fen"`
	RewardsCleared  money.Amount `json:"rewards_cleared_fen"`
	// Conversion is bought of made, unknown while none was made.
	Conversion *money.Bps `json:"conversion_bps" gorm:"-"`
}

// OrderCounts are orders by status; Made is all of them, Bought those ever
// paid.
type OrderCounts struct {
	Made      int64 `json:"made"`
	Bought    int64 `json:"bought"`
	Held      int64 `json:"held"`
	Paid      int64 `json:"paid"`
	Refunded  int64 `json:"refunded" gorm:"column:let_back"`
	Expired   int64 `json:"expired"`
	Cancelled int64 `json:"cancelled"`
}

// ItemStats is an item's stock and figures.
type ItemStats struct {
	ItemID id.Item      `json:"item_id"`
	Name   string       `json:"name"`
	Price  money.Amount `json:"price_fen"`
	Stock  int64        `json:"stock"`
	Left   int64        `json:"left"`
	Held   int64        `json:"held"`
	Sold   int64        `json:"sold"`
	Figures
}

// Stats is where a campaign stands at one moment.
type Stats struct {
	CampaignID id.Campaign `json:"campaign_id"`
	Status     Status      `json:"status"`
	At         clock.Milli `json:"at"`
	Total      Figures     `json:"total"`
	Items      []ItemStats `json:"items"`
	// Budget is nil if the campaign has none.
	Budget *BudgetStats `json:"budget"`
}

// Stats counts the campaign's orders and rewards in one snapshot.
func (s *Service) Stats(ctx context.Context, cid id.Campaign) (Stats, error) {
	c, err := s.FindCampaign(ctx, cid)
	if err != nil {
		return Stats{}, err
	}
	var out Stats
	err = s.DB.Snapshot(ctx, func(q *database.Query) error {
		out, err = statsOf(q, c, clock.MilliOf(s.DB.Clock.Now()))
		return err
	})
	return out, err
}

// ordersOf is the condition that finds a campaign's orders. They have no index
// by campaign, which every claim would pay for; but ids are made in the order
// of time, so none is older than its campaign.
const ordersOf = "orders.id > ? AND orders.campaign_id = ?"

func statsOf(q *database.Query, c Campaign, now clock.Milli) (Stats, error) {
	out := Stats{CampaignID: c.ID, Status: c.Phase(now), At: now, Items: []ItemStats{}}
	var items []Item
	if err := q.Raw("SELECT * FROM items WHERE campaign_id = ? ORDER BY sort_no, id", c.ID).Scan(&items).Error; err != nil {
		return out, fmt.Errorf("campaign: stats of %s: %w", c.ID, err)
	}
	figures, err := figuresOf(q, c.ID)
	if err != nil {
		return out, fmt.Errorf("campaign: stats of %s: %w", c.ID, err)
	}
	if out.Budget, err = budgetOf(q, c, now); err != nil {
		return out, fmt.Errorf("campaign: stats of %s: %w", c.ID, err)
	}
	for _, f := range figures {
		out.Total.add(f)
	}
	out.Total.convert()
	for _, i := range items {
		f := figures[i.ID]
		f.convert()
		out.Items = append(out.Items, ItemStats{i.ID, i.Name, i.Price, i.Stock, i.Left, i.Held, i.Sold, f})
	}
	return out, nil
}

// figuresOf are the figures by item; rewards that no order earned stand under
// item 0.
func figuresOf(q *database.Query, c id.Campaign) (map[id.Item]Figures, error) {
	type row struct {
		ItemID id.Item
		Figures
	}
	var sums, costs []row
	err := q.Raw(`SELECT item_id, COUNT(*) AS made,
			SUM(CASE WHEN status = 'held' THEN 1 ELSE 0 END) AS held,
			SUM(CASE WHEN status = 'paid' THEN 1 ELSE 0 END) AS paid,
			SUM(CASE WHEN status = 'refunded' THEN 1 ELSE 0 END) AS let_back,
			SUM(CASE WHEN status = 'expired' THEN 1 ELSE 0 END) AS expired,
			SUM(CASE WHEN status = 'cancelled' THEN 1 ELSE 0 END) AS cancelled,
			SUM(CASE WHEN paid_at > 0 THEN 1 ELSE 0 END) AS bought,
			SUM(goods) AS gross, SUM(refunded_goods) AS refunded
		FROM orders WHERE `+ordersOf+` GROUP BY item_id`, c, c).Scan(&sums).Error
	if err != nil {
		return nil, err
	}
	cost, args := referral.Cost(c)
	err = q.Raw(`SELECT COALESCE(orders.item_id, 0) AS item_id, SUM(k.promised) AS rewards_promised, SUM(k.cleared) AS rewards_cleared
		FROM (`+cost+`) k LEFT JOIN orders ON orders.id = k.order_id GROUP BY COALESCE(orders.item_id, 0)`, args...).Scan(&costs).Error
	if err != nil {
		return nil, err
	}
	out := make(map[id.Item]Figures, len(sums))
	for _, r := range append(sums, costs...) {
		f := out[r.ItemID]
		f.add(r.Figures)
		out[r.ItemID] = f
	}
	return out, nil
}

func (f *Figures) add(g Figures) {
	f.Orders.Held += g.Orders.Held
	f.Orders.Paid += g.Orders.Paid
	f.Orders.Refunded += g.Orders.Refunded
	f.Orders.Expired += g.Orders.Expired
	f.Orders.Cancelled += g.Orders.Cancelled
	f.Orders.Bought += g.Orders.Bought
	f.Orders.Made += g.Orders.Made
	f.Gross += g.Gross
	f.Refunded += g.Refunded
	f.RewardsPromised += g.RewardsPromised
	f.RewardsCleared += g.RewardsCleared
}

func (f *Figures) convert() { f.Conversion = knownBps(f.Orders.Bought, f.Orders.Made) }

// knownBps is bpsOf, and unknown of nothing: a share of nobody is no 0 %.
func knownBps(part, whole int64) *money.Bps {
	if whole == 0 {
		return nil
	}
	return new(bpsOf(part, whole))
}

// bpsOf is the part of the whole in basis points; of nothing it is 0.
func bpsOf(part, whole int64) money.Bps {
	return money.Bps(money.Amount(money.Whole).Share(money.Amount(part), money.Amount(whole)))
}
