package promotion

import (
	"context"
	"errors"
	"fmt"

	"siyu/campaign"
	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

// digestOf is the digest whose slot this is; one without a promotion if the
// slot is an ad's alone.
func digestOf(q *database.Query, slot id.Slot) (row digestRow, err error) {
	err = q.Raw("SELECT "+digestColumns+" FROM promotion_digests d WHERE d.slot_id = ? AND d.line_no = 0", slot).Scan(&row).Error
	if err != nil {
		return row, fmt.Errorf("promotion: digest of %s: %w", slot, err)
	}
	return row, nil
}

// digestsOf are a promotion's ads that wait for digests or are in one.
func digestsOf(q *database.Query, p id.Promotion) (map[sendKey]digestRow, error) {
	var rows []digestRow
	if err := q.Raw("SELECT "+digestColumns+" FROM promotion_digests d WHERE d.promotion_id = ?", p).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("promotion: digests of %s: %w", p, err)
	}
	out := make(map[sendKey]digestRow, len(rows))
	for _, r := range rows {
		out[sendKey{r.WindowNo, r.GroupID}] = r
	}
	return out, nil
}

// lines are what goes along in a digest, in order, without what may not be
// shown now.
func (s *Service) lines(ctx context.Context, main digestRow, group id.Group) ([]Line, error) {
	out := []Line{}
	if main.SlotID == 0 {
		return out, nil
	}
	q := s.DB.Read(ctx)
	var rows []digestRow
	err := q.Raw("SELECT "+digestColumns+" FROM promotion_digests d WHERE d.slot_id = ? AND d.line_no > 0 ORDER BY d.line_no", main.SlotID).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("promotion: lines of %s: %w", main.SlotID, err)
	}
	for _, r := range rows {
		p, err := find(q, database.Actor{}, r.PromotionID)
		if err != nil {
			return nil, err
		}
		offer, err := s.Campaign.FindCampaign(bare(ctx), p.CampaignID)
		if err != nil {
			return nil, err
		}
		l := Line{PromotionID: p.ID, CampaignID: p.CampaignID, Label: Label, row: r}
		if l.Shows, l.Sponsor, err = shows(q, p, group); err != nil {
			return nil, err
		}
		if phase := offer.Phase(s.now()); phase != campaign.StatusScheduled && phase != campaign.StatusRunning {
			l.PromotionID = 0
		}
		out = append(out, l)
	}
	return out, nil
}

// linesTx is the last look at a digest's lines before it is handed out: what
// was cancelled or withdrawn meanwhile, or whose campaign does not run, is left
// out and over.
func (o *outgoing) linesTx(tx *database.Tx) error {
	var kept []Line
	for _, l := range o.send.Lines {
		err := error(errStopped)
		if l.PromotionID != 0 {
			err = mustRun(tx, l.PromotionID, l.MaterialID)
		}
		switch {
		case err == nil:
			kept = append(kept, l)
		case !errors.Is(err, errStopped):
			return err
		default:
			err := closeDigestsTx(tx, l.row.PromotionID, l.row.WindowNo, []id.Group{l.row.GroupID})
			if err == nil {
				err = tx.Exec("UPDATE promotion_digests SET slot_id = 0, line_no = 0 WHERE promotion_id = ? AND window_no = ? AND group_id = ?",
					l.row.PromotionID, l.row.WindowNo, l.row.GroupID).Error
			}
			if err == nil {
				err = task.EnqueueTx(tx, closeWindow{l.row.PromotionID, l.row.WindowNo}, tx.Now)
			}
			if err != nil {
				return err
			}
		}
	}
	o.send.Lines = append([]Line{}, kept...)
	return nil
}

// waitAgainTx lets the ads of digests whose slots are free again wait for
// another, from a moment on: those from a line on, of which 0 is the main ad.
func waitAgainTx(tx *database.Tx, slots []id.Slot, at clock.Milli, from int) error {
	var rows []digestRow
	err := tx.Raw("SELECT "+digestColumns+" FROM promotion_digests d WHERE d.slot_id IN ? AND d.done = 0 AND d.line_no >= ? ORDER BY d.promotion_id, d.window_no, d.group_id", slots, from).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return err
	}
	told := map[digestKey]bool{}
	for _, r := range rows {
		const one = " WHERE promotion_id = ? AND window_no = ? AND group_id = ?"
		err := tx.Exec("UPDATE promotion_digests SET slot_id = 0, line_no = 0, not_before = ?"+one, at, r.PromotionID, r.WindowNo, r.GroupID).Error
		if err == nil {
			err = tx.Exec("UPDATE promotion_sends SET status = ?, slot_id = 0, not_before = ?, handed_at = 0, published_at = 0"+one, SendDigest, at, r.PromotionID, r.WindowNo, r.GroupID).Error
		}
		if err == nil && !told[r.key()] {
			told[r.key()] = true
			err = task.EnqueueTx(tx, digest{Promotion: r.PromotionID, Window: r.WindowNo}, at)
		}
		if err != nil {
			return fmt.Errorf("promotion: digest of %s: %w", r.PromotionID, err)
		}
	}
	return nil
}

// digestOverTx is closedTx of a digest. Silenced, all of it waits again; taken
// back before its end, the lines do; over, everything in it is.
func (o *outgoing) digestOverTx(tx *database.Tx, again clock.Milli, free bool) error {
	slot := []id.Slot{o.slot.ID}
	if free && again > tx.Now && again < o.row.digest.UntilAt {
		return waitAgainTx(tx, slot, again, 0)
	}
	if free && o.slot.ToAt > tx.Now {
		if err := waitAgainTx(tx, slot, tx.Now, 1); err != nil {
			return err
		}
	}
	var rows []digestRow
	err := tx.Raw("SELECT "+digestColumns+" FROM promotion_digests d WHERE d.slot_id = ? AND d.done = 0 ORDER BY d.line_no", o.slot.ID).Scan(&rows).Error
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := closeDigestsTx(tx, r.PromotionID, r.WindowNo, []id.Group{r.GroupID}); err != nil {
			return err
		}
		if r.LineNo > 0 { // its promotion may be over with it
			if err := task.EnqueueTx(tx, closeWindow{r.PromotionID, r.WindowNo}, tx.Now); err != nil {
				return err
			}
		}
	}
	return tx.Exec("UPDATE promotion_sends SET status = ? WHERE slot_id = ?", SendClosed, o.slot.ID).Error
}

// InDigest is where a promotion's ad goes out with others in one message.
type InDigest struct {
	WindowNo int         `json:"window_no"`
	GroupID  id.Group    `json:"group_id"`
	SlotID   id.Slot     `json:"slot_id"`
	LineNo   int         `json:"line_no"` // 0: the main ad
	At       clock.Milli `json:"shown_at"`
}

func (r *Report) inDigest(row sendRow, slot guard.Slot) {
	if d := row.digest; d.SlotID != 0 {
		r.Digests = append(r.Digests, InDigest{d.WindowNo, d.GroupID, d.SlotID, d.LineNo, slot.ConfirmedAt})
	}
}
