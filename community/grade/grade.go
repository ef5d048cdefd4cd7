// Package grade says how at home somebody is in a group: 新人, 常客, 核心, or
// whatever the brand calls it.
//
// A grade is the highest of the rules all of whose numbers he reaches: days in
// the group, days active of the last 30, replies he got in them, offline
// events he came to within a year. What somebody spent is no fact of it, so
// money alone moves nobody. Roles (admin, KOC …) are given by people and stay
// apart.
//
// Tables: grade_rules, grade_days, member_grades, grade_moves. What holds
// always: rules are data in versions; a member has one grade in a group, moved
// at most once a local day, each move with the facts it rests on; a group of
// which less than half of 30 days is known moves nobody. The worker moves by
// night; api and web show it.
package grade

import (
	"fmt"
	"strings"

	"siyu/internal/english"
)

// Grade is a step of the ladder and what it takes; zero numbers ask nothing.
type Grade struct {
	Key        string `json:"key"`
	NameZH     string `json:"name_zh"`
	NameEN     string `json:"name_en"`
	DaysIn     int    `json:"days_in"`
	ActiveDays int    `json:"active_days"` // of the last 30
	Replies    int    `json:"replies"`     // got in the last 30 days
	Attended   int    `json:"attended"`    // offline events within a year
}

// Rules are the ladder, lowest first.
type Rules struct {
	Version int     `json:"version"`
	Grades  []Grade `json:"grades"`
}

// house are the rules until somebody sets others.
func house() Rules {
	return Rules{0, []Grade{
		{Key: "newcomer", NameZH: "新人", NameEN: "newcomer"},
		{Key: "regular", NameZH: "常客", NameEN: "regular", DaysIn: 14, ActiveDays: 4},
		{Key: "core", NameZH: "核心", NameEN: "core", DaysIn: 60, ActiveDays: 12, Replies: 5},
	}}
}

// Facts are what a grade rests on.
type Facts struct {
	DaysIn     int `json:"days_in"`
	ActiveDays int `json:"active_days"`
	Replies    int `json:"replies"`
	Attended   int `json:"attended"`
}

// reaches says whether the facts are enough for the grade.
func (g Grade) reaches(f Facts) bool {
	return f.DaysIn >= g.DaysIn && f.ActiveDays >= g.ActiveDays && f.Replies >= g.Replies && f.Attended >= g.Attended
}

// Decide is the highest grade that the facts reach.
func Decide(r Rules, f Facts) Grade {
	best := r.Grades[0]
	for _, g := range r.Grades {
		if g.reaches(f) {
			best = g
		}
	}
	return best
}

// of is the grade of a key, the lowest for one that the rules no longer have.
func (r Rules) of(key string) Grade {
	for _, g := range r.Grades {
		if g.Key == key {
			return g
		}
	}
	return r.Grades[0]
}

// next is the grade above one, if any.
func (r Rules) next(key string) (Grade, bool) {
	for i, g := range r.Grades {
		if g.Key == key && i+1 < len(r.Grades) {
			return r.Grades[i+1], true
		}
	}
	return Grade{}, false
}

// Text is what somebody is told, in both languages.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Say tells the facts in plain words.
func (f Facts) Say() Text {
	return Text{
		fmt.Sprintf("在群 %d 天，近 30 天活跃 %d 天、收到 %d 次回应，一年内参加线下活动 %d 次", f.DaysIn, f.ActiveDays, f.Replies, f.Attended),
		english.One(fmt.Sprintf("%d days in the group; of the last 30 active on %d, with %d replies; %d offline events within a year", f.DaysIn, f.ActiveDays, f.Replies, f.Attended)),
	}
}

// Lacks tells what the facts lack for a grade.
func (g Grade) Lacks(f Facts) Text {
	var zh, en []string
	for _, x := range []struct {
		want, have int
		zh, en     string
	}{
		{g.DaysIn, f.DaysIn, "再待 %d 天", "%d more days"},
		{g.ActiveDays, f.ActiveDays, "30 天内再活跃 %d 天", "%d more active days of 30"},
		{g.Replies, f.Replies, "再收到 %d 次回应", "%d more replies"},
		{g.Attended, f.Attended, "再参加 %d 次线下活动", "%d more offline events"},
	} {
		if x.have < x.want {
			zh, en = append(zh, fmt.Sprintf(x.zh, x.want-x.have)), append(en, english.One(fmt.Sprintf(x.en, x.want-x.have)))
		}
	}
	if len(zh) == 0 {
		return Text{"今晚升级", "reached; it moves tonight"}
	}
	return Text{strings.Join(zh, "，"), strings.Join(en, ", ")}
}
