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
// length fits most in. Promises are charters that come into force meanwhile; a
// day is judged by the one in force when it begins.
func Foresee(p Policy, s State, now clock.Milli, promises ...Promise) (days []ForecastDay, room int) {
	z := zone{loc: s.Zone}
	from, first := now, s.Charter
	for range ForecastDays {
		_, to := z.span(periodDay, from)
		s.Charter = inForce(first, promises, from)
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
	s.Charter = first
	return days, roomIn(p, s, Window{now, from}, promises)
}

// Promise is a charter with the moment from which it is in force.
type Promise struct {
	From    clock.Milli
	Charter Charter
}

func inForce(now Charter, promises []Promise, at clock.Milli) Charter {
	for _, p := range promises {
		if p.From <= at {
			now = p.Charter
		}
	}
	return now
}

// besideQuiet leaves out quiet hours where something else keeps the whole day:
// that its first minute is quiet says nothing of the day.
func besideQuiet(all Reasons) Reasons {
	rest := slices.DeleteFunc(slices.Clone(all), func(r Reason) bool { return r.Rule == RuleQuiet || r.Rule == RuleCharterQuiet })
	if len(rest) == 0 {
		return all
	}
	return rest
}

// roomIn shows ads as early as each is allowed until none is.
func roomIn(p Policy, s State, w Window, promises []Promise) (n int) {
	s.Ads = s.Ads.Clone()
	first := s.Charter
	for at := w.From; at < w.To; {
		s.Charter = inForce(first, promises, at)
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
			at = next // a looser charter may let one through
		}
	}
	return n
}

// nextPromise is when the next charter after a moment comes into force.
func nextPromise(promises []Promise, after clock.Milli) clock.Milli {
	for _, p := range promises {
		if p.From > after {
			return p.From
		}
	}
	return 0
}

// promisesOf are the charters that come into force in a group in the days a
// forecast looks ahead.
func promisesOf(q *database.Query, g id.Group, now clock.Milli) ([]Promise, error) {
	ahead, err := community.ChartersAhead(q, g, now, now.Add(ForecastDays*day))
	if err != nil {
		return nil, err
	}
	out := make([]Promise, len(ahead))
	for i, c := range ahead {
		out[i] = Promise{c.EffectiveAt, charterOf(c)}
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
	p := k.guard.policy()
	f := Forecast{GroupID: g, Preset: p.Preset, Mode: p.Mode}
	promises, err := promisesOf(s.DB.Read(ctx), g, now)
	if err != nil {
		return Forecast{}, err
	}
	f.Days, f.Room = Foresee(p, k.state, now, promises...)
	return f, nil
}
