package web

import (
	"net/http"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// kept opens the house with few requests allowed.
func kept(t *testing.T, db *database.DB, r Rates) *house {
	t.Helper()
	h := open(t, db)
	h.s.Rates = r
	h.s.limits = h.s.newLimits()
	return h
}

func TestPagesAreLimited(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := kept(t, db, Rates{Address: 160, Visitor: 400}) // bursts of 40, and of 4 new guests
		code := h.code(h.run("flash_sale", "限时抢购", `{}`))
		known := h.phone()
		known.get("/i/"+code).is(t, 200)
		for range 3 {
			h.phone().get("/i/"+code).is(t, 200)
		}
		a := h.phone().get("/i/"+code).is(t, http.StatusTooManyRequests)
		a.has(t, "来的人有点多", "再试一次", `href="/i/`+code+`"`)
		if a.header.Get("Retry-After") == "" || a.header.Get("RateLimit-Policy") != `"guests";q=16;w=60` || a.header.Get("Set-Cookie") != "" {
			t.Errorf("headers %v", a.header)
		}
		en := h.phone()
		en.lang = "en"
		en.get("/i/"+code).is(t, http.StatusTooManyRequests).has(t, "A little too busy", "Try again")
		var guests int
		must(t, db.Read(h.system).Raw("SELECT COUNT(*) FROM members WHERE guest = 1").Scan(&guests).Error)
		if guests != 4 {
			t.Errorf("%d guests, want the burst of 4", guests)
		}
		known.get("/i/"+code).is(t, 200) // who is known makes no guest
		status := 0
		for range 40 {
			status = known.get("/t/tem_0000000000001").status
		}
		if status != http.StatusTooManyRequests {
			t.Errorf("the address's 50th page: %d", status)
		}
		known.get(h.s.press.shelf.byName["siyu.css"].href).is(t, 200)
	})
}

func TestFormsAreLimited(t *testing.T) {
	h := kept(t, dbtest.Open(t, "sqlite"), Rates{Visitor: 24}) // a burst of 6
	code := h.code(h.run("flash_sale", "限时抢购", `{}`))
	p := h.phone()
	form := p.get("/i/"+code).form(t, "/i/"+code+"/claim")
	for range 6 {
		p.post("/i/"+code+"/claim", form)
	}
	a := p.post("/i/"+code+"/claim", form).is(t, http.StatusTooManyRequests)
	a.has(t, "来的人有点多")
	a.lacks(t, "再试一次") // a form is not sent again by a link
	h.phone().get("/i/"+code).is(t, 200)
}

func TestWrongKeysAreLimited(t *testing.T) {
	h := kept(t, dbtest.Open(t, "sqlite"), Rates{})
	form := h.phone().get("/console/login").form(t, "/console/login")
	for range 12 { // right ones are free
		form.Set("api_key", h.key)
		h.phone().post("/console/login", form).is(t, http.StatusSeeOther)
	}
	for range 10 {
		form.Set("api_key", "sk_siyu_guess")
		h.phone().post("/console/login", form).is(t, http.StatusUnauthorized)
	}
	h.phone().post("/console/login", form).is(t, http.StatusTooManyRequests)
	form.Set("api_key", h.key)
	h.phone().post("/console/login", form).is(t, http.StatusTooManyRequests)
}
