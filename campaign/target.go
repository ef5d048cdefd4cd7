package campaign

import (
	"context"
	"math"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Targets are what a campaign is meant to reach; nought is no target. Members
// are promised nothing by them, so they may be set until the campaign ends,
// and not to fit what came.
type Targets struct {
	PaidOrders int64        `json:"paid_orders"`
	Pieces     int64        `json:"pieces"`
	Net        money.Amount `json:"net_fen"`
	Version    int          `json:"-"`
}

// ErrTargetsLate refuses to set targets after the end.
var ErrTargetsLate = fault.New(fault.KindConflict, "campaign.targets_late", "活动已结束，目标不能再改", "the campaign has ended; its targets stand as they were")

// targetMax bounds each target.
const targetMax = int64(math.MaxInt64 / money.Whole)

// Validate checks the numbers.
func (t Targets) Validate() error {
	var c fault.Check
	c.Range(t.PaidOrders, "paid_orders", 0, targetMax)
	c.Range(t.Pieces, "pieces", 0, targetMax)
	c.Range(int64(t.Net), "net_fen", 0, targetMax)
	return c.Err()
}

// SetTargets replaces the version of the targets that the caller read, 0 where
// none were set.
func (s *Service) SetTargets(ctx context.Context, cid id.Campaign, version int, in Targets) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		c, err := s.lockCampaign(tx, cid)
		if err != nil {
			return err
		}
		switch c.Phase(tx.Now) {
		case StatusEnded, StatusCancelled:
			return ErrTargetsLate
		}
		old, err := targetsOf(tx.DB, cid)
		if err != nil {
			return err
		}
		if old.Version != version {
			return fault.Stale
		}
		if old.Version == 0 {
			err = tx.Exec("INSERT INTO campaign_targets (campaign_id, paid_orders, pieces, net, version) VALUES (?, ?, ?, ?, 1)",
				cid, in.PaidOrders, in.Pieces, in.Net).Error
		} else {
			err = tx.Exec("UPDATE campaign_targets SET paid_orders = ?, pieces = ?, net = ?, version = version + 1 WHERE campaign_id = ?",
				in.PaidOrders, in.Pieces, in.Net, cid).Error
		}
		if err != nil {
			return err
		}
		return database.AuditTx(tx, "campaign.targets", cid, old, in)
	})
}

// FindTargets are the campaign's targets, all nought where none were set.
func (s *Service) FindTargets(ctx context.Context, cid id.Campaign) (Targets, error) {
	if _, err := s.FindCampaign(ctx, cid); err != nil {
		return Targets{}, err
	}
	return targetsOf(s.DB.Read(ctx), cid)
}

func targetsOf(q *database.Query, cid id.Campaign) (Targets, error) {
	var t Targets
	err := q.Raw("SELECT paid_orders, pieces, net, version FROM campaign_targets WHERE campaign_id = ?", cid).Scan(&t).Error
	return t, err
}

// Against is one target beside what came of it.
type Against struct {
	Name    string    `json:"name"`
	Target  int64     `json:"target"`
	Actual  int64     `json:"actual"`
	Reached money.Bps `json:"reached_bps"`
}

// against compares the targets that were set with what the campaign came to.
func (t Targets) against(r Report) []Against {
	return t.Beside(r.Total.Orders.Bought, r.Sold, r.Net)
}

// Beside compares the targets that were set with these figures.
func (t Targets) Beside(bought, pieces int64, net money.Amount) []Against {
	list := []Against{}
	for _, a := range []Against{
		{Name: "paid_orders", Target: t.PaidOrders, Actual: bought},
		{Name: "pieces", Target: t.Pieces, Actual: pieces},
		{Name: "net_fen", Target: int64(t.Net), Actual: int64(net)},
	} {
		if a.Target > 0 {
			a.Reached = bpsOf(a.Actual, a.Target)
			list = append(list, a)
		}
	}
	return list
}

// Like is an earlier campaign of the same kind and unit.
type Like struct {
	CampaignID id.Campaign  `json:"campaign_id"`
	Name       string       `json:"name"`
	StartsAt   clock.Milli  `json:"starts_at"`
	EndsAt     clock.Milli  `json:"ends_at"`
	Bought     int64        `json:"bought"`
	Sold       int64        `json:"sold"`
	Net        money.Amount `json:"net_fen"`
	Rewards    money.Amount `json:"rewards_promised_fen"`
}

// lastLike sums up the campaign of the same kind and unit that ended last
// before this one began; nil if there is none.
func lastLike(q *database.Query, c Campaign, now clock.Milli) (*Like, error) {
	var found []Campaign
	err := q.Raw(`SELECT * FROM campaigns WHERE kind = ? AND unit_id = ? AND id <> ? AND ends_at <= ? AND status IN (?, ?, ?, ?)
		ORDER BY ends_at DESC, id DESC LIMIT 1`,
		c.Kind, c.UnitID, c.ID, c.StartsAt, StatusScheduled, StatusRunning, StatusPaused, StatusEnded).Scan(&found).Error
	if err != nil || len(found) == 0 {
		return nil, err
	}
	stats, err := statsOf(q, found[0], now)
	if err != nil {
		return nil, err
	}
	l := Like{
		CampaignID: found[0].ID, Name: found[0].Name, StartsAt: found[0].StartsAt, EndsAt: found[0].EndsAt,
		Bought: stats.Total.Orders.Bought, Net: stats.Total.Gross - stats.Total.Refunded, Rewards: stats.Total.RewardsPromised,
	}
	for _, item := range stats.Items {
		l.Sold += item.Sold
	}
	return &l, nil
}
