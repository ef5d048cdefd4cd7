package promotion

import (
	"context"
	"fmt"
	"slices"

	"siyu/campaign"
	"siyu/campaign/guard"
	"siyu/campaign/planner"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

// weight is what an ad of the promotion is worth in one group.
func (p Promotion) weight() int64 { return planner.Weigh(int64(p.Value), p.Priority) }

// waitingFrom are the ads that wait and may ask: those of promotions that run,
// of campaigns that do. One of a paused campaign holds up nobody's digest.
const waitingFrom = ` FROM promotion_digests d JOIN promotions p ON p.id = d.promotion_id JOIN campaigns c ON c.id = p.campaign_id
	WHERE d.done = 0 AND d.slot_id = 0 AND d.until_at > ? AND p.status = ? AND c.status IN ?`

func waitingNow(now clock.Milli) []any {
	return []any{now, StatusRunning, []campaign.Status{campaign.StatusScheduled, campaign.StatusRunning}}
}

// waits are the ads that wait in groups and may ask: in each group the main ad
// of the next digest first. That is the heaviest, then the one with the nearest
// deadline.
func waits(q *database.Query, groups []id.Group, now clock.Milli) (rows []digestRow, err error) {
	err = q.Raw("SELECT "+digestColumns+waitingFrom+` AND d.group_id IN ?
		ORDER BY d.group_id, d.weight DESC, d.until_at, d.promotion_id, d.window_no`, append(waitingNow(now), groups)...).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("promotion: digests: %w", err)
	}
	return rows, nil
}

// mainsOf are the main ads of the next digests of groups.
func mainsOf(q *database.Query, groups []id.Group, now clock.Milli) (map[id.Group]digestKey, error) {
	rows, err := waits(q, groups, now)
	if err != nil {
		return nil, err
	}
	out := map[id.Group]digestKey{}
	for _, r := range rows {
		if _, heavier := out[r.GroupID]; !heavier {
			out[r.GroupID] = r.key()
		}
	}
	return out, nil
}

// digestOffers are what waits for digests, for the planner: it weighs by its
// main ad, in what is left of its time.
func (s *Service) digestOffers(ctx context.Context, now clock.Milli) ([]offer, error) {
	var all []offer
	err := s.DB.Read(ctx).Raw("SELECT d.promotion_id, d.window_no, MAX(d.until_at) AS to_at, p.value_fen, p.priority"+waitingFrom+`
		GROUP BY d.promotion_id, d.window_no, p.value_fen, p.priority ORDER BY d.promotion_id, d.window_no LIMIT ?`, append(waitingNow(now), offersMost)...).Scan(&all).Error
	if err != nil {
		return nil, fmt.Errorf("promotion: digests: %w", err)
	}
	return all, nil
}

// askDigest asks the guard for one slot in each of the groups where the
// window's ad is the main one, as for any ad: by the plan, some groups at a
// time. The window is what is left until the deadline.
func (s *Service) askDigest(ctx context.Context, p Promotion, w Window, due []id.Group) error {
	var groups []id.Group
	for part := range slices.Chunk(due, 200) {
		mains, err := mainsOf(s.DB.Read(ctx), part, w.From)
		if err != nil {
			return err
		}
		for _, g := range part {
			if mains[g] == (digestKey{p.ID, w.No}) {
				groups = append(groups, g)
			}
		}
	}
	if len(groups) == 0 {
		return nil
	}
	fits, err := s.fit(ctx, groups, p.ID)
	if err != nil {
		return err
	}
	turns, waiting := fits.turns(p.ID, w, groups, w.From)
	var asked []id.Group
	for _, list := range turns {
		asked = append(asked, list...)
	}
	spare, err := s.spare(ctx, asked, nil)
	if err != nil {
		return err
	}
	note := func(tx *database.Tx, answers []guard.Answer) error { return s.noteDigestTx(tx, p, w, answers) }
	for _, slot := range inOrder(turns) {
		for part := range slices.Chunk(turns[slot], digestGroups) {
			ask := guard.Ask{Campaign: p.CampaignID, Promotion: p.ID, WindowNo: w.No, Window: slot, Groups: part, Sparing: spare.sparing}
			if _, err := s.Guard.Reserve(ctx, ask, note); err != nil {
				return err
			}
		}
	}
	for part := range slices.Chunk(waiting, digestGroups) {
		if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return note(tx, part) }); err != nil {
			return err
		}
	}
	return nil
}

