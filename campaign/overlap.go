package campaign

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Overlap is another campaign whose window touches this one's, and what the
// two share beside the dates. Of one in a unit the caller does not see only
// the window and what is shared is told.
type Overlap struct {
	CampaignID   id.Campaign `json:"campaign_id"`
	Name         string      `json:"name"`
	Kind         string      `json:"kind"`
	Status       Status      `json:"status"`
	StartsAt     clock.Milli `json:"starts_at"`
	EndsAt       clock.Milli `json:"ends_at"`
	SKUs         []string    `json:"skus"`
	Groups       []id.Group  `json:"groups"`
	Everybody    bool        `json:"everybody"` // one of the two is for everybody, so they share members
	SharesBudget bool        `json:"shares_budget"`
}

// overlapMost is how many overlapping campaigns are named.
const overlapMost = 200

// overlaps reads the campaigns, drafts among them, whose window touches c's;
// those that share a product come first. More says that there are others.
func overlaps(q *database.Query, actor database.Actor, c Campaign, products map[id.Product]Product) (out []Overlap, more bool, err error) {
	var rows []Campaign
	err = q.Raw("SELECT * FROM campaigns WHERE starts_at < ? AND ends_at > ? AND id <> ? AND status IN ? ORDER BY id DESC LIMIT ?",
		c.EndsAt, c.StartsAt, c.ID, []Status{StatusDraft, StatusScheduled, StatusRunning, StatusPaused}, overlapMost+1).Scan(&rows).Error
	if err != nil {
		return nil, false, fmt.Errorf("campaign: overlaps of %s: %w", c.ID, err)
	}
	if more = len(rows) > overlapMost; more {
		rows = rows[:overlapMost]
	}
	shared, err := productsIn(q, rows)
	if err != nil {
		return nil, false, err
	}
	for _, x := range rows {
		if err := x.unpack(); err != nil {
			return nil, false, err
		}
		out = append(out, overlapOf(actor, c, x, shared[x.ID], products))
	}
	slices.SortStableFunc(out, func(a, b Overlap) int {
		return cmp.Or(cmp.Compare(len(b.SKUs), len(a.SKUs)), cmp.Compare(len(b.Groups), len(a.Groups)), cmp.Compare(a.StartsAt, b.StartsAt))
	})
	return out, more, nil
}

func overlapOf(actor database.Actor, c, x Campaign, sold []id.Product, products map[id.Product]Product) Overlap {
	o := Overlap{
		StartsAt: x.StartsAt, EndsAt: x.EndsAt, Status: x.Status, Kind: x.Kind, SKUs: []string{}, Groups: []id.Group{},
		Everybody:    len(c.Audience.Groups) == 0 || len(x.Audience.Groups) == 0,
		SharesBudget: c.ProgramID != 0 && c.ProgramID == x.ProgramID,
	}
	if actor.Sees(x.UnitID) {
		o.CampaignID, o.Name = x.ID, x.Name
	}
	for _, p := range sold {
		if mine, ok := products[p]; ok {
			o.SKUs = append(o.SKUs, mine.SKU)
		}
	}
	for _, g := range x.Audience.Groups {
		if slices.Contains(c.Audience.Groups, g) {
			o.Groups = append(o.Groups, g)
		}
	}
	slices.Sort(o.SKUs)
	return o
}

// productsIn reads what the campaigns, at most 200, sell.
func productsIn(q *database.Query, list []Campaign) (map[id.Campaign][]id.Product, error) {
	out := map[id.Campaign][]id.Product{}
	if len(list) == 0 {
		return out, nil
	}
	ids := make([]id.Campaign, len(list))
	for i, c := range list {
		ids[i] = c.ID
	}
	var rows []Item
	if err := q.Raw("SELECT campaign_id, product_id FROM items WHERE campaign_id IN ?", ids).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("campaign: items of overlaps: %w", err)
	}
	for _, r := range rows {
		out[r.CampaignID] = append(out[r.CampaignID], r.ProductID)
	}
	return out, nil
}

// Dealt is what Siyu itself knows of a product's recent sales.
type Dealt struct {
	Lowest    money.Amount // of the items that sold and ran in the 7 days before; 0 is unknown
	JustEnded bool         // a campaign with it ended within the day before
}

// dealtBefore looks at the campaigns that ran in the seven days before c
// starts. Prices paid elsewhere are not known here.
func dealtBefore(q *database.Query, c Campaign) (map[id.Product]Dealt, error) {
	out := map[id.Product]Dealt{}
	if len(c.Items) == 0 {
		return out, nil
	}
	ids := make([]id.Product, len(c.Items))
	for i, item := range c.Items {
		ids[i] = item.ProductID
	}
	var rows []struct {
		ProductID id.Product
		Price     money.Amount
		Sold      int64
		EndsAt    clock.Milli
	}
	err := q.Raw(`SELECT i.product_id, i.price, i.sold_qty AS sold, c.ends_at FROM items i JOIN campaigns c ON c.id = i.campaign_id
		WHERE i.product_id IN ? AND c.id <> ? AND c.starts_at < ? AND c.ends_at > ? AND c.status IN ?`,
		ids, c.ID, c.StartsAt, c.StartsAt.Add(-7*day), []Status{StatusScheduled, StatusRunning, StatusPaused, StatusEnded}).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("campaign: recent prices: %w", err)
	}
	for _, r := range rows {
		d := out[r.ProductID]
		if r.Sold > 0 && (d.Lowest == 0 || r.Price < d.Lowest) {
			d.Lowest = r.Price
		}
		d.JustEnded = d.JustEnded || r.EndsAt <= c.StartsAt && r.EndsAt > c.StartsAt.Add(-24*time.Hour)
		out[r.ProductID] = d
	}
	return out, nil
}
