package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// chunk is how many groups one reservation locks at a time. Each writes its
// guard row, slot, decision and what the caller keeps; with some 200 of them
// SQLite stays within the 200 ms a transaction may last. From a list of 200 on
// MariaDB and MySQL guess how many rows an index holds instead of looking.
const chunk = 190

// stretch is how many groups one reservation locks on a server where they lie
// side by side by id. Their rows are then read by a range, so the bound on
// lists does not apply to them; what is still read by a list has only one index
// to choose. With what the caller keeps a group writes up to six rows, and a
// transaction may write 2,000.
const stretch = 300

// Ask asks for one ad of a promotion in each of the groups, at some moment of
// the window.
type Ask struct {
	Campaign  id.Campaign
	Promotion id.Promotion
	WindowNo  int
	Window    Window
	Groups    []id.Group
	HeldOut   []id.Group // by id; of Groups, those that are to be shown nothing
	Sparing   Sparing

	moments      []Moment
	momentsKnown bool
	span         bool              // Groups are nearly all there are between the first and the last
	lacking      []community.Group // of Groups, those that have no row of their own yet
}

// Answer is the decision for one group, with the slot when it is allowed.
type Answer struct {
	GroupID id.Group `json:"group_id"`
	SlotID  id.Slot  `json:"slot_id"`
	Decision
}

// atOnce is how many chunks of a wave are under way: while the server writes
// one down, the next is read and decided.
const atOnce = 3

// Reserve decides for every group and reserves the slots that are allowed, a
// chunk of groups to a transaction; also writes in the same transaction what
// the caller keeps of the answers, and is called for several chunks at once. A
// promotion holds one slot per window and group: asking again returns the one
// that stands.
//
// A wave is set-based: all that a chunk locks and reads is one message to the
// server, and all it writes travels with the commit.
func (s *Service) Reserve(ctx context.Context, ask Ask, also func(*database.Tx, []Answer) error) ([]Answer, error) {
	var err error
	if ask.moments, ask.momentsKnown, err = s.moments(s.DB.Read(ctx), ask.Window); err != nil {
		return nil, err
	}
	groups := slices.Clone(ask.Groups)
	slices.Sort(groups)
	most := chunk
	if s.DB.Bursts() {
		most = stretch
	}
	parts := slices.Collect(slices.Chunk(slices.Compact(groups), most))
	answers, errs := make([][]Answer, len(parts)), make([]error, min(atOnce, len(parts)))
	var next atomic.Int64
	var failed, fresh atomic.Bool
	var work sync.WaitGroup
	for w := range errs {
		work.Go(func() {
			for !failed.Load() {
				i := int(next.Add(1)) - 1
				if i >= len(parts) {
					return
				}
				if answers[i], errs[w] = s.reservePart(ctx, ask.of(parts[i]), &fresh, also); errs[w] != nil {
					failed.Store(true)
				}
			}
		})
	}
	work.Wait()
	return slices.Concat(answers...), errors.Join(errs...)
}

// of is the same question for other groups.
func (ask Ask) of(groups []id.Group) Ask {
	ask.Groups = groups
	return ask
}

// reservePart reserves for a chunk. A group that no ad was ever asked for has
// no row to lock yet. In the first wave of a house there are many of them, so
// fresh remembers that an earlier chunk of the wave met some: this one then
// looks for them first and inserts their rows in its own transaction.
func (s *Service) reservePart(ctx context.Context, ask Ask, fresh *atomic.Bool, also func(*database.Tx, []Answer) error) (answers []Answer, err error) {
	q := s.DB.Read(ctx)
	if ask.span, err = community.Neighbours(q, ask.Groups); err != nil {
		return nil, err
	}
	if !ask.span && len(ask.Groups) > chunk {
		for some := range slices.Chunk(ask.Groups, chunk) {
			more, err := s.reservePart(ctx, ask.of(some), fresh, also)
			if err != nil {
				return nil, err
			}
			answers = append(answers, more...)
		}
		return answers, nil
	}
	if fresh.Load() {
		if ask.lacking, err = lacking(q, ask.Groups, ask.span); err != nil {
			return nil, err
		}
		fresh.Store(len(ask.lacking) > 0)
	}
	answers, err = s.reserveChunk(ctx, ask, also)
	var missing errRows
	switch {
	case errors.As(err, &missing):
		fresh.Store(true)
	case len(ask.lacking) > 0 && database.IsDuplicate(err): // somebody else brought one of them
		missing = ask.Groups
	default:
		return answers, err
	}
	if err := s.prepare(ctx, missing); err != nil {
		return nil, err
	}
	ask.lacking = nil
	return s.reserveChunk(ctx, ask, also)
}

func (s *Service) reserveChunk(ctx context.Context, ask Ask, also func(*database.Tx, []Answer) error) (answers []Answer, err error) {
	err = s.DB.Burst(ctx, func(tx *database.Tx) error {
		if answers, err = s.reserveTx(tx, ask); err != nil {
			return err
		}
		return also(tx, answers)
	})
	return answers, err
}

