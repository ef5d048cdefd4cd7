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

func (f *Funnel) count(q *database.Query, c Campaign) error {
	key, order, limit := "group_id", "paid DESC, orders DESC, bindings DESC, touches DESC, k", funnelMax
	switch f.By {
	case FunnelByCode:
		key = "code_id"
	case FunnelByHour:
		key, order, limit = hourOf("at", c), "k", hoursMax
	}
	from, args := steps(c.ID)
	const sums = "COALESCE(SUM(touched), 0) AS touches, COALESCE(SUM(bound), 0) AS bindings, COALESCE(SUM(ordered), 0) AS orders, COALESCE(SUM(bought), 0) AS paid, COALESCE(SUM(let_back), 0) AS refunded"
	if err := q.Raw("SELECT "+sums+" FROM ("+from+") steps", args...).Scan(&f.Total).Error; err != nil {
		return err
	}
	f.Total.convert()
	var rows []struct {
		K int64
		FunnelSteps
	}
	err := q.Raw("SELECT "+key+" AS k, "+sums+" FROM ("+from+") steps GROUP BY "+key+" ORDER BY "+order+" LIMIT ?",
		append(args, limit+1)...).Scan(&rows).Error
	if err != nil {
		return err
	}
	if f.Truncated = len(rows) > limit; f.Truncated {
		rows = rows[:limit]
	}
	for _, r := range rows {
		row := FunnelRow{FunnelSteps: r.FunnelSteps}
		row.convert()
		switch f.By {
		case FunnelByGroup:
			row.GroupID = id.Group(r.K)
		case FunnelByCode:
			row.CodeID = id.Code(r.K)
		case FunnelByHour:
			row.HourAt = clock.Milli(r.K)
		}
		f.Rows = append(f.Rows, row)
	}
	return nil
}

func (f *FunnelSteps) convert() { f.Conversion = knownBps(f.Paid, f.Touches) }

// steps is a row for every touch, binding and order of the campaign.
func steps(c id.Campaign) (sql string, args []any) {
	reach, args := referral.Reach(c)
	return `SELECT group_id, code_id, at, touched, bound, 0 AS ordered, 0 AS bought, 0 AS let_back FROM (` + reach + `) reach
		UNION ALL
		SELECT COALESCE(codes.group_id, 0), orders.code_id, orders.created_at, 0, 0, 1,
			CASE WHEN orders.paid_at > 0 THEN 1 ELSE 0 END, CASE WHEN orders.status = 'refunded' THEN 1 ELSE 0 END
		FROM orders LEFT JOIN codes ON codes.id = orders.code_id WHERE ` + ordersOf, append(args, c, c)
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
