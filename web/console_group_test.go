package web

import (
	"context"
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// A group's week says what was let through, put off and refused, and why.
func TestConsoleGroup(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		now := func() clock.Milli { return clock.MilliOf(db.Clock.Now()) }
		g, err := h.s.Community.CreateGroup(h.staff, community.GroupIn{Name: "茶友群" + hostileName, OwnerID: 7, Preset: community.PresetRetail, BornAt: now().Add(-400 * 24 * time.Hour)})
		must(t, err)
		page := "/console/groups/" + g.String()
		h.phone().get(page).is(t, http.StatusSeeOther)
		h.consoleOf(h.staffKey(access.Finance)).get(page).is(t, http.StatusForbidden)
		desk := h.consoleOf(h.key)
		desk.get("/console/groups/grp_0000000000007").is(t, http.StatusNotFound)
		desk.get(page).is(t, 200).has(t, "本周还没有判定", "今后 14 天", "严格执行")

		for n := range 2 {
			_, err := h.s.Guard.Reserve(context.Background(), guard.Ask{Promotion: id.Promotion(n + 1), Window: guard.Window{From: now(), To: now().Add(time.Hour)}, Groups: []id.Group{g}},
				func(*database.Tx, []guard.Answer) error { return nil })
			must(t, err)
		}
		a := desk.get(page).is(t, 200)
		a.has(t, "茶友群", "&lt;script&gt;", "G6 离最近一条推广 0 小时", "G7.day 当天已占 1 条", "起可发")
		a.lacks(t, "<script>alert", " style=", "%!")
		desk.get(page+"?lang=en").is(t, 200).has(t, "This week", "G6 0 hours from the nearest ad", "room for")
		desk.get("/console").is(t, 200).has(t, `href="`+page+`" class=`, `<a href="`+page+`"><bdi>`)
	})
}

// weekGallery is a group's week in both languages.
func weekGallery() []shown {
	var list []shown
	now := noon().Add(4 * 24 * time.Hour)
	at := func(hours int) clock.Milli { return clock.MilliOf(now.Add(time.Duration(hours) * time.Hour)) }
	for _, lang := range []string{langZH, langEN} {
		p := weekPage{page: base(lang, choose(lang, "群的一周", "A group's week")), ID: 7 << 40, Name: "西湖茶友群", Preset: presetName(lang, "interest"), Mode: modeName(lang, guard.ModeEnforce), Used: 2, Cap: 2, Full: true, Room: 3}
		p.Now = now
		kept := func(o guard.Outcome, hours, times int, by guard.PermitKind, advice guard.Reasons, reasons ...guard.Reason) guard.Kept {
			k := guard.Kept{Times: times, LastAt: at(hours), Decision: guard.Decision{Outcome: o, Reasons: reasons, Advice: advice, By: by}}
			if o == guard.OutcomeDefer {
				k.NotBefore = at(20)
			}
			return k
		}
		p.fill([]guard.Kept{
			kept(guard.OutcomeDeny, -1, 3, "", nil, guard.Reason{Rule: guard.RuleWeek, Observed: 2, Limit: 2}, guard.Reason{Rule: guard.RuleContent, Observed: 7, Limit: 12}),
			kept(guard.OutcomeDefer, -3, 1, "", guard.Reasons{{Rule: guard.RuleMain, Observed: 1, Limit: 1}}, guard.Reason{Rule: guard.RuleGap, Observed: 28 * 60, Limit: 48 * 60}),
			kept(guard.OutcomeAllow, -30, 1, guard.PermitAdvance, guard.Reasons{{Rule: guard.RuleWeek, Observed: 2, Limit: 2}}),
			kept(guard.OutcomeUnplanned, -50, 1, "", nil, guard.Reason{Rule: guard.RuleQuiet, Observed: 22*60 + 5, Limit: 8*60 + 30}),
			kept(guard.OutcomeAllow, -90, 1, "", guard.Reasons{{Rule: guard.RuleMoment, Observed: guard.Unknown, Limit: 3}}),
		}, at(-98))
		for i := range guard.ForecastDays {
			d := guard.ForecastDay{Day: 20260306 + i, Open: i%4 == 3, FirstAt: at(24*i + 2), Reasons: guard.Reasons{{Rule: guard.RuleWeekSliding, Observed: 2, Limit: 2}}}
			if i == 0 {
				d.Ads = 1
			}
			p.Days = append(p.Days, aheadOf(lang, now, d))
		}
		list = append(list, shown{"week_" + lang, "week", p.page, p})
	}
	return list
}
