package invite

import (
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// dayRow counts what an inviter was given on one local day of the campaign.
type dayRow struct {
	CampaignID id.Campaign
	MemberID   id.Member
	Day        int
	Qty        int64
	max        int64
	next       clock.Milli // when the next day begins
}

// lockDay is today's row of the reward's member, locked and made if it was
// missing.
func lockDay(tx *database.Tx, w Reward) (dayRow, error) {
	d := dayRow{CampaignID: w.CampaignID, MemberID: w.MemberID}
	var c struct {
		Zone string
		Most int64
	}
	err := tx.Raw("SELECT c.zone, r.day_cap AS most FROM campaigns c JOIN invite_runs r ON r.campaign_id = c.id WHERE c.id = ?", w.CampaignID).Scan(&c).Error
	if err != nil {
		return d, fmt.Errorf("invite: zone of %s: %w", w.CampaignID, err)
	}
	loc, err := time.LoadLocation(c.Zone)
	if err != nil {
		return d, fmt.Errorf("invite: zone of %s: %w", w.CampaignID, err)
	}
	local := tx.Now.Time().In(loc)
	d.Day, d.max = clock.Day(local, loc), c.Most
	d.next = clock.MilliOf(clock.StartOfDay(local.AddDate(0, 0, 1), loc))
	var there int
	err = tx.Raw("SELECT COUNT(*) FROM invite_days WHERE campaign_id = ? AND member_id = ? AND day = ?", w.CampaignID, w.MemberID, d.Day).Scan(&there).Error
	if err == nil && there == 0 {
		err = tx.Exec("INSERT INTO invite_days (campaign_id, member_id, day, qty) VALUES (?, ?, ?, 0)", w.CampaignID, w.MemberID, d.Day).Error
	}
	if err != nil && !database.IsDuplicate(err) {
		return d, fmt.Errorf("invite: day of %s: %w", w.MemberID, err)
	}
	err = tx.Raw("SELECT qty FROM invite_days WHERE campaign_id = ? AND member_id = ? AND day = ?"+tx.Dialect.ForUpdate, w.CampaignID, w.MemberID, d.Day).Scan(&d.Qty).Error
	return d, err
}

func (d dayRow) full() bool { return d.max > 0 && d.Qty >= d.max }

func (d dayRow) take(tx *database.Tx) error {
	res := tx.Exec("UPDATE invite_days SET qty = qty + 1 WHERE campaign_id = ? AND member_id = ? AND day = ?"+tx.Only("? = 0 OR qty < ?"),
		d.CampaignID, d.MemberID, d.Day, d.max, d.max)
	return database.One(res, fmt.Errorf("invite: %s has had enough on %d", d.MemberID, d.Day))
}
