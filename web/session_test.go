package web

import (
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

func TestSessionsOnThePage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		shanghai, err := time.LoadLocation("Asia/Shanghai")
		must(t, err)
		now := db.Clock.Now().In(shanghai)
		day := func(hour int) time.Time {
			return time.Date(now.Year(), now.Month(), now.Day()+1, hour, 0, 0, 0, shanghai)
		}
		db.Clock.Jump(day(9).Sub(now))
		code := h.code(h.run("flash_sale", "限时抢购", `{"zone": "Asia/Shanghai", "sessions": [{"from": "20:00", "to": "22:00"}, {"from": "10:00", "to": "12:00"}]}`))
		see := func(lang string, has, lacks []string) {
			t.Helper()
			p := h.phone()
			p.lang = lang
			a := p.get("/i/"+code).is(t, 200)
			a.has(t, has...)
			a.lacks(t, append(lacks, "%!")...)
		}
		see("zh-CN", []string{"距下一场", "10:00 开始下一场", "每天 10:00–12:00、20:00–22:00（北京时间）"}, []string{"立即抢购"})
		see("en", []string{"Next session in", "10:00 the next session starts", "every day 10:00–12:00, 20:00–22:00"}, []string{"Get it now"})
		db.Clock.Jump(time.Hour)
		see("zh-CN", []string{"距本场结束", "下一场", "20:00", "立即抢购"}, []string{"距下一场"})
		see("en", []string{"This session ends in", "Next session", "20:00", "Get it now"}, []string{"距"})
		db.Clock.Jump(46 * time.Hour) // an hour before its end, after the last session that fits
		see("zh-CN", []string{"活动已结束"}, []string{"立即抢购", "data-until"})
	})
}
