package guard

import "siyu/internal/clock"

// ends is when the group ends, as planned or as its charter says, whichever is
// first; 0: nobody said.
func (s *State) ends() clock.Milli {
	switch plan, charter := s.EndsAt, s.Charter.EndsAt; {
	case plan == 0:
		return charter
	case charter == 0:
		return plan
	default:
		return min(plan, charter)
	}
}

// lastDays is when the last days of a course begin; it is not known for a
// course whose end nobody stated.
func (p *Policy) lastDays(s *State) (from clock.Milli, known bool) {
	end := s.ends()
	if end <= s.BornAt {
		return 0, false
	}
	// Rounded up: no moment of the first 70 % is in them.
	return s.BornAt + ((end-s.BornAt)*clock.Milli(p.Course)+99)/100, true
}

// Ripe is when a group is old enough for ads, as far as is known: after its
// warm-up and, of a course, in its last days.
func (p *Policy) Ripe(s *State) clock.Milli {
	ripe := s.BornAt.Add(p.WarmUp)
	if modeIn(p.Rules, RuleCourse) == ModeOff || modeIn(p.Rules, RuleCourse) == ModeAdvise || p.Course == 0 {
		return ripe
	}
	if last, known := p.lastDays(s); known {
		ripe = max(ripe, last)
	}
	return ripe
}

// course keeps ads to the last days of a course. It is the course's warm-up, so
// no permit lifts it.
func (x *exam) course(w Window, v *verdict) {
	if x.policy.Course == 0 {
		return
	}
	from, known := x.policy.lastDays(&x.state)
	switch {
	case !known:
		v.note(Reason{RuleCourse, Unknown, int64(x.policy.Course)})
	case w.From < from:
		born := x.state.BornAt
		passed := max(0, int64(w.From-born)*100/int64(x.state.ends()-born))
		v.deny(Reason{RuleCourse, passed, int64(x.policy.Course)}, from)
	}
}
