package guard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// takeBefore is how long before the end of its window a slot can be taken from
// its promotion last: who is to post the other ad needs the time.
const takeBefore = time.Hour

// Loser is a promotion that may lose slots to the one that asks.
type Loser struct {
	Rank int // the lowest loses first
	Most int // slots it may lose yet
}

// TakenFrom names the ask of a promotion that had a slot.
type TakenFrom struct {
	Promotion id.Promotion
	WindowNo  int
	Group     id.Group
}

// Taken is a slot that was taken.
type Taken struct {
	Slot id.Slot
	Of   TakenFrom
}

// waiting is a slot whose delivery has not begun.
type waiting struct {
	Taken
	campaign    id.Campaign
	first, last clock.Milli
}

// TakeOver asks once more for groups that the promotion was refused, and gives
// it a slot where the guard allows one as soon as a single slot of a lesser
// promotion is free again. Only a slot whose delivery has not begun is taken,
// at the latest an hour before its window ends; none that rests on a permit.
//
// The slot is freed and the new one reserved in one transaction that holds the
// groups' rows, as the start of a delivery does (StartTx): either the delivery
// begins and the slot stays, or it is taken and none begins. May says inside it
// which of the promotions that have such slots may lose how many; also writes
// what the caller keeps.
func (s *Service) TakeOver(ctx context.Context, ask Ask, may func(*database.Tx, []id.Promotion) (map[id.Promotion]*Loser, error),
	also func(*database.Tx, []Answer, []Taken) error) (answers []Answer, err error) {
	if ask.moments, ask.momentsKnown, err = s.moments(s.DB.Read(ctx), ask.Window); err != nil {
		return nil, err
	}
	groups := slices.Clone(ask.Groups)
	slices.Sort(groups)
	for part := range slices.Chunk(slices.Compact(groups), chunk) {
		var got []Answer
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			var taken []Taken
			if got, taken, err = s.takeTx(tx, ask.of(part), may); err != nil || len(got) == 0 {
				return err
			}
			return also(tx, got, taken)
		})
		if err != nil {
			return answers, err
		}
		answers = append(answers, got...)
	}
	return answers, nil
}

func (s *Service) takeTx(tx *database.Tx, ask Ask, may func(*database.Tx, []id.Promotion) (map[id.Promotion]*Loser, error)) ([]Answer, []Taken, error) {
	if _, err := lockGuards(tx, ask.Groups); err != nil {
		return nil, nil, err
	}
	slots, promotions, err := ask.waiting(tx)
	if err != nil || len(slots) == 0 {
		return nil, nil, err
	}
	losers, err := may(tx, promotions)
	if err != nil || len(losers) == 0 {
		return nil, nil, err
	}
	held := map[id.Group]Answer{}
	if err := ask.heldRead(database.Keys[id.Group]{List: ask.Groups}, held).On(tx.DB); err != nil {
		return nil, nil, err
	}
	all, err := s.load(tx.DB, question{groups: ask.Groups, window: ask.Window, now: tx.Now, campaign: ask.Campaign, promotion: ask.Promotion})
	if err != nil {
		return nil, nil, err
	}
	var answers []Answer
	var taken []Taken
	for _, g := range ask.Groups {
		if _, has := held[g]; has || isHeldOut(ask.HeldOut, g) {
			continue
		}
		a, from, err := s.takeOne(tx, ask, all[g], losers, slots[g])
		if err != nil {
			return nil, nil, err
		}
		if a.SlotID != 0 {
			answers, taken = append(answers, a), append(taken, from)
		}
	}
	return answers, taken, nil
}

