package web

import (
	"net/http"
	"strings"
	"testing"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// TestWorkLinkPage: a link opens an owner's work page on his phone by a tap,
// once, and nothing else of the console; looking at it, as a messenger does,
// opens nothing, and its text stays in no address, page or log.
func TestWorkLinkPage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := openOwned(t, db)
		link, token, err := h.s.Access.MakeWorkLink(h.ctx, access.WorkLinkIn{})
		must(t, err)
		const door = "/console/work/enter"
		lines := logged(t, func() {
			preview := h.phone()
			if a := preview.get(door + "?k=" + token); a.status != http.StatusSeeOther || a.to != door {
				t.Fatalf("led to %d %q", a.status, a.to)
			}
			preview.get(door).is(t, 200)

			phone := h.phone()
			phone.get(door).is(t, 200).has(t, "用密钥登录")
			phone.get(door+"?k="+token).is(t, http.StatusSeeOther)
			a := phone.get(door).is(t, 200)
			a.has(t, "链接只能打开一次")
			a.lacks(t, token)
			form := a.form(t, door)
			phone.post(door, nil).is(t, http.StatusForbidden)
			if a := phone.post(door, form); a.status != http.StatusSeeOther || a.to != "/console/work" {
				t.Fatalf("opening led to %d %q:\n%s", a.status, a.to, a.body)
			}
			work := phone.get("/console/work").is(t, 200)
			work.has(t, "4 件", "/console/work/leave")
			work.lacks(t, `href="/console"`)

			// Once: the preview's browser is too late.
			preview.post(door, preview.get(door).form(t, door)).is(t, http.StatusUnauthorized).has(t, "链接已用过或已过期")

			// It is for this page alone, and does what the page does.
			for _, path := range []string{"/console", "/console/calendar", "/console/groups/" + h.group.String()} {
				if a := phone.get(path).is(t, http.StatusSeeOther); a.to != "/console/login" {
					t.Errorf("%s led to %q", path, a.to)
				}
			}
			confirm := "/console/work/slots/" + h.slot.String() + "/confirm"
			phone.post(confirm, work.form(t, confirm)).is(t, http.StatusSeeOther)
			if list, err := h.s.Access.ListAudit(h.staff, access.AuditFilter{Action: "slot.confirm"}, database.Page{}); err != nil || len(list.Items) != 1 || list.Items[0].StaffID != database.ActorOf(h.ctx).Staff {
				t.Errorf("audit: %+v, %v", list, err)
			}

			must(t, h.s.Access.RevokeWorkLink(h.staff, link))
			phone.get("/console/work").is(t, http.StatusSeeOther)
			phone.post(confirm, work.form(t, confirm)).is(t, http.StatusSeeOther) // to the sign-in

			_, second, err := h.s.Access.MakeWorkLink(h.ctx, access.WorkLinkIn{})
			must(t, err)
			phone.get(door + "?k=" + second)
			phone.post(door, phone.get(door).form(t, door)).is(t, http.StatusSeeOther)
			phone.get("/console/work").is(t, 200)
			phone.post("/console/work/leave", nil).is(t, http.StatusSeeOther)
			phone.get("/console/work").is(t, http.StatusSeeOther)
		})
		if strings.Contains(lines, token) || strings.Contains(lines, strings.SplitN(token, ".", 2)[1]) {
			t.Errorf("the log holds the link:\n%s", lines)
		}
		h.consoleOf(h.owner).get("/console/work").is(t, 200).has(t, `href="/console"`)
	})
}

// workDoorGallery is the page behind a link.
func workDoorGallery() []shown {
	var list []shown
	for _, lang := range []string{langZH, langEN} {
		p := workDoorPage{page: base(lang, choose(lang, "今天的群务", "Today's work")), Link: true}
		used := p
		used.Link, used.Notice = false, &notice{Text: access.ErrWorkLink.Text(lang)}
		list = append(list, shown{"workdoor_" + lang, "workdoor", p.page, p}, shown{"workdoor_used_" + lang, "workdoor", used.page, used})
	}
	return list
}
