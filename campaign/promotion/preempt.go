package promotion

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"siyu/campaign/guard"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// EventSlotsTaken tells a promotion's marketer that it lost slots to another of
// higher priority, and is planned anew.
const EventSlotsTaken webhook.Type = "promotion.preempted"

// losesOneIn bounds what a promotion may lose: one in five of its asks, which
// are its groups times its windows, and one in any case.
const losesOneIn = 5

// slotsTaken is the event's data.
type slotsTaken struct {
	PromotionID id.Promotion `json:"promotion_id"`
	WindowNo    int          `json:"window_no"`
	CreatedBy   id.Staff     `json:"created_by"`
	Groups      []id.Group   `json:"group_ids"`
	ByPromotion id.Promotion `json:"by_promotion_id"`
}

// preempt asks once more, in the place of promotions of lower priority, for
// groups that the guard refused for the whole window.
func (s *Service) preempt(ctx context.Context, p Promotion, w Window, ask guard.Ask, answers []guard.Answer) error {
	ask.Groups = nil
	for _, a := range answers {
		if a.Outcome == guard.OutcomeDeny && a.Rule != guard.RuleHoldout {
			ask.Groups = append(ask.Groups, a.GroupID)
		}
	}
	if p.Priority == 0 || len(ask.Groups) == 0 {
		return nil
	}
	may := func(tx *database.Tx, have []id.Promotion) (map[id.Promotion]*guard.Loser, error) {
		return losers(tx, p, have)
	}
	_, err := s.Guard.TakeOver(ctx, ask, may, func(tx *database.Tx, won []guard.Answer, taken []guard.Taken) error {
		if err := loseTx(tx, p, taken); err != nil {
			return err
		}
		groups := make([]id.Group, len(won))
		for i, a := range won {
			groups[i] = a.GroupID
		}
		err := tx.Exec("DELETE FROM promotion_sends WHERE promotion_id = ? AND window_no = ? AND group_id IN ? AND status = ?", p.ID, w.No, groups, SendRefused).Error
		if err != nil {
			return fmt.Errorf("promotion: sends of %s: %w", p.ID, err)
		}
		return s.noteTx(tx, p, w, won)
	})
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}

// standing is a promotion as who takes its slots looks at it.
type standing struct {
	ID        id.Promotion
	Priority  int
	Status    Status
	Lost      int
	CreatedBy id.Staff
	Asks      int
}

// losers locks the promotions, and the one that asks, by id, and says which of
// them may lose slots to it.
func losers(tx *database.Tx, p Promotion, have []id.Promotion) (map[id.Promotion]*guard.Loser, error) {
	rows, err := standingsTx(tx, append(slices.Clone(have), p.ID))
	if err != nil {
		return nil, err
	}
	out := map[id.Promotion]*guard.Loser{}
	for _, r := range rows {
		if r.Priority < p.Priority && r.Status == StatusRunning {
			out[r.ID] = &guard.Loser{Rank: r.Priority, Most: r.most() - r.Lost}
		}
	}
	return out, nil
}

func (r standing) most() int { return max(1, r.Asks/losesOneIn) }

// standingsTx locks promotions by id.
func standingsTx(tx *database.Tx, ids []id.Promotion) (out []standing, err error) {
	slices.Sort(ids)
	for part := range slices.Chunk(slices.Compact(ids), 190) {
		var rows []standing
		err := tx.Raw("SELECT id, priority, status, lost, created_by FROM promotions WHERE id IN ? ORDER BY id"+tx.Dialect.ForUpdate, part).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("promotion: standings: %w", err)
		}
		var asks []standing
		err = tx.Raw(`SELECT g.promotion_id AS id, COUNT(*) AS asks FROM promotion_groups g JOIN promotion_windows w ON w.promotion_id = g.promotion_id
			WHERE g.promotion_id IN ? AND g.held_out = 0 GROUP BY g.promotion_id`, part).Scan(&asks).Error
		if err != nil {
			return nil, fmt.Errorf("promotion: standings: %w", err)
		}
		of := map[id.Promotion]int{}
		for _, a := range asks {
			of[a.ID] = a.Asks
		}
		for i := range rows {
			rows[i].Asks = of[rows[i].ID]
		}
		out = append(out, rows...)
	}
	return out, nil
}

// loseTx notes what promotions lost: they are told, and ask again at once.
func loseTx(tx *database.Tx, by Promotion, taken []guard.Taken) error {
	type window struct {
		promotion id.Promotion
		no        int
	}
	slots, groups, lost := make([]id.Slot, len(taken)), map[window][]id.Group{}, map[id.Promotion]int{}
	for i, t := range taken {
		of := window{t.Of.Promotion, t.Of.WindowNo}
		slots[i], groups[of] = t.Slot, append(groups[of], t.Of.Group)
		lost[of.promotion]++
	}
	rows, err := standingsTx(tx, slices.Collect(maps.Keys(lost)))
	if err != nil {
		return err
	}
	author := map[id.Promotion]id.Staff{}
	for _, r := range rows {
		author[r.ID] = r.CreatedBy
		err := database.One(tx.Exec("UPDATE promotions SET lost = lost + ? WHERE id = ?"+tx.Only("lost + ? <= ?"), lost[r.ID], r.ID, lost[r.ID], r.most()), errStopped)
		if err != nil {
			return err
		}
	}
	err = tx.Exec("UPDATE promotion_sends SET status = ?, rule_name = ?, not_before = ?, slot_id = 0 WHERE slot_id IN ?",
		SendDeferred, guard.RuleTaken, tx.Now, slots).Error
	if err != nil {
		return fmt.Errorf("promotion: taken: %w", err)
	}
	if err := waitAgainTx(tx, slots, tx.Now, 0); err != nil {
		return err
	}
	order := slices.SortedFunc(maps.Keys(groups), func(a, b window) int { return cmp.Or(cmp.Compare(a.promotion, b.promotion), cmp.Compare(a.no, b.no)) })
	for _, of := range order {
		if err := task.EnqueueTx(tx, openWindow{Promotion: of.promotion, Window: of.no}, tx.Now); err != nil {
			return err
		}
		told := slotsTaken{of.promotion, of.no, author[of.promotion], groups[of], by.ID}
		if err := webhook.PublishTx(tx, EventSlotsTaken, told); err != nil {
			return err
		}
	}
	return nil
}
