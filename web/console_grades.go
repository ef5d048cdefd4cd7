package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/community/grade"
	"siyu/internal/database"
	"siyu/internal/id"
)

// gradesPage is the grades of who is in a group, each with why.
type gradesPage struct {
	page
	ID   id.Group
	Name string
	Rows []gradeRow
	Next string
}

type gradeRow struct{ Name, Grade, Why, Lacks, Day string }

// gradesShown is how many people one page lists.
const gradesShown = 50

// consoleGrades answers GET /console/groups/{id}/grades.
func (s *Server) consoleGrades(c *gin.Context) error {
	g, err := s.groupDesk(c)
	if err != nil {
		return err
	}
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	list, err := s.Grade.List(ctx, g.ID, database.Page{Before: before, Limit: gradesShown})
	if err != nil {
		return err
	}
	names, err := namesIn(s.DB.Read(ctx), list.Items, func(x grade.Standing) id.Member { return x.MemberID })
	if err != nil {
		return err
	}
	p := gradesPage{page: s.base(c, ""), ID: g.ID, Name: clean(g.Name)}
	p.Title = choose(p.Lang, "等级", "Grades")
	for _, x := range list.Items {
		p.Rows = append(p.Rows, gradeRowOf(p.Lang, clean(names[x.MemberID]), x))
	}
	if list.NextCursor != "" {
		p.Next = "/console/groups/" + g.ID.String() + "/grades?cursor=" + list.NextCursor
	}
	return s.show(c, http.StatusOK, "grades", p.page, p)
}

func gradeRowOf(lang, name string, x grade.Standing) gradeRow {
	r := gradeRow{Name: name, Grade: choose(lang, x.Grade.NameZH, x.Grade.NameEN), Why: choose(lang, x.Why.ZH, x.Why.EN), Day: dayOf(x.Day)}
	if r.Name == "" {
		r.Name = x.MemberID.String()
	}
	if x.Next != nil {
		r.Lacks = choose(lang, x.Next.Grade.NameZH, x.Next.Grade.NameEN) + choose(lang, "：", ": ") + choose(lang, x.Next.Lacks.ZH, x.Next.Lacks.EN)
	}
	return r
}
