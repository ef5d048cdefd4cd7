package guard

import (
	"context"
	"fmt"
	"slices"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Service is the room's use cases.
type Service struct {
	DB *database.DB
}

// The refusals.
var (
	ErrSlotReleased  = fault.New(fault.KindConflict, "guard.slot_released", "名额已释放（{status}），若广告已发出，请补记为手工推广", "the slot is {status}; if the ad was shown after all, record it as posted by hand")
	ErrSlotConfirmed = fault.New(fault.KindConflict, "guard.slot_confirmed", "该推送已确认发出，不能释放", "the ad was confirmed as shown; its slot cannot be released")
	ErrNotNow        = fault.New(fault.KindConflict, "guard.not_now", "现在不在名额的时段内，不能开始发送", "now is not a moment of the slot's window, so sending cannot begin")
)

func (s *Service) now() clock.Milli { return clock.MilliOf(s.DB.Clock.Now()) }

// bare is a context without values: what runs under it is neither the caller's
// idempotent effect nor done in his name.
type bare struct{ context.Context }

// Value hides everything.
func (bare) Value(any) any { return nil }

// reach is how far from the asked window a slot may lie and still matter: a
// calendar month, the longest gap being shorter.
const reach = 32 * day

// pastMost is how many ads of one past moment are counted: no cap is as high.
const pastMost = 100

// question names what is to be known for decisions.
type question struct {
	groups []id.Group
	window Window       // all moments that will be asked for
	now    clock.Milli  // charters are those in force then, or at the window's begin
	except id.Promotion // its own slots do not count (dry runs); 0: all count
	slot   id.Slot      // nor does this one
}

// known is what is known of one group.
type known struct {
	group community.Group
	guard groupGuard
	state State
}

// load reads groups, policies, charters and slots, each in one statement.
// Groups without a row of their own get the one they would begin with.
func (s *Service) load(q *database.Query, ask question) (map[id.Group]*known, error) {
	groups, err := community.GroupsIn(q, ask.groups)
	if err != nil {
		return nil, err
	}
	charters, err := community.Charters(q, ask.groups, max(ask.now, ask.window.From))
	if err != nil {
		return nil, err
	}
	var rows []groupGuard
	if err := q.Raw("SELECT "+guardColumns+" FROM group_guards WHERE group_id IN ?", ask.groups).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("guard: load: %w", err)
	}
	out := make(map[id.Group]*known, len(ask.groups))
	zones := map[string]*time.Location{}
	for _, g := range ask.groups {
		group := groups[g]
		k := &known{group: group, guard: newGuard(group, ask.now)}
		if k.state, err = stateOf(group, charters[g], zones); err != nil {
			return nil, err
		}
		out[g] = k
	}
	for _, row := range rows {
		out[row.GroupID].guard = row
	}
	for _, k := range out {
		if k.guard.Preset == "" {
			k.guard.Preset = Preset(k.group.Preset)
		}
	}
	if ask.window == (Window{}) {
		return out, nil
	}
	return out, s.loadAds(q, ask, out)
}

func stateOf(g community.Group, c community.Charter, zones map[string]*time.Location) (State, error) {
	name := g.Zone
	if name == "" {
		name = clock.Shanghai
	}
	loc, ok := zones[name]
	if !ok {
		var err error
		if loc, err = time.LoadLocation(name); err != nil {
			return State{}, fmt.Errorf("guard: zone of %s: %w", g.ID, err)
		}
		zones[name] = loc
	}
	return State{
		Open: g.Status == community.GroupActive, Owned: g.OwnerID != 0, BornAt: g.BornAt, Zone: loc,
		Charter: Charter{Version: c.Version, Day: c.AdsPerDay, Week: c.AdsPerWeek, Quiet: Quiet{c.QuietFrom, c.QuietTo}, EndsAt: c.EndsAt},
	}, nil
}

func (s *Service) loadAds(q *database.Query, ask question, into map[id.Group]*known) error {
	const counted = " FROM slots WHERE group_id IN ? AND released_at = 0 AND (? = 0 OR promotion_id <> ?) AND id <> ?"
	args := []any{ask.groups, ask.except, ask.except, ask.slot}
	var rows []struct {
		GroupID         id.Group
		FirstAt, LastAt clock.Milli
	}
	err := q.Raw("SELECT group_id, first_at, last_at"+counted+" AND last_at >= ? AND first_at <= ?",
		append(args, ask.window.From.Add(-reach), ask.window.To.Add(reach))...).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("guard: slots: %w", err)
	}
	for _, r := range rows {
		into[r.GroupID].state.Ads.Add(r.FirstAt, r.LastAt)
	}
	past, err := community.PastAds(q, ask.groups, ask.window.From.Add(-reach), ask.window.To.Add(reach))
	if err != nil {
		return err
	}
	for _, p := range past {
		for range min(p.N, pastMost) {
			into[p.GroupID].state.Ads.Add(p.At, p.At)
		}
	}
	var limited []id.Group
	for g, k := range into {
		if k.guard.policy().Life != Unlimited {
			limited = append(limited, g)
		}
	}
	if len(limited) == 0 {
		return nil
	}
	slices.Sort(limited)
	var lives []struct {
		GroupID id.Group
		N       int
	}
	args[0] = limited
	if err := q.Raw("SELECT group_id, COUNT(*) AS n"+counted+" GROUP BY group_id", args...).Scan(&lives).Error; err != nil {
		return fmt.Errorf("guard: slots: %w", err)
	}
	for _, l := range lives {
		into[l.GroupID].state.Life = l.N
	}
	if past, err = community.PastAds(q, limited, 0, ask.window.To); err != nil {
		return err
	}
	for _, p := range past {
		into[p.GroupID].state.Life += p.N
	}
	return nil
}

// decide is Decide from now on: a window that is over is refused, one that has
// begun is what is left of it.
func (k *known) decide(w Window, now clock.Milli) Decision {
	w.From = max(w.From, now)
	if w.From >= w.To {
		late := int64(now-w.To) / minuteMilli
		return Decision{Outcome: OutcomeDeny, Rule: RuleWindow, Reasons: []Reason{{RuleWindow, late, 0}}}
	}
	return Decide(k.guard.policy(), k.state, w)
}

// without is the groups of all that are not in some.
func without(all, some []id.Group) []id.Group {
	in := make(map[id.Group]bool, len(some))
	for _, g := range some {
		in[g] = true
	}
	var out []id.Group
	for _, g := range all {
		if !in[g] {
			out = append(out, g)
		}
	}
	return out
}
