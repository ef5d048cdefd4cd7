package checkup

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"siyu/campaign/guard"
	"siyu/internal/english"
)

// ruleNames are short names for the rules that hold a send of the past.
var ruleNames = map[guard.Rule]Words{
	guard.RuleWarmUp:       {"新群冷静期", "new group's warm-up"},
	guard.RuleQuiet:        {"免打扰时段", "quiet hours"},
	guard.RuleGap:          {"两条间隔太短", "too close to another"},
	guard.RuleDay:          {"当天条数", "ads that day"},
	guard.RuleWeek:         {"当周条数", "ads that week"},
	guard.RuleWeekSliding:  {"连续 7 天条数", "ads in 7 days"},
	guard.RuleMonth:        {"当月条数", "ads that month"},
	guard.RuleMonthSliding: {"连续 30 天条数", "ads in 30 days"},
	guard.RuleLife:         {"本群累计条数", "ads over the group's life"},
}

// Name is the rule in words.
func (c RuleCount) Name() Words {
	if w, ok := ruleNames[c.Rule]; ok {
		return Words{string(c.Rule) + " " + w.ZH, string(c.Rule) + " " + w.EN}
	}
	return Words{string(c.Rule), string(c.Rule)}
}

// In is the words of a language: "en", else Chinese.
func (w Words) In(lang string) string {
	if lang == "en" {
		return w.EN
	}
	return w.ZH
}

// hundredth is n per hundred as a number with two digits; "–" of none.
func hundredth(n int64) string {
	if n < 0 {
		return "–"
	}
	return fmt.Sprintf("%d.%02d", n/100, n%100)
}

// Write writes the report as text.
func (r Report) Write(w io.Writer, lang string) error {
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	p := func(zh, en string, args ...any) {
		fmt.Fprintln(t, Words{fmt.Sprintf(zh, args...), english.One(fmt.Sprintf(en, args...))}.In(lang))
	}
	day := func(m interface{ String() string }) string { return strings.SplitN(m.String(), "T", 2)[0] }
	p("群体检：%d 个群，%s 至 %s，按预设 %s", "Checkup of %d groups, %s to %s, as preset %s", len(r.Groups), day(r.From), day(r.To), r.Preset)
	p("推广 %d 条：放行 %d，顺延 %d，拦下 %d", "%d ads: %d allowed, %d deferred, %d refused", r.Sends.Total, r.Sends.Allowed, r.Sends.Deferred, r.Sends.Refused)
	for _, c := range r.Rules {
		fmt.Fprintf(t, "  %s\t%d\n", c.Name().In(lang), c.N)
	}
	p("退群 %d 人", "%d people left", r.Leaves.Total)
	p("  每条被拦推广之后 24 小时\t%s", "  in the 24 hours after each held ad\t%s", hundredth(r.Leaves.PerHeld))
	p("  每条放行推广之后 24 小时\t%s", "  in the 24 hours after each allowed ad\t%s", hundredth(r.Leaves.PerAllowed))
	p("  没有推广的每 24 小时\t%s", "  in each 24 hours without one\t%s", hundredth(r.Leaves.PerCalm))
	if r.Best >= 0 {
		p("发出后走的人最少的时段：%d 点（%d 条）", "the hour after which the fewest left: %d:00 (%d ads)", r.Best, r.Hours[r.Best].Sends)
	} else {
		p("推广太少，说不出最好的时段", "too few ads to name a best hour")
	}
	r.list(t, lang, Words{"要救的群", "groups to save"}, AdviceSave)
	r.list(t, lang, Words{"可以合并的群", "groups to merge"}, AdviceMerge)
	if r.Lines.Bad > 0 {
		p("%d 行读不懂，未计入；前几行：", "%d lines say nothing and were left out; the first:", r.Lines.Bad)
		for _, b := range r.Lines.Why[:min(len(r.Lines.Why), 5)] {
			p("  第 %d 行 %s：%s", "  line %d, %s: %s", b.Line, b.Field, b.In(lang))
		}
	}
	fmt.Fprintln(t, r.Caution.In(lang))
	return t.Flush()
}

func (r Report) list(w io.Writer, lang string, title Words, of Advice) {
	first := true
	for _, g := range r.Groups {
		if g.Advice != of {
			continue
		}
		if first {
			fmt.Fprintln(w, title.In(lang))
			first = false
		}
		fmt.Fprintf(w, "  %s\t%s\n", printable(g.Name), g.Why.In(lang))
	}
}

// printable keeps control characters of a file out of a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
