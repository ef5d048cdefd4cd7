package guard

import (
	"context"
	"slices"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// ForecastDays is how many local days a forecast looks ahead, today included.
const ForecastDays = 14

// Forecast is what a group may still be shown, day by day, as things stand.
type Forecast struct {
	GroupID id.Group      `json:"group_id"`
	Preset  Preset        `json:"preset"`
	Mode    Mode          `json:"mode"`
	Room    int           `json:"room"` // ads that still fit into all days together
	Days    []ForecastDay `json:"days"`
}

// ForecastDay is one local day: whether an ad may still be shown in it, from
// when, and if not, why.
type ForecastDay struct {
	Day     int         `json:"day"` // yyyymmdd in the group's zone
	Ads     int         `json:"ads"` // reserved or shown
	Open    bool        `json:"open"`
	FirstAt clock.Milli `json:"first_at"`
	Reasons Reasons     `json:"reasons"`
}

// forecastAd is how long an ad of a forecast may take to be posted.
const forecastAd = 2 * time.Hour

// Foresee works out the next days of a group. A day is open if the guard would
// allow an ad at some moment of it, nothing else being shown before; Room
// takes the earliest moment again and again, which under caps and gaps of one
// length fits most in. Promises are charters and policies that come into force
// meanwhile; a day is judged by those in force when it begins.
func Foresee(p Policy, s State, now clock.Milli, promises ...Promise) (days []ForecastDay, room int) {
	z := zone{loc: s.Zone}
	from, today := now, Promise{now, s.Charter, p}
	for range ForecastDays {
		_, to := z.span(periodDay, from)
		p, s.Charter = today.inForce(promises, from)
		d := Decide(p, s, Window{from, to})
		first, _ := z.span(periodDay, from)
		day := ForecastDay{Day: clock.Day(from.Time(), s.Zone), Ads: s.Ads.touching(first, to)}
		switch d.Outcome {
		case OutcomeAllow:
			day.Open, day.FirstAt = true, d.Window.From
		case OutcomeDefer:
			day.Open, day.FirstAt = true, d.NotBefore
		default:
			day.Reasons = besideQuiet(d.Reasons)
		}
		days, from = append(days, day), to
	}
	return days, roomIn(today, s, Window{now, from}, promises)
}

// Promise is a charter and a policy with the moment from which they are in
// force.
type Promise struct {
	From    clock.Milli
	Charter Charter
	Policy  Policy
}

func (p Promise) inForce(later []Promise, at clock.Milli) (Policy, Charter) {
	for _, l := range later {
		if l.From <= at {
			p = l
		}
	}
	return p.Policy, p.Charter
}

// besideQuiet leaves quiet hours out of the reasons of a day that something
// else keeps closed: that midnight is quiet does not explain a whole day.
func besideQuiet(all Reasons) Reasons {
	rest := slices.DeleteFunc(slices.Clone(all), func(r Reason) bool { return r.Rule == RuleQuiet || r.Rule == RuleCharterQuiet })
	if len(rest) == 0 {
		return all
	}
	return rest
}

// roomIn shows ads as early as each is allowed until none is.
func roomIn(today Promise, s State, w Window, promises []Promise) (n int) {
	s.Ads = s.Ads.Clone()
	for at := w.From; at < w.To; {
		var p Policy
		p, s.Charter = today.inForce(promises, at)
		d := Decide(p, s, Window{at, w.To})
		switch d.Outcome {
		case OutcomeAllow:
			shown := Window{at, min(d.Window.To, at.Add(forecastAd))}
			s.Ads.Add(shown.From, shown.To-1)
			s.Life++
			n, at = n+1, shown.To
		case OutcomeDefer:
			at = d.NotBefore
		default:
			next := nextPromise(promises, at)
			if next == 0 {
				return n
			}
			at = next // what is looser may let one through
		}
	}
	return n
}

// nextPromise is when the next promise after a moment comes into force.
func nextPromise(promises []Promise, after clock.Milli) clock.Milli {
	for _, p := range promises {
		if p.From > after {
			return p.From
		}
	}
	return 0
}

// promises are the charters and policies that come into force in the group in
// the days a forecast looks ahead.
func (k *known) promises(q *database.Query, now clock.Milli) ([]Promise, error) {
	ahead, err := community.ChartersAhead(q, k.group.ID, now, now.Add(ForecastDays*day))
	if err != nil {
		return nil, err
	}
	turns := k.laws.turns(now)
	var moments []clock.Milli
	for _, c := range ahead {
		moments = append(moments, c.EffectiveAt)
	}
	for _, t := range turns {
		moments = append(moments, t.From)
	}
	slices.Sort(moments)
	var out []Promise
	for _, at := range slices.Compact(moments) {
		next := Promise{at, k.state.Charter, Policy{}}
		next.Policy, _ = k.laws.at(at)
		for _, c := range ahead {
			if c.EffectiveAt <= at {
				next.Charter = charterOf(c)
			}
		}
		out = append(out, next)
	}
	return out, nil
}

// Forecast reads a group the actor may see and foresees its days.
func (s *Service) Forecast(ctx context.Context, g id.Group) (Forecast, error) {
	now := s.now()
	all, err := s.load(s.DB.Read(ctx), question{groups: []id.Group{g}, window: Window{now, now.Add(ForecastDays * day)}, now: now})
	if err != nil {
		return Forecast{}, err
	}
	k := all[g]
	if k.group.ID == 0 || !k.group.SeenBy(database.ActorOf(ctx)) {
		return Forecast{}, fault.NotFound
	}
	f := Forecast{GroupID: g, Preset: k.policy.Preset, Mode: k.policy.Mode}
	promises, err := k.promises(s.DB.Read(ctx), now)
	if err != nil {
		return Forecast{}, err
	}
	f.Days, f.Room = Foresee(k.policy, k.state, now, promises...)
	return f, nil
}