// noteDigestTx keeps what the guard answered, in the transaction that reserved
// and holds the groups' rows, and lets others that wait there go along.
func (s *Service) noteDigestTx(tx *database.Tx, p Promotion, w Window, answers []guard.Answer) error {
	if current, err := share(tx, p.ID); err != nil || current.Status != StatusRunning {
		if err == nil {
			err = errStopped
		}
		return err
	}
	const one = " WHERE promotion_id = ? AND window_no = ? AND group_id = ?"
	var slots []id.Slot
	got, again, ends := map[id.Group]guard.Answer{}, map[clock.Milli]bool{}, map[clock.Milli]bool{}
	for _, a := range answers {
		var err error
		switch a.Outcome {
		case guard.OutcomeAllow:
			got[a.GroupID], slots, ends[a.Window.To] = a, append(slots, a.SlotID), true
			// Somebody else's digest may have taken it along meanwhile.
			err = database.One(tx.Exec("UPDATE promotion_digests SET slot_id = ?, line_no = 0"+one+tx.Only("slot_id = 0 AND done = 0"), a.SlotID, p.ID, w.No, a.GroupID), errStopped)
			if err == nil {
				err = tx.Exec("UPDATE promotion_sends SET status = ?, rule_name = '', not_before = 0, slot_id = ?"+one, SendReserved, a.SlotID, p.ID, w.No, a.GroupID).Error
			}
		case guard.OutcomeDefer:
			again[a.NotBefore] = true
			err = tx.Exec("UPDATE promotion_digests SET not_before = ?"+one+" AND slot_id = 0", a.NotBefore, p.ID, w.No, a.GroupID).Error
			if err == nil {
				err = tx.Exec("UPDATE promotion_sends SET rule_name = ?, not_before = ?"+one+" AND status = ?", a.Rule, a.NotBefore, p.ID, w.No, a.GroupID, SendDigest).Error
			}
		default:
			err = tx.Exec("UPDATE promotion_sends SET rule_name = ?"+one+" AND status = ?", a.Rule, p.ID, w.No, a.GroupID, SendDigest).Error
			if err == nil {
				err = closeDigestsTx(tx, p.ID, w.No, []id.Group{a.GroupID})
			}
		}
		if err != nil {
			return err
		}
	}
	if err := s.joinTx(tx, p.ID, got); err != nil {
		return err
	}
	for at := range again {
		if err := task.EnqueueTx(tx, digest{Promotion: p.ID, Window: w.No, Once: true}, at); err != nil {
			return err
		}
	}
	return s.follow(tx, p, Window{No: w.No}, slots, nil, ends)
}

// joinTx lets up to digestLines others that wait in each group go along: one of
// each promotion, whose deadline is not before the slot's end.
func (s *Service) joinTx(tx *database.Tx, main id.Promotion, got map[id.Group]guard.Answer) error {
	var groups []id.Group
	for g := range got {
		groups = append(groups, g)
	}
	if len(groups) == 0 {
		return nil
	}
	slices.Sort(groups)
	rows, err := waits(tx.DB, groups, tx.Now)
	if err != nil {
		return err
	}
	in := map[id.Group]map[id.Promotion]bool{}
	for _, g := range groups {
		in[g] = map[id.Promotion]bool{main: true}
	}
	lines := map[id.Group][]guard.Along{}
	for _, r := range rows {
		a := got[r.GroupID]
		if len(lines[r.GroupID]) == digestLines || in[r.GroupID][r.PromotionID] || r.UntilAt < a.Window.To {
			continue
		}
		of, err := campaignOf(tx, r.PromotionID)
		if err != nil {
			return err
		}
		in[r.GroupID][r.PromotionID] = true
		lines[r.GroupID] = append(lines[r.GroupID], guard.Along{Campaign: of, Promotion: r.PromotionID, WindowNo: r.WindowNo})
		const one = " WHERE promotion_id = ? AND window_no = ? AND group_id = ?"
		// Its deadline may have passed, or its promotion ended, meanwhile.
		err = database.One(tx.Exec("UPDATE promotion_digests SET slot_id = ?, line_no = ?"+one+tx.Only("slot_id = 0 AND done = 0"), a.SlotID, len(lines[r.GroupID]), r.PromotionID, r.WindowNo, r.GroupID), errStopped)
		if err == nil {
			err = tx.Exec("UPDATE promotion_sends SET status = ?, rule_name = ?, not_before = 0"+one, SendJoined, guard.RuleDigest, r.PromotionID, r.WindowNo, r.GroupID).Error
		}
		if err != nil {
			return fmt.Errorf("promotion: join a digest: %w", err)
		}
	}
	var digests []guard.Digest
	for _, g := range groups {
		if len(lines[g]) > 0 {
			digests = append(digests, guard.Digest{Answer: got[g], Lines: lines[g], Most: digestLines + 1})
		}
	}
	return s.Guard.AlongTx(tx, digests)
}

func campaignOf(tx *database.Tx, p id.Promotion) (c id.Campaign, err error) {
	return c, tx.Raw("SELECT campaign_id FROM promotions WHERE id = ?", p).Scan(&c).Error
}
