package promotion

import (
	"context"
	"errors"
	"fmt"
	"time"

	"siyu/campaign"
	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

// OnNoSlot says what becomes of an ad that found no slot in its window.
type OnNoSlot string

// What may become of it: it is dropped, or it waits to be put together with
// others of its group into one message, a digest, that takes one slot.
const (
	OnNoSlotDrop   OnNoSlot = "drop"
	OnNoSlotDigest OnNoSlot = "digest"
)

const (
	digestLines  = 4                  // beside the main ad
	digestFor    = 7 * 24 * time.Hour // how long after its window an ad waits, while its campaign lasts
	digestGroups = 100                // asked for at once: a slot and up to five ads each
)

// digestRow is an ad that waits for a digest, or is in one: as its main ad
// (LineNo 0) or a line.
type digestRow struct {
	PromotionID id.Promotion `gorm:"column:promotion_id"`
	WindowNo    int          `gorm:"column:window_no"`
	GroupID     id.Group     `gorm:"column:group_id"`
	Weight      int64        `gorm:"column:weight"`
	UntilAt     clock.Milli  `gorm:"column:until_at"`
	NotBefore   clock.Milli  `gorm:"column:not_before"`
	SlotID      id.Slot      `gorm:"column:slot_id"`
	LineNo      int          `gorm:"column:line_no"`
	Done        bool         `gorm:"column:done"`
}

// TableName is the table's.
func (digestRow) TableName() string { return "promotion_digests" }

const digestColumns = "d.promotion_id, d.window_no, d.group_id, d.weight, d.until_at, d.not_before, d.slot_id, d.line_no, d.done"

type digestKey struct {
	promotion id.Promotion
	window    int
}

func (d digestRow) key() digestKey { return digestKey{d.PromotionID, d.WindowNo} }

// slot is the one it has or goes along in.
func (r sendRow) slot() id.Slot {
	if r.SlotID != 0 {
		return r.SlotID
	}
	return r.digest.SlotID
}

// digest looks for slots for what waits of a window of a promotion. It looks
// again every hour, but for Once.
type digest struct {
	Promotion id.Promotion `json:"promotion"`
	Window    int          `json:"window"`
	Once      bool         `json:"once,omitempty"`
}

// Kind names the task.
func (digest) Kind() string { return "promotion:gather_digest" }

// toDigest lets what found no slot in a window that is over wait for a digest,
// some groups at a time; what is held out is not meant to be shown.
func (s *Service) toDigest(ctx context.Context, p Promotion, w Window) error {
	offer, err := s.Campaign.FindCampaign(bare(ctx), p.CampaignID)
	if err != nil {
		return err
	}
	until := min(offer.EndsAt, w.To.Add(digestFor))
	if now := s.now(); until <= now || over(offer.Phase(now)) {
		return nil
	}
	for more := true; more; {
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			if current, err := share(tx, p.ID); err != nil || current.Status != StatusRunning {
				more = false
				return err
			}
			var groups []id.Group
			err := tx.Raw(`SELECT group_id FROM promotion_sends WHERE promotion_id = ? AND window_no = ? AND slot_id = 0
				AND (status = ? OR status = ? AND rule_name <> ?) ORDER BY group_id LIMIT 500`, p.ID, w.No, SendDeferred, SendRefused, guard.RuleHoldout).Scan(&groups).Error
			if more = len(groups) == 500; err != nil || len(groups) == 0 {
				return err
			}
			rows := make([]digestRow, len(groups))
			for i, g := range groups {
				rows[i] = digestRow{PromotionID: p.ID, WindowNo: w.No, GroupID: g, Weight: p.weight(), UntilAt: until}
			}
			if err := tx.Create(&rows).Error; err != nil {
				return err
			}
			err = tx.Exec("UPDATE promotion_sends SET status = ?, not_before = 0 WHERE promotion_id = ? AND window_no = ? AND group_id IN ?", SendDigest, p.ID, w.No, groups).Error
			if err != nil || more {
				return err
			}
			return task.EnqueueTx(tx, digest{Promotion: p.ID, Window: w.No}, tx.Now)
		})
		if err != nil {
			return fmt.Errorf("promotion: digest of %s: %w", p.ID, err)
		}
	}
	return nil
}