func (s *Service) reserveTx(tx *database.Tx, ask Ask) ([]Answer, error) {
	q := question{groups: ask.Groups, span: ask.span, settled: true, window: ask.Window, now: tx.Now, campaign: ask.Campaign, promotion: ask.Promotion,
		dialect: tx.Dialect, platform: s.Platform, moments: ask.moments, momentsKnown: ask.momentsKnown}
	var found loaded
	held, refusals := map[id.Group]Answer{}, map[refusal]id.Decision{}
	brought, err := bring(tx, ask.lacking)
	if err != nil {
		return nil, err
	}
	// The rows are locked before anything is read, so that what is read next
	// cannot change until this transaction ends.
	reads := append(q.reads(&found), ask.heldRead(q.keys(), held), ask.refusalsRead(q.keys(), refusals))
	if err := tx.Queries(append([]database.Read{guardsRead(q.keys(), tx.Dialect.ForUpdate, &found)}, reads...)...); err != nil {
		return nil, fmt.Errorf("guard: reserve: %w", err)
	}
	var missing errRows
	for _, g := range ask.Groups {
		if _, own := found.guards[g]; !own && found.groups[g].ID != 0 {
			missing = append(missing, g)
		}
	}
	if len(missing) > 0 {
		return nil, missing
	}
	if err := tellLater(tx, brought); err != nil {
		return nil, err
	}
	all, err := q.assemble(tx.DB, &found)
	if err != nil {
		return nil, err
	}
	answers := make([]Answer, 0, len(ask.Groups))
	slots, records := make([]Slot, 0, len(ask.Groups)), make([]record, 0, len(ask.Groups))
	for _, g := range ask.Groups {
		if a, ok := held[g]; ok {
			answers = append(answers, a)
			continue
		}
		k := all[g]
		a := Answer{GroupID: g, Decision: k.decide(ask.Window, tx.Now)}
		if isHeldOut(ask.HeldOut, g) {
			a.Decision = heldOut()
		}
		a.Decision = ask.Sparing.of(g, a.Decision, ask.Window, tx.Now)
		if a.Outcome == OutcomeAllow {
			slot := slotOf(k, a.Decision, id.Slot(tx.Next()), tx.Now)
			slot.CampaignID, slot.PromotionID, slot.WindowNo = ask.Campaign, ask.Promotion, ask.WindowNo
			slots, a.SlotID = append(slots, slot), slot.ID
		}
		answers = append(answers, a)
		records = append(records, recordOf(tx, k, ask, a))
	}
	if err := insertSlots(tx, slots); err != nil {
		return nil, err
	}
	fresh, err := keepDecisions(tx, records, refusals)
	if err != nil {
		return nil, err
	}
	return answers, tellPaused(tx, ask.Promotion, fresh, all)
}

// heldRead reads the slots the promotion's window holds already.
func (ask Ask) heldRead(groups database.Keys[id.Group], into map[id.Group]Answer) database.Read {
	return database.Read{
		SQL:  "SELECT group_id, id, from_at, to_at, permit_id, permit_kind FROM slots WHERE promotion_id = ? AND promotion_id <> 0 AND window_no = ? AND freed = 0 AND " + groups.Of("group_id"),
		Args: []any{int64(ask.Promotion), ask.WindowNo},
		Row: func(rows database.Row) error {
			a := Answer{Decision: Decision{Outcome: OutcomeAllow}}
			err := rows.Scan(&a.GroupID, &a.SlotID, &a.Window.From, &a.Window.To, &a.Permit, &a.By)
			into[a.GroupID] = a
			return err
		},
	}
}

// insertSlots writes the slots and moves their groups' sequence on.
func insertSlots(tx *database.Tx, slots []Slot) error {
	if len(slots) == 0 {
		return nil
	}
	groups := make([]id.Group, len(slots))
	for i, s := range slots {
		groups[i] = s.GroupID
	}
	if err := writeSlots(tx, slots); err != nil {
		return fmt.Errorf("guard: insert slots: %w", err)
	}
	if err := tx.Defer("UPDATE group_guards SET last_seq = last_seq + 1 WHERE group_id IN ?", groups); err != nil {
		return fmt.Errorf("guard: sequence: %w", err)
	}
	return nil
}

// Trial is a dry run: what would become of an ad of the campaign, if any, in
// each group and window. The promotion's own slots do not count.
type Trial struct {
	Groups    []id.Group
	Windows   []Window
	Campaign  id.Campaign
	Promotion id.Promotion
	HeldOut   []id.Group // by id
	Sparing   Sparing
}

// Check decides for every group and window in turn and keeps nothing; an ad
// allowed in one window counts in the next. A group the actor may not see does
// not exist.
func (s *Service) Check(ctx context.Context, try Trial) ([][]Answer, error) {
	if len(try.Windows) == 0 || len(try.Groups) == 0 {
		return nil, nil
	}
	q, actor, now := s.DB.Read(ctx), database.ActorOf(ctx), s.now()
	windows := fromNow(try.Windows, now)
	out := make([][]Answer, len(windows))
	for part := range slices.Chunk(try.Groups, chunk) {
		all, err := s.load(q, question{groups: part, window: around(windows), now: now, except: try.Promotion, campaign: try.Campaign, promotion: try.Promotion})
		if err != nil {
			return nil, err
		}
		for _, g := range part {
			k := all[g]
			if k.group.ID == 0 || !k.group.SeenBy(actor) {
				return nil, fault.NotFound
			}
			for i, w := range windows {
				k.policy, _ = k.laws.at(max(now, w.From))
				a := Answer{GroupID: g, Decision: k.decide(w, now)}
				if isHeldOut(try.HeldOut, g) {
					a.Decision = heldOut()
				}
				a.Decision = try.Sparing.of(g, a.Decision, w, now)
				if a.Outcome == OutcomeAllow {
					k.state.show(a.Decision)
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

// heldOut refuses an ad in a group that is there to compare with.
func heldOut() Decision {
	return Decision{Outcome: OutcomeDeny, Rule: RuleHoldout, Reasons: Reasons{{Rule: RuleHoldout}}}
}

func isHeldOut(held []id.Group, g id.Group) bool {
	_, found := slices.BinarySearch(held, g)
	return found
}
