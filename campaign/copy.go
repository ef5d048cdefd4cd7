package campaign

import (
	"context"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// CopyIn says what a copy has of its own; what is left out is as it was.
// Without a start it begins tomorrow at the same local time, and without an
// end it lasts as long.
type CopyIn struct {
	Name     string      `json:"name"`
	StartsAt clock.Milli `json:"starts_at"`
	EndsAt   clock.Milli `json:"ends_at"`
}

// Copy makes a draft of the same kind, rules, audience and items, whatever
// became of the campaign. Its stock is what the campaign's stock was in all;
// nothing is held or sold of it. Whether its products may still be sold at
// these prices is asked when it is published, so that it can be mended first.
func (s *Service) Copy(ctx context.Context, from id.Campaign, in CopyIn) (id.Campaign, error) {
	var made id.Campaign
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		var c Campaign
		if err := tx.Raw("SELECT * FROM campaigns WHERE id = ?", from).Scan(&c).Error; err != nil {
			return err
		}
		if c.ID == 0 || !tx.Actor.Sees(c.UnitID) {
			return fault.NotFound
		}
		if err := tx.Raw("SELECT * FROM items WHERE campaign_id = ? ORDER BY sort_no, id", from).Scan(&c.Items).Error; err != nil {
			return err
		}
		if err := readTeamPrices(tx.DB, c.Items); err != nil {
			return err
		}
		if err := c.unpack(); err != nil {
			return err
		}
		next, err := c.again(in, tx.Now)
		if err != nil {
			return err
		}
		row, err := newCampaign(tx, next, c.Rules)
		if err != nil {
			return err
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if row.Items = c.itemsOf(tx, row.ID); len(row.Items) > 0 {
			if err := createItems(tx, row.Items); err != nil {
				return err
			}
		}
		made = row.ID
		tx.SetResult("campaign", int64(made), 201)
		return database.AuditTx(tx, "campaign.copy", made, map[string]any{"from": from}, row)
	})
	return made, err
}

// again is the input of the copy.
func (c Campaign) again(in CopyIn, now clock.Milli) (CampaignIn, error) {
	next := c.input()
	if in.Name != "" {
		next.Name = in.Name
	}
	loc, err := time.LoadLocation(c.Zone)
	if err != nil {
		return next, fault.Invalid.Field("zone", "unknown_value", "原活动的时区已不可用，请新建活动", "the campaign's zone is no longer known; make a new campaign").Wrap(err)
	}
	next.StartsAt, next.EndsAt = c.window(in, now, loc)
	var check fault.Check
	next.check(&check)
	check.That(next.EndsAt > now, "ends_at", "past", "结束时间已过，请改到以后", "lies in the past; move it")
	return next, check.Err()
}

// window is when the copy runs. Moved by itself, both ends keep their local
// time of day, also across a change of the clocks.
func (c Campaign) window(in CopyIn, now clock.Milli, loc *time.Location) (starts, ends clock.Milli) {
	start, end := c.StartsAt.Time().In(loc), c.EndsAt.Time().In(loc)
	starts, ends = in.StartsAt, in.EndsAt
	days := daysBetween(start, now.Time().In(loc)) + 1
	if starts == 0 {
		starts = clock.MilliOf(start.AddDate(0, 0, days))
		if ends == 0 {
			ends = clock.MilliOf(end.AddDate(0, 0, days))
		}
	}
	if ends == 0 || ends <= starts && in.EndsAt == 0 {
		ends = starts + c.EndsAt - c.StartsAt
	}
	return starts, ends
}

// daysBetween counts the calendar days from one local day to another.
func daysBetween(from, to time.Time) int {
	midnight := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(midnight(to).Sub(midnight(from)) / day)
}

// itemsOf are the campaign's items as items of a copy, with fresh counters.
func (c Campaign) itemsOf(tx *database.Tx, copied id.Campaign) []Item {
	items := make([]Item, len(c.Items))
	for i, x := range c.Items {
		items[i] = Item{
			ID: id.Item(tx.Next()), CampaignID: copied, ProductID: x.ProductID, Name: x.Name, Price: x.Price,
			Stock: x.Stock, Left: x.Stock, PerMember: x.PerMember, PerOrder: x.PerOrder, SessionStock: x.SessionStock, SortNo: i, Version: 1,
			TeamPrices: x.TeamPrices,
		}
	}
	return items
}
