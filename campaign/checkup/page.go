package checkup

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"day":       func(m interface{ String() string }) string { return strings.SplitN(m.String(), "T", 2)[0] },
	"hundredth": hundredth,
}).Parse(pageText))

// Page writes the report as one page that needs nothing beside it.
func (r Report) Page(w io.Writer, lang string) error {
	return pageTemplate.Execute(w, view{r, lang})
}

// view is a report in a language, for the template.
type view struct {
	Report
	Lang string
}

func (v view) T(zh, en string) string { return Words{zh, en}.In(v.Lang) }

// bar is one bar of a chart, with its length of a hundred.
type bar struct {
	Name, Value string
	Width       int64
	Strong      bool
}

// Verdicts are the sends by what the guard would have said.
func (v view) Verdicts() []bar {
	s := v.Sends
	return bars([]bar{
		{v.T("放行", "allowed"), number(s.Allowed), s.Allowed, false},
		{v.T("顺延", "deferred"), number(s.Deferred), s.Deferred, true},
		{v.T("拦下", "refused"), number(s.Refused), s.Refused, true},
	})
}

// After are the departures beside what preceded them.
func (v view) After() []bar {
	l := v.Leaves
	return bars([]bar{
		{v.T("每条被拦推广之后 24 小时", "in the 24 hours after each held ad"), hundredth(l.PerHeld), l.PerHeld, true},
		{v.T("每条放行推广之后 24 小时", "in the 24 hours after each allowed ad"), hundredth(l.PerAllowed), l.PerAllowed, false},
		{v.T("没有推广的每 24 小时", "in each 24 hours without one"), hundredth(l.PerCalm), l.PerCalm, false},
	})
}

// Reasons are the rules that held.
func (v view) Reasons() []bar {
	out := make([]bar, 0, len(v.Rules))
	for _, c := range v.Rules {
		out = append(out, bar{c.Name().In(v.Lang), number(c.N), c.N, true})
	}
	return bars(out)
}

// column is one hour of the chart of hours.
type column struct {
	Hour          int
	X             int
	Sends, Leaves int64 // heights of 60
	Best          bool
	Title         string
}

// Columns are the hours of the day.
func (v view) Columns() []column {
	var most int64 = 1
	for _, h := range v.Hours {
		most = max(most, h.Sends, h.Leaves)
	}
	out := make([]column, 24)
	for i, h := range v.Hours {
		out[i] = column{i, i * 12, h.Sends * 60 / most, h.Leaves * 60 / most, i == v.Best,
			strings.NewReplacer("{h}", number(int64(i)), "{s}", number(h.Sends), "{l}", number(h.Leaves)).
				Replace(v.T("{h} 点：推广 {s}，其后退群 {l}", "{h}:00: {s} ads, {l} left after"))}
	}
	return out
}

func bars(list []bar) []bar {
	var most int64 = 1
	for _, b := range list {
		most = max(most, b.Width)
	}
	for i := range list {
		list[i].Width = max(list[i].Width, 0) * 100 / most
	}
	return list
}
