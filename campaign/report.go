package campaign

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// ErrNotEnded refuses a report of what still goes on.
var ErrNotEnded = fault.New(fault.KindConflict, "campaign.not_ended", "活动尚未结束（{state}），请查看实时统计", "the campaign has not ended ({state}); read its stats meanwhile")

// Best is the hour, group or promoter that brought most, by what was paid for
// goods and not given back.
type Best struct {
	HourAt   clock.Milli  `json:"hour_at"`
	GroupID  id.Group     `json:"group_id"`
	MemberID id.Member    `json:"member_id"`
	Paid     int64        `json:"paid"`
	Net      money.Amount `json:"net_fen"`
}

// ItemReport is an item after the end. Cost is what the pieces sold cost by
// the product's cost today; nil if that is unknown.
type ItemReport struct {
	ItemID id.Item       `json:"item_id"`
	Name   string        `json:"name"`
	Sold   int64         `json:"sold"`
	Unsold int64         `json:"unsold"`
	Net    money.Amount  `json:"net_fen"`
	Cost   *money.Amount `json:"cost_fen"`
}

// Report is what a campaign came to. Net is gross less refunds; Margin is net
// less the cost of goods and the rewards promised, nil if a cost is unknown.
// Held pieces may yet be paid for.
type Report struct {
	CampaignID   id.Campaign   `json:"campaign_id"`
	Name         string        `json:"name"`
	StartsAt     clock.Milli   `json:"starts_at"`
	EndsAt       clock.Milli   `json:"ends_at"`
	Total        Figures       `json:"total"`
	Sold         int64         `json:"sold"`
	Unsold       int64         `json:"unsold"`
	Held         int64         `json:"held"`
	Net          money.Amount  `json:"net_fen"`
	Cost         *money.Amount `json:"cost_fen"`
	Margin       *money.Amount `json:"margin_fen"`
	BestHour     *Best         `json:"best_hour"`
	BestGroup    *Best         `json:"best_group"`
	BestPromoter *Best         `json:"best_promoter"`
	Items        []ItemReport  `json:"items"`
	Targets      []Against     `json:"targets"`
	LastLike     *Like         `json:"last_like"`
	Advice       []Advice      `json:"advice"`

	zone *time.Location
}

// Report sums up a campaign that has ended, in one snapshot.
func (s *Service) Report(ctx context.Context, cid id.Campaign) (Report, error) {
	c, err := s.FindCampaign(ctx, cid)
	if err != nil {
		return Report{}, err
	}
	now := clock.MilliOf(s.DB.Clock.Now())
	if phase := c.Phase(now); phase != StatusEnded {
		return Report{}, ErrNotEnded.With("state", phase)
	}
	var out Report
	err = s.DB.Snapshot(ctx, func(q *database.Query) error {
		stats, err := statsOf(q, c, now)
		if err != nil {
			return err
		}
		products, err := productsOf(q, c)
		if err != nil {
			return err
		}
		out = summed(c, stats, products)
		if err := out.findBest(q, c); err != nil {
			return err
		}
		return out.compare(q, c, now)
	})
	return out, err
}

// compare sets the report beside its targets and the campaign before it, and
// says what to change.
func (r *Report) compare(q *database.Query, c Campaign, now clock.Milli) error {
	targets, err := targetsOf(q, c.ID)
	if err != nil {
		return err
	}
	if r.LastLike, err = lastLike(q, c, now); err != nil {
		return err
	}
	if r.zone, err = time.LoadLocation(c.Zone); err != nil {
		return err
	}
	r.Targets = targets.against(*r)
	r.Advice = advise(*r)
	return nil
}

// productsOf are the products of the campaign's items.
func productsOf(q *database.Query, c Campaign) (map[id.Product]Product, error) {
	ids := make([]id.Product, len(c.Items))
	for i, item := range c.Items {
		ids[i] = item.ProductID
	}
	return ProductsIn(q, ids)
}

// summed is the report without its best. The items of the campaign and of its
// stats are the same in the same order.
func summed(c Campaign, stats Stats, products map[id.Product]Product) Report {
	out := Report{
		CampaignID: c.ID, Name: c.Name, StartsAt: c.StartsAt, EndsAt: c.EndsAt,
		Total: stats.Total, Net: stats.Total.Gross - stats.Total.Refunded, Items: []ItemReport{},
	}
	cost, known := money.Amount(0), true
	for i, x := range stats.Items {
		r := ItemReport{ItemID: x.ItemID, Name: x.Name, Sold: x.Sold, Unsold: x.Left, Net: x.Gross - x.Refunded}
		if each := products[c.Items[i].ProductID].Cost; each > 0 {
			sum := each.Times(int(x.Sold))
			r.Cost, cost = &sum, cost+sum
		} else {
			known = false
		}
		out.Sold, out.Unsold, out.Held = out.Sold+x.Sold, out.Unsold+x.Left, out.Held+x.Held
		out.Items = append(out.Items, r)
	}
	if known {
		margin := out.Net - cost - stats.Total.RewardsPromised
		out.Cost, out.Margin = &cost, &margin
	}
	return out
}

func (r *Report) findBest(q *database.Query, c Campaign) error {
	for _, b := range []struct {
		to          **Best
		column, key string
		known       string
	}{
		{&r.BestHour, "hour_at", hourOf("orders.created_at", c), ""},
		{&r.BestGroup, "group_id", "codes.group_id", " AND codes.group_id > 0"},
		{&r.BestPromoter, "member_id", "orders.inviter_id", " AND orders.inviter_id > 0"},
	} {
		var rows []Best
		err := q.Raw("SELECT "+b.key+" AS "+b.column+", COUNT(*) AS paid, SUM(orders.goods - orders.refunded_goods) AS net"+
			" FROM orders LEFT JOIN codes ON codes.id = orders.code_id WHERE "+ordersOf+" AND orders.paid_at > 0"+b.known+
			" GROUP BY "+b.key+" ORDER BY net DESC, paid DESC, "+b.column+" LIMIT 1", c.ID, c.ID).Scan(&rows).Error
		if err != nil {
			return fmt.Errorf("campaign: report of %s: %w", c.ID, err)
		}
		if len(rows) > 0 {
			*b.to = &rows[0]
		}
	}
	return nil
}
