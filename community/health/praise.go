package health

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/english"
	"siyu/internal/id"
)

// Praise is a member to thank today, for what, and words ready to send.
type Praise struct {
	Member id.Member   `json:"member_id"`
	Name   string      `json:"name"`
	Deed   PraiseDeed  `json:"deed"`
	Times  int         `json:"times"`
	At     clock.Milli `json:"at"` // when he last did it; null for a streak
	Zh     string      `json:"zh"`
	En     string      `json:"en"`
}

// PraiseDeed is what somebody is thanked for.
type PraiseDeed string

// The deeds, the rarest first.
const (
	DeedAnswers  PraiseDeed = "helpful_answers"
	DeedPosts    PraiseDeed = "posts"
	DeedFirst    PraiseDeed = "first_words"
	DeedCheckins PraiseDeed = "checkin_streak"
)

const (
	praiseMost   = 5
	praiseStreak = 7 // days of check-ins in a row, and every seventh after
	praiseWithin = 48 * time.Hour
)

// praises are at most five members whom nobody has thanked since: who helped or
// posted in the last two days, spoke for the first time yesterday, or checked
// in seven days in a row.
func (c Crowd) praises(deeds []community.Deed, now clock.Milli) []Praise {
	thanked := map[id.Member]clock.Milli{}
	for _, d := range deeds {
		if d.Kind == community.ActivityIncentive {
			thanked[d.MemberID] = d.At
		}
	}
	var out []Praise
	for _, p := range c.members() {
		one, found := c.praiseOf(p, deeds, now)
		if found && thanked[p.ID] < cmp.Or(one.At, clock.MilliOf(noon(plus(c.Today, -1)))) {
			out = append(out, one)
		}
	}
	order := []PraiseDeed{DeedAnswers, DeedPosts, DeedFirst, DeedCheckins}
	slices.SortStableFunc(out, func(a, b Praise) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Deed), slices.Index(order, b.Deed)), cmp.Compare(b.Times, a.Times), cmp.Compare(a.Member, b.Member))
	})
	return out[:min(len(out), praiseMost)]
}

// praiseOf is the best thing a member did.
func (c Crowd) praiseOf(p Person, deeds []community.Deed, now clock.Milli) (Praise, bool) {
	one := Praise{Member: p.ID}
	for kind, deed := range map[community.ActivityKind]PraiseDeed{community.ActivityAnswer: DeedAnswers, community.ActivityPost: DeedPosts} {
		n, last := 0, clock.Milli(0)
		for _, d := range deeds {
			if d.MemberID == p.ID && d.Kind == kind && d.At >= now.Add(-praiseWithin) {
				n, last = n+1, d.At
			}
		}
		if n > 0 && (one.Deed == "" || deed == DeedAnswers) {
			one.Deed, one.Times, one.At = deed, n, last
		}
	}
	yesterday := plus(c.Today, -1)
	switch {
	case one.Deed != "":
	case p.active(plus(c.Today, -crowdDays), yesterday) == 1 && p.active(yesterday, yesterday) == 1 && between(p.Joined, c.Today) < crowdDays:
		one.Deed, one.Times = DeedFirst, 1
	default:
		if one.Times = p.streak(yesterday); one.Times == 0 || one.Times%praiseStreak != 0 {
			return one, false
		}
		one.Deed = DeedCheckins
	}
	return one, true
}

// streak counts the days in a row, up to a day, on which he checked in.
func (p Person) streak(day int) (n int) {
	for ; p.Days[day][community.ActivityCheckin] > 0; day = plus(day, -1) {
		n++
	}
	return n
}

// say puts a member's name and deed into words.
func (p *Praise) say(name string) {
	p.Name = name
	switch p.Deed {
	case DeedAnswers:
		p.Zh = fmt.Sprintf("谢谢 %s 这两天帮大家解答了 %d 个问题，群里有你真好！", name, p.Times)
		p.En = english.One(fmt.Sprintf("Thank you, %s, for answering %d questions these days. It is good to have you here!", name, p.Times))
	case DeedPosts:
		p.Zh = fmt.Sprintf("%s 这两天分享了 %d 条好内容，大家去看看！", name, p.Times)
		p.En = english.One(fmt.Sprintf("%s shared %d good things these days. Have a look!", name, p.Times))
	case DeedFirst:
		p.Zh = fmt.Sprintf("欢迎 %s 第一次在群里开口，多来聊聊！", name)
		p.En = fmt.Sprintf("Welcome, %s, and thank you for your first words here. Come again!", name)
	case DeedCheckins:
		p.Zh = fmt.Sprintf("%s 已经连续打卡 %d 天，了不起！", name, p.Times)
		p.En = english.One(fmt.Sprintf("%s has checked in %d days in a row. Well done!", name, p.Times))
	}
}

// Feedback is how soon deeds were thanked for in 30 days.
type Feedback struct {
	Deeds   int    `json:"deeds"`          // posts and answers
	Thanked int    `json:"thanked"`        // those after which the member was encouraged within a week
	Minutes Figure `json:"median_minutes"` // from deed to thanks
}

// thankWithin is how late a thanks is still one for a deed.
const thankWithin = 7 * 24 * time.Hour

// feedback pairs each incentive with the member's deeds since the one before.
func feedback(deeds []community.Deed) Feedback {
	out := Feedback{Minutes: Unknown}
	open := map[id.Member][]clock.Milli{}
	var waits []int
	for _, d := range deeds {
		if d.Kind != community.ActivityIncentive {
			out.Deeds++
			open[d.MemberID] = append(open[d.MemberID], d.At)
			continue
		}
		for _, done := range open[d.MemberID] {
			if d.At <= done.Add(thankWithin) {
				waits = append(waits, int((d.At-done)/60_000))
			}
		}
		delete(open, d.MemberID)
	}
	if out.Thanked = len(waits); out.Thanked > 0 {
		out.Minutes = Figure(median(waits))
	}
	return out
}
