package web

import (
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign/exposure"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestConsoleExposure: how many ads people saw, and the groups whose members
// see as many as they may; finance does not see it.
func TestConsoleExposure(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		h.consoleOf(h.staffKey(access.Finance)).get("/console/exposure").is(t, http.StatusForbidden)
		h.consoleOf(h.staffKey(access.Finance)).get("/console").lacks(t, "/console/exposure")
		p := h.consoleOf(h.staffKey(access.Marketer))
		p.get("/console").is(t, 200).has(t, `href="/console/exposure"`)
		p.get("/console/exposure").is(t, 200).has(t, "还没有统计", "没有群友到上限的群", "只提示")

		now := clock.MilliOf(db.Clock.Now())
		other, err := h.s.Community.CreateGroup(h.staff, community.GroupIn{Name: "望京二群", OwnerID: 7, Preset: community.PresetChain, BornAt: now.Add(-400 * 24 * time.Hour)})
		must(t, err)
		for _, g := range []id.Group{h.group, other} {
			_, err := h.s.Community.PutMemberships(h.staff, g, []community.MembershipIn{{MemberID: h.wang, JoinedAt: now.Add(-100 * 24 * time.Hour)}})
			must(t, err)
			_, err = h.s.Guard.PostByHand(h.staff, g, 0, 0)
			must(t, err)
		}
		two := 2
		_, err = h.s.Exposure.Set(h.staff, 0, exposure.In{Mode: guard.ModeEnforce, Ceiling: &two}, 0)
		must(t, err)
		db.Clock.Jump(time.Hour)
		must(t, h.s.Exposure.Count(h.system))
		p.get("/console/exposure").is(t, 200).has(t, "先不发", "望京二群", "1 / 1 人 · 100%", "2 条 · 已到上限", "一个人 7 天内在所有群一共最多 2 条")
		p.get("/console/exposure?lang=en").is(t, 200).has(t, "at most 2 ads for one person in 7 days", "left out", "2 ads · at the ceiling")
		whole := p.get("/console/exposure")
		whole.has(t, "The whole brand") // the language stays
		whole.lacks(t, "Your unit")
		west, err := h.s.Access.CreateUnit(h.staff, access.UnitIn{ParentID: h.unit, Name: "华西"})
		must(t, err)
		part := h.consoleOf(h.keyIn(west, access.Marketer)).get("/console/exposure").is(t, 200)
		part.has(t, "本组织及下级")
		part.lacks(t, "望京二群", "2 条 · 已到上限", "全品牌")
		p.get("/console/exposure?cursor=%21").is(t, http.StatusUnprocessableEntity)
	})
}