// gatherDigest asks for a slot in each group where the window's ad is the main
// one of those that wait, and gives up at their deadline. What comes back from
// another's digest after its own promotion was cancelled is closed.
func (s *Service) gatherDigest(ctx context.Context, _ task.Job, a digest) error {
	q := s.DB.Read(ctx)
	p, err := find(q, database.Actor{}, a.Promotion)
	switch {
	case err != nil:
		return ignoreMissing(err)
	case p.Status == StatusCancelled:
		return s.end(ctx, p, a.Window)
	case p.Status != StatusRunning:
		return nil
	}
	w, now := p.Windows[a.Window-1], s.now()
	var rows []digestRow
	err = q.Raw("SELECT "+digestColumns+" FROM promotion_digests d WHERE d.promotion_id = ? AND d.window_no = ? AND d.done = 0 AND d.slot_id = 0 ORDER BY d.group_id",
		p.ID, w.No).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("promotion: digest of %s: %w", p.ID, err)
	}
	if len(rows) == 0 {
		return s.end(ctx, p, w.No)
	}
	offer, err := s.Campaign.FindCampaign(bare(ctx), p.CampaignID)
	if err != nil {
		return err
	}
	until := rows[0].UntilAt
	switch phase := offer.Phase(now); {
	case now >= until || over(phase):
		if err := s.giveUp(ctx, p, w); err != nil {
			return err
		}
		return s.end(ctx, p, w.No)
	case phase != campaign.StatusScheduled && phase != campaign.StatusRunning:
		return task.Snooze(10 * time.Minute)
	}
	if !a.Once { // before asking, so that what fails below is looked at again
		err := s.DB.Tx(ctx, func(tx *database.Tx) error { return task.EnqueueTx(tx, a, min(now.Add(lookAgain), until)) })
		if err != nil {
			return err
		}
	}
	var due []id.Group
	for _, r := range rows {
		if r.NotBefore <= now {
			due = append(due, r.GroupID)
		}
	}
	err = s.askDigest(ctx, p, Window{No: w.No, From: now, To: until}, due)
	if errors.Is(err, errStopped) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.end(ctx, p, w.No)
}

// giveUp closes what waited in vain, or of a promotion that was cancelled; the
// rule that was last in the way stays on it.
func (s *Service) giveUp(ctx context.Context, p Promotion, w Window) error {
	for more := true; more; {
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			var groups []id.Group
			err := tx.Raw("SELECT group_id FROM promotion_digests WHERE promotion_id = ? AND window_no = ? AND done = 0 AND slot_id = 0 ORDER BY group_id LIMIT 500",
				p.ID, w.No).Scan(&groups).Error
			if more = len(groups) == 500; err != nil || len(groups) == 0 {
				return err
			}
			return closeDigestsTx(tx, p.ID, w.No, groups)
		})
		if err != nil {
			return fmt.Errorf("promotion: digest of %s: %w", p.ID, err)
		}
	}
	return nil
}

func closeDigestsTx(tx *database.Tx, p id.Promotion, window int, groups []id.Group) error {
	err := tx.Exec("UPDATE promotion_digests SET done = 1 WHERE promotion_id = ? AND window_no = ? AND group_id IN ?", p, window, groups).Error
	if err != nil {
		return err
	}
	return tx.Exec("UPDATE promotion_sends SET status = ? WHERE promotion_id = ? AND window_no = ? AND group_id IN ? AND status IN ?",
		SendClosed, p, window, groups, []SendStatus{SendDigest, SendJoined}).Error
}

// openDigests says whether anything of a promotion waits for a digest or is in
// one that is not over.
func openDigests(q *database.Query, p id.Promotion) (bool, error) {
	var open int
	err := q.Raw("SELECT COUNT(*) FROM promotion_digests WHERE promotion_id = ? AND done = 0", p).Scan(&open).Error
	return open > 0, err
}
