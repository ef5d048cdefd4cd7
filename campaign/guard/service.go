package guard

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Service is the room's use cases.
type Service struct {
	DB       *database.DB
	Moments  Moments  // nil: no key moments are known
	Platform Platform // what the platform lets into a group
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

// question names what is to be known for decisions.
type question struct {
	groups  []id.Group
	span    bool         // what has one row or few to a group is read as a span
	window  Window       // all moments that will be asked for
	settled bool         // they are judged by the policy in force at the first of them alone
	now     clock.Milli  // charters and policies are those in force then, or at the window's begin
	except  id.Promotion // its own slots do not count (dry runs); 0: all count
	slot    id.Slot      // nor does this one

	campaign  id.Campaign  // whose ad it is; 0: any
	promotion id.Promotion // whose overrides count

	dialect      database.Dialect
	platform     Platform
	moments      []Moment
	momentsKnown bool
}

func (ask question) keys() database.Keys[id.Group] {
	return database.Keys[id.Group]{List: ask.groups, Span: ask.span}
}

// known is what is known of one group.
type known struct {
	group  community.Group
	guard  groupGuard
	laws   laws
	policy Policy // in force then
	state  State
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
		Open: g.Status == community.GroupActive, Owned: g.OwnerID != 0, BornAt: g.BornAt, Zone: loc, EndsAt: g.EndsAt,
		Charter: charterOf(c),
	}, nil
}

func charterOf(c community.Charter) Charter {
	return Charter{Version: c.Version, Day: c.AdsPerDay, Week: c.AdsPerWeek, Quiet: Quiet{c.QuietFrom, c.QuietTo}, EndsAt: c.EndsAt}
}

// decide is Decide from now on: a window that is over is refused, one that has
// begun is what is left of it.
func (k *known) decide(w Window, now clock.Milli) Decision {
	w.From = max(w.From, now)
	if w.From >= w.To {
		late := int64(now-w.To) / minuteMilli
		return Decision{Outcome: OutcomeDeny, Rule: RuleWindow, Reasons: []Reason{{RuleWindow, late, 0}}}
	}
	return Decide(k.policy, k.state, w)
}
