package web

import (
	"net/http"
	"testing"
	"time"

	"siyu/community"
	"siyu/community/gathering"
	"siyu/community/life"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// gatheringGallery is an event in its moods.
func gatheringGallery() []shown {
	free := gatheringPage{page: base(langZH, "龙井开采"), ID: 3 << 40, Group: "/g/x", Name: "龙井开采，一起上山采茶", Place: "杭州市西湖区梅家坞村 12 号茶园入口", When: "3月7日 09:00", Free: 3}
	full, seat, door, off := free, free, free, free
	full.Free, full.Notice = 0, &notice{Text: "二维码已过期或不是这次活动的，请重新扫"}
	seat.Seat = "in"
	door.Seat, door.Door = "in", "k.x"
	off.Off = "下雨路滑，改期再约"
	english := full
	english.page, english.Seat = base(langEN, "Tea picking"), "waiting"
	list := []shown{}
	for name, p := range map[string]gatheringPage{"gathering": free, "gathering_full": full, "gathering_seat": seat, "gathering_door": door, "gathering_off": off, "gathering_en": english} {
		list = append(list, shown{name, "gathering", p.page, p})
	}
	return list
}

// TestGatheringPage: who is in the group signs up, scans the door and is there.
func TestGatheringPage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		liM := h.member("李雷", "m-li")
		_, err := h.s.Community.PutMemberships(h.staff, h.group, []community.MembershipIn{{MemberID: liM}})
		must(t, err)
		start := db.Clock.Now().Add(2 * time.Hour)
		e, err := h.s.Gathering.Create(h.staff, h.group, gathering.In{Title: "<b>龙井</b>开采", Place: "梅家坞", StartsAt: clock.MilliOf(start), EndsAt: clock.MilliOf(start.Add(time.Hour)), Capacity: 1})
		must(t, err)
		page := "/e/" + e.String()
		li, stranger := h.signedIn(liM), h.phone()
		form := stranger.get(page).is(t, 200).form(t, page+"/join")
		stranger.post(page+"/join", form).is(t, http.StatusConflict).has(t, "你不在这个群里")
		shown := li.get(page).is(t, 200)
		shown.has(t, "还有 1 个名额")
		shown.lacks(t, "<b>龙井")
		form = shown.form(t, page+"/join")
		for range 2 {
			li.post(page+"/join", form).is(t, http.StatusSeeOther)
		}
		li.get(page).is(t, 200).has(t, "已报名", "seat.png")
		li.get(page+"/seat.png").is(t, 200)
		db.Clock.Jump(90 * time.Minute)
		li = h.signedIn(liM) // from the mall again: its token had run out
		code, err := h.s.Gathering.DoorCode(h.staff, e)
		must(t, err)
		form = li.get(page+"?k="+code).is(t, 200).form(t, page+"/check")
		for range 2 {
			li.post(page+"/check", form).is(t, http.StatusSeeOther)
		}
		here := `href="/g/` + h.group.String() + `"`
		li.get(page).is(t, 200).has(t, "已签到", here)
		must(t, h.s.Life.Close(h.staff, h.group, life.CloseIn{Reason: "人太少"}))
		li.get(page).is(t, 200).lacks(t, here) // its group's page is gone
	})
}
