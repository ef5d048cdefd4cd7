package campaign

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// FunnelBy is what a funnel is grouped by.
type FunnelBy string

// The groupings: the group and the code that brought somebody, or the local
// hour of a touch, a binding, or an order's claim.
const (
	FunnelByGroup FunnelBy = "group"
	FunnelByCode  FunnelBy = "code"
	FunnelByHour  FunnelBy = "hour"
)

// Bounds of a funnel's rows; a year has 8,784 hours.
const (
	funnelMax = 1_000
	hoursMax  = 9_000
)

// FunnelSteps are how many came how far. Paid counts orders ever paid, and
// Refunded those given back whole.
type FunnelSteps struct {
	Touches  int64 `json:"touches"`
	Bindings int64 `json:"bindings"`
	Orders   int64 `json:"orders"`
	Paid     int64 `json:"paid"`
	Refunded int64 `json:"refunded"`
	// Conversion is paid orders to touches, above the whole where people came
	// without a scan, unknown where nobody scanned.
	Conversion *money.Bps `json:"conversion_bps" gorm:"-"`
}

// FunnelRow is one group, code or hour; the other two are null. All three are
// null in the row of what came without a group or code.
type FunnelRow struct {
	GroupID id.Group    `json:"group_id"`
	CodeID  id.Code     `json:"code_id"`
	HourAt  clock.Milli `json:"hour_at"`
	FunnelSteps
}

// Funnel is how a campaign's touches became paid orders; Truncated says that
// only the best rows are listed.
type Funnel struct {
	CampaignID id.Campaign `json:"campaign_id"`
	By         FunnelBy    `json:"by"`
	Total      FunnelSteps `json:"total"`
	Rows       []FunnelRow `json:"rows"`
	Truncated  bool        `json:"truncated"`
}

// Funnel counts the campaign's touches, bindings and orders in one snapshot.
// Hours come in their order, groups and codes with the most paid orders first.
func (s *Service) Funnel(ctx context.Context, cid id.Campaign, by FunnelBy) (Funnel, error) {
	out := Funnel{CampaignID: cid, By: by, Rows: []FunnelRow{}}
	var check fault.Check
	check.OneOf(string(by), "by", string(FunnelByGroup), string(FunnelByCode), string(FunnelByHour))
	if err := check.Err(); err != nil {
		return out, err
	}
	c, err := s.FindCampaign(ctx, cid)
	if err != nil {
		return out, err
	}
	err = s.DB.Snapshot(ctx, func(q *database.Query) error { return out.count(q, c) })
	if err != nil {
		return out, fmt.Errorf("campaign: funnel of %s: %w", cid, err)
	}
	return out, nil
}

// funnelKey is one group, code or hour with its steps.
type funnelKey struct {
	K int64
	FunnelSteps
}

// count reads every group, code or hour once: the total is what they sum to.
func (f *Funnel) count(q *database.Query, c Campaign) error {
	sql, args := f.keys(c)
	var list []funnelKey
	if err := q.Raw(sql, args...).Scan(&list).Error; err != nil {
		return err
	}
	for _, k := range list {
		f.Total.add(k.FunnelSteps)
	}
	f.Total.convert()
	most := funnelMax
	slices.SortFunc(list, best)
	if f.By == FunnelByHour {
		most = hoursMax
		slices.SortFunc(list, func(a, b funnelKey) int { return cmp.Compare(a.K, b.K) })
	}
	f.Truncated = len(list) > most
	for _, k := range list[:min(len(list), most)] {
		row := FunnelRow{FunnelSteps: k.FunnelSteps}
		row.convert()
		switch f.By {
		case FunnelByGroup:
			row.GroupID = id.Group(k.K)
		case FunnelByCode:
			row.CodeID = id.Code(k.K)
		case FunnelByHour:
			row.HourAt = clock.Milli(k.K)
		}
		f.Rows = append(f.Rows, row)
	}
	return nil
}

// best brings what led to the most paid orders first.
func best(a, b funnelKey) int {
	return cmp.Or(cmp.Compare(b.Paid, a.Paid), cmp.Compare(b.Orders, a.Orders), cmp.Compare(b.Bindings, a.Bindings), cmp.Compare(b.Touches, a.Touches), cmp.Compare(a.K, b.K))
}

func (f *FunnelSteps) add(g FunnelSteps) {
	f.Touches += g.Touches
	f.Bindings += g.Bindings
	f.Orders += g.Orders
	f.Paid += g.Paid
	f.Refunded += g.Refunded
}

func (f *FunnelSteps) convert() { f.Conversion = knownBps(f.Paid, f.Touches) }

// keys is a query of a row for every group, code or hour. Orders are counted by
// code or hour before they meet anything else: a campaign may have a million.
func (f *Funnel) keys(c Campaign) (sql string, args []any) {
	came, from, sold, join := "group_id", "code_id", "COALESCE(codes.group_id, 0)", " LEFT JOIN codes ON codes.id = o.k"
	switch f.By {
	case FunnelByCode:
		came, sold, join = "code_id", "o.k", ""
	case FunnelByHour:
		came, from, sold, join = hourOf("at", c), hourOf("orders.created_at", c), "o.k", ""
	}
	reach, args := referral.Reach(c.ID)
	return `SELECT k, SUM(touches) AS touches, SUM(bindings) AS bindings, SUM(orders) AS orders, SUM(paid) AS paid, SUM(refunded) AS refunded FROM (
			SELECT ` + came + ` AS k, SUM(touched) AS touches, SUM(bound) AS bindings, 0 AS orders, 0 AS paid, 0 AS refunded FROM (` + reach + `) reach GROUP BY ` + came + `
			UNION ALL
			SELECT ` + sold + `, 0, 0, o.orders, o.paid, o.refunded FROM (
				SELECT ` + from + ` AS k, COUNT(*) AS orders, SUM(CASE WHEN orders.paid_at > 0 THEN 1 ELSE 0 END) AS paid,
					SUM(CASE WHEN orders.status = 'refunded' THEN 1 ELSE 0 END) AS refunded
				FROM orders WHERE ` + ordersOf + ` GROUP BY ` + from + `) o` + join + `
		) steps GROUP BY k`, append(args, c.ID, c.ID)
}

// hourOf is the beginning of the local hour of a column. Where a zone is half
// an hour off, so are its hours; the offset is the one at the campaign's start.
func hourOf(column string, c Campaign) string {
	offset := 0
	if loc, err := time.LoadLocation(c.Zone); err == nil {
		_, offset = c.StartsAt.Time().In(loc).Zone()
	}
	hour := time.Hour.Milliseconds()
	shift := (int64(offset)*1000%hour + hour) % hour
	return fmt.Sprintf("(%s - (%s + %d) %% %d)", column, column, shift, hour)
}
