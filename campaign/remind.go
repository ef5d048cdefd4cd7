package campaign

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

// remindBefore is how long before the start those who asked are reminded.
const remindBefore = 10 * time.Minute

// remindPage is how many members one task reminds, each of which is two rows
// more for every webhook.
const remindPage = 40

// ErrBegun refuses a reminder of what has begun.
var ErrBegun = fault.New(fault.KindConflict, "campaign.begun", "活动已开始或不再开始，无需预约", "the campaign has begun or will not begin; there is nothing to remind of")

// Remind notes that the member wants to be reminded of the campaign's start;
// again it changes nothing.
func (s *Service) Remind(ctx context.Context, cid id.Campaign, m id.Member) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		var c Campaign
		if err := tx.Raw("SELECT id, status, starts_at, ends_at FROM campaigns WHERE id = ?", cid).Scan(&c).Error; err != nil {
			return err
		}
		switch {
		case c.ID == 0 || c.Status == StatusDraft:
			return fault.NotFound
		case c.Phase(tx.Now) != StatusScheduled:
			return ErrBegun
		}
		err := tx.Exec("INSERT INTO reminders (id, campaign_id, member_id, created_at) VALUES (?, ?, ?, ?)", tx.Next(), cid, m, tx.Now).Error
		if database.IsDuplicate(err) {
			return nil
		}
		return err
	})
}

// Forget takes the member's wish back; again it changes nothing.
func (s *Service) Forget(ctx context.Context, cid id.Campaign, m id.Member) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		return tx.Exec("DELETE FROM reminders WHERE campaign_id = ? AND member_id = ?", cid, m).Error
	})
}

// Reminded says whether the member is to be reminded.
func (s *Service) Reminded(ctx context.Context, cid id.Campaign, m id.Member) (bool, error) {
	var n int
	err := s.DB.Read(ctx).Raw("SELECT COUNT(*) FROM reminders WHERE campaign_id = ? AND member_id = ?", cid, m).Scan(&n).Error
	return n > 0, err
}

// remind is the task that reminds a page of those who asked, and plans the
// next page.
type remind struct {
	Campaign id.Campaign `json:"campaign"`
	After    int64       `json:"after"`
}

// Kind names the task.
func (remind) Kind() string { return "campaign:remind" }

// remindTx plans the reminders of a campaign that starts at a later time.
func remindTx(tx *database.Tx, c Campaign) error {
	return task.EnqueueTx(tx, remind{Campaign: c.ID}, max(tx.Now, c.StartsAt.Add(-remindBefore)))
}

func (s *Service) remindPage(tx *database.Tx, a remind) error {
	var c Campaign
	if err := tx.Raw("SELECT id, name, status, starts_at, ends_at, zone FROM campaigns WHERE id = ?", a.Campaign).Scan(&c).Error; err != nil {
		return err
	}
	if c.Status != StatusScheduled && c.Status != StatusRunning {
		return nil
	}
	var rows []struct {
		ID       int64
		MemberID id.Member
	}
	err := tx.Raw("SELECT id, member_id FROM reminders WHERE campaign_id = ? AND id > ? ORDER BY id LIMIT ?", a.Campaign, a.After, remindPage).Scan(&rows).Error
	if err != nil {
		return err
	}
	starts, err := community.NoticeTime(c.StartsAt, c.Zone)
	if err != nil {
		return err
	}
	for _, r := range rows {
		err := community.NoticeTx(tx, community.Notice{
			Member: r.MemberID, Name: community.NoticeCampaignSoon, Fact: c.ID.String(),
			Params: map[string]string{"campaign": c.Name, "starts": starts},
		})
		if err != nil {
			return fmt.Errorf("campaign: remind %s: %w", r.MemberID, err)
		}
	}
	if len(rows) < remindPage {
		return nil
	}
	return task.EnqueueTx(tx, remind{a.Campaign, rows[len(rows)-1].ID}, tx.Now)
}
