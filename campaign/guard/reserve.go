package guard

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// chunk is how many groups one reservation locks at a time. Each writes its
// guard row, slot, decision and what the caller keeps; with 200 of them SQLite
// stays within the 200 ms a transaction may last.
const chunk = 200

// Ask asks for one ad of a promotion in each of the groups, at some moment of
// the window.
type Ask struct {
	Campaign  id.Campaign
	Promotion id.Promotion
	WindowNo  int
	Window    Window
	Groups    []id.Group
}

// Answer is the decision for one group, with the slot when it is allowed.
type Answer struct {
	GroupID id.Group `json:"group_id"`
	SlotID  id.Slot  `json:"slot_id"`
	Decision
}

// Reserve decides for every group and reserves the slots that are allowed, a
// chunk of groups to a transaction; also writes in the same transaction what the caller
// keeps of the answers. A promotion holds one slot per window and group:
// asking again returns the one that stands.
func (s *Service) Reserve(ctx context.Context, ask Ask, also func(*database.Tx, []Answer) error) ([]Answer, error) {
	groups := slices.Clone(ask.Groups)
	slices.Sort(groups)
	groups = slices.Compact(groups)
	all := make([]Answer, 0, len(groups))
	for part := range slices.Chunk(groups, chunk) {
		if err := s.prepare(ctx, part); err != nil {
			return nil, err
		}
		var answers []Answer
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			ask.Groups = part
			var err error
			if answers, err = s.reserveTx(tx, ask); err != nil {
				return err
			}
			return also(tx, answers)
		})
		if err != nil {
			return nil, err
		}
		all = append(all, answers...)
	}
	return all, nil
}

func (s *Service) reserveTx(tx *database.Tx, ask Ask) ([]Answer, error) {
	// The rows are locked before anything is read, so that what is read next
	// cannot change until this transaction ends.
	var locked []id.Group
	err := tx.Raw("SELECT group_id FROM group_guards WHERE group_id IN ? ORDER BY group_id"+tx.Dialect.ForUpdate, ask.Groups).Scan(&locked).Error
	if err != nil {
		return nil, fmt.Errorf("guard: lock: %w", err)
	}
	held, err := heldSlots(tx, ask)
	if err != nil {
		return nil, err
	}
	all, err := s.load(tx.DB, question{groups: ask.Groups, window: ask.Window, now: tx.Now})
	if err != nil {
		return nil, err
	}
	answers := make([]Answer, 0, len(ask.Groups))
	var slots []Slot
	var records []record
	for _, g := range ask.Groups {
		if slot, ok := held[g]; ok {
			answers = append(answers, Answer{g, slot.ID, Decision{Outcome: OutcomeAllow, Window: Window{slot.FromAt, slot.ToAt}}})
			continue
		}
		k := all[g]
		a := Answer{GroupID: g, Decision: k.decide(ask.Window, tx.Now)}
		if a.Outcome == OutcomeAllow {
			slot := slotOf(k, a.Window, id.Slot(tx.Next()), tx.Now)
			slot.CampaignID, slot.PromotionID, slot.WindowNo = ask.Campaign, ask.Promotion, ask.WindowNo
			slots, a.SlotID = append(slots, slot), slot.ID
		}
		answers = append(answers, a)
		records = append(records, recordOf(tx, k, ask, a))
	}
	if err := insertSlots(tx, slots); err != nil {
		return nil, err
	}
	return answers, keepDecisions(tx, records)
}

// heldSlots are the slots the promotion's window holds already.
func heldSlots(tx *database.Tx, ask Ask) (map[id.Group]Slot, error) {
	if ask.Promotion == 0 {
		return nil, nil
	}
	var rows []Slot
	err := tx.Raw("SELECT "+slotColumns+" FROM slots WHERE promotion_id = ? AND window_no = ? AND group_id IN ? AND freed = 0",
		ask.Promotion, ask.WindowNo, ask.Groups).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("guard: slots held: %w", err)
	}
	out := make(map[id.Group]Slot, len(rows))
	for _, r := range rows {
		out[r.GroupID] = r
	}
	return out, nil
}

// insertSlots writes the slots and moves their groups' sequence on.
func insertSlots(tx *database.Tx, slots []Slot) error {
	if len(slots) == 0 {
		return nil
	}
	if err := tx.Create(&slots).Error; err != nil {
		return fmt.Errorf("guard: insert slots: %w", err)
	}
	groups := make([]id.Group, len(slots))
	for i, s := range slots {
		groups[i] = s.GroupID
	}
	err := tx.Exec("UPDATE group_guards SET last_seq = last_seq + 1 WHERE group_id IN ?", groups).Error
	if err != nil {
		return fmt.Errorf("guard: sequence: %w", err)
	}
	return nil
}

// Check decides for every group and window in turn and keeps nothing; an ad
// allowed in one window counts in the next. Slots of the promotion except, if
// any, do not count. A group the actor may not see does not exist.
func (s *Service) Check(ctx context.Context, groups []id.Group, windows []Window, except id.Promotion) ([][]Answer, error) {
	if len(windows) == 0 || len(groups) == 0 {
		return nil, nil
	}
	q, actor, now := s.DB.Read(ctx), database.ActorOf(ctx), s.now()
	windows = fromNow(windows, now)
	out := make([][]Answer, len(windows))
	for part := range slices.Chunk(groups, chunk) {
		all, err := s.load(q, question{groups: part, window: around(windows), now: now, except: except})
		if err != nil {
			return nil, err
		}
		for _, g := range part {
			k := all[g]
			if k.group.ID == 0 || !k.group.SeenBy(actor) {
				return nil, fault.NotFound
			}
			for i, w := range windows {
				a := Answer{GroupID: g, Decision: k.decide(w, now)}
				if a.Outcome == OutcomeAllow {
					k.state.Ads.Add(a.Window.From, a.Window.To-1)
					k.state.Life++
				}
				out[i] = append(out[i], a)
			}
		}
	}
	return out, nil
}

// fromNow begins windows that were given no beginning now.
func fromNow(windows []Window, now clock.Milli) []Window {
	out := slices.Clone(windows)
	for i := range out {
		if out[i].From == 0 {
			out[i].From = now
		}
	}
	return out
}

func around(windows []Window) Window {
	w := windows[0]
	for _, x := range windows[1:] {
		w.From, w.To = min(w.From, x.From), max(w.To, x.To)
	}
	return w
}