// waiting are the slots in the groups that might be taken, and whose they are.
func (ask Ask) waiting(tx *database.Tx) (map[id.Group][]waiting, []id.Promotion, error) {
	out, of := map[id.Group][]waiting{}, []id.Promotion{}
	err := database.Read{
		SQL: `SELECT s.group_id, s.id, s.promotion_id, s.window_no, s.campaign_id, s.first_at, s.last_at FROM slots s WHERE s.group_id IN ?
			AND s.started_at = 0 AND s.confirmed_at = 0 AND s.released_at = 0 AND s.promotion_id <> 0 AND s.promotion_id <> ? AND s.permit_id = 0 AND s.to_at >= ?
			AND NOT EXISTS (SELECT 1 FROM slots t WHERE t.promotion_id = s.promotion_id AND t.window_no = s.window_no AND t.group_id = s.group_id AND t.release_reason = ?)`,
		Args: []any{ask.Groups, ask.Promotion, tx.Now.Add(takeBefore), ReleaseTaken},
		Row: func(rows database.Row) error {
			var w waiting
			err := rows.Scan(&w.Of.Group, &w.Slot, &w.Of.Promotion, &w.Of.WindowNo, &w.campaign, &w.first, &w.last)
			out[w.Of.Group], of = append(out[w.Of.Group], w), append(of, w.Of.Promotion)
			return err
		},
	}.On(tx.DB)
	if err != nil {
		return nil, nil, fmt.Errorf("guard: slots to take: %w", err)
	}
	slices.Sort(of)
	return out, slices.Compact(of), nil
}

// takeOne takes the slot of the least promotion whose absence lets the ad in.
func (s *Service) takeOne(tx *database.Tx, ask Ask, k *known, losers map[id.Promotion]*Loser, slots []waiting) (Answer, Taken, error) {
	slots = slices.DeleteFunc(slots, func(w waiting) bool {
		l := losers[w.Of.Promotion]
		return l == nil || l.Most < 1
	})
	slices.SortFunc(slots, func(a, b waiting) int {
		return cmp.Or(cmp.Compare(losers[a.Of.Promotion].Rank, losers[b.Of.Promotion].Rank), cmp.Compare(a.Slot, b.Slot))
	})
	if len(slots) == 0 || k.decide(ask.Window, tx.Now).Outcome != OutcomeDeny {
		return Answer{}, Taken{}, nil // who can wait waits
	}
	for _, w := range slots {
		without := *k
		without.state.Ads = without.state.Ads.without(w.first, w.last)
		if ask.Campaign != 0 && w.campaign != 0 && w.campaign != ask.Campaign {
			without.state.Others = without.state.Others.without(w.first, w.last)
		}
		without.state.Life--
		a := Answer{GroupID: k.group.ID, Decision: without.decide(ask.Window, tx.Now)}
		if a.Outcome != OutcomeAllow {
			continue
		}
		err := s.freeTaken(tx, ask, k, w)
		if errors.Is(err, ErrNotNow) {
			continue
		}
		if err != nil {
			return Answer{}, Taken{}, err
		}
		losers[w.Of.Promotion].Most--
		without.guard.LastSeq++
		slot := slotOf(&without, a.Decision, id.Slot(tx.Next()), tx.Now)
		slot.CampaignID, slot.PromotionID, slot.WindowNo = ask.Campaign, ask.Promotion, ask.WindowNo
		a.SlotID = slot.ID
		if err := insertSlots(tx, []Slot{slot}); err != nil {
			return Answer{}, Taken{}, err
		}
		_, err = keepDecisions(tx, []record{recordOf(tx, k, ask, a)}, nil)
		return a, w.Taken, err
	}
	return Answer{}, Taken{}, nil
}

// freeTaken frees a slot and records why its promotion lost it.
func (s *Service) freeTaken(tx *database.Tx, ask Ask, k *known, w waiting) error {
	err := database.One(tx.Exec(`UPDATE slots SET released_at = ?, released_seq = ?, release_reason = ?, freed = id WHERE id = ?`+
		tx.Only("started_at = 0 AND confirmed_at = 0 AND released_at = 0"), tx.Now, k.guard.LastSeq+1, ReleaseTaken, w.Slot), ErrNotNow)
	if err != nil {
		return err
	}
	if err := nextSeq(tx, k.guard); err != nil {
		return err
	}
	lost := Ask{Campaign: w.campaign, Promotion: w.Of.Promotion, WindowNo: w.Of.WindowNo, Window: Window{w.first, w.last + 1}}
	a := Answer{w.Of.Group, w.Slot, Decision{Outcome: OutcomeTaken, Rule: RuleTaken, Reasons: Reasons{{Rule: RuleTaken}}}}
	_, err = keepDecisions(tx, []record{recordOf(tx, k, lost, a)}, nil)
	return err
}
