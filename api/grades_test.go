package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/community/grade"
	"siyu/internal/task"
)

const someGrades = `{"grades":[{"key":"a","name_zh":"茶友","name_en":"friend"},{"key":"b","name_zh":"茶人","name_en":"master","days_in":30}]}`

func TestGrades(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		owner, g := h.keys[east][access.GroupOwner], groupOf(t, h)
		var r grade.Rules
		if h.call(t, owner, "GET /v1/grade-rules", "").into(t, &r); r.Version != 0 || len(r.Grades) != 3 {
			t.Errorf("rules: got %+v", r)
		}
		for want, match := range map[int]string{http.StatusPreconditionRequired: "X-None: 1", http.StatusPreconditionFailed: `If-Match: "3"`, http.StatusOK: `If-Match: "0"`} {
			if got := h.call(t, h.keys[""][access.Admin], "PUT /v1/grade-rules", someGrades, match); got.status != want {
				t.Errorf("%s: got %d %s, want %d", match, got.status, got.body, want)
			}
		}
		m := member1(t, h)
		token := tokenOf(t, h, m)
		h.call(t, h.keys[east][access.Marketer], "PUT /v1/groups/"+g+"/memberships", `{"memberships":[{"member_id":"`+m+`","role":"member"}]}`)
		if got := h.call(t, token, "GET /v1/groups/"+g+"/grade", ""); got.status != http.StatusNotFound {
			t.Errorf("before the first night: got %d", got.status)
		}
		var days []string
		for back := 1; back <= 20; back++ {
			days = append(days, h.DB.Clock.Now().AddDate(0, 0, -back).Format("20060102"))
		}
		if got := h.call(t, owner, "POST /v1/groups/"+g+"/activity", `{"complete_days":[`+strings.Join(days, ",")+`]}`); got.status != http.StatusOK {
			t.Fatalf("got %d %s", got.status, got.body)
		}
		reg := task.NewRegistry()
		h.Grade.Register(reg)
		h.DB.Clock.Jump(time.Hour)
		if err := task.Tick(bg, h.DB, reg); err != nil {
			t.Fatal(err)
		}
		var got grade.Standing
		token = tokenOf(t, h, m)
		if h.call(t, token, "GET /v1/groups/"+g+"/grade", "").into(t, &got); got.Grade.Key != "a" || got.Next == nil || !strings.Contains(got.Next.Lacks.ZH, "再待 30 天") || len(got.Moves) != 1 {
			t.Errorf("his own: got %+v", got)
		}
		var copied struct{ Grades []grade.Past }
		if h.call(t, h.keys[east][access.Mall], "GET /v1/members/"+m+"/export", "").into(t, &copied); len(copied.Grades) != 1 || copied.Grades[0].After != "a" {
			t.Errorf("his copy: got %+v", copied)
		}
		var list struct{ Items []grade.Standing }
		if h.call(t, owner, "GET /v1/groups/"+g+"/grades", "").into(t, &list); len(list.Items) != 1 || list.Items[0].Grade.NameZH != "茶友" {
			t.Errorf("list: got %+v", list)
		}
	})
}
