package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community/intake"
	"siyu/internal/fault"
	"siyu/internal/httpd"
	"siyu/internal/id"
)

func (s *Server) importRoutes(r *routes) {
	callers := staff(access.Marketer, access.Mall)
	r.post("/v1/imports", s.createImport, callers, keyed, bodyLimit(intake.BytesMax))
	r.get("/v1/imports", paged(s.Intake.List), callers)
	r.get("/v1/imports/:id", s.findImport, callers)
	r.get("/v1/imports/:id/report.csv", s.readImportReport, callers)
}

// createImport takes a file and answers before its lines are worked.
func (s *Server) createImport(c *gin.Context) error {
	name := c.DefaultQuery("zone", "Asia/Shanghai")
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return fault.Invalid.Field("zone", "unknown_value", "应为 IANA 时区，如 Asia/Shanghai", "must be an IANA zone like Asia/Shanghai")
	}
	body, err := httpd.Body(c)
	if err != nil {
		return err
	}
	f, err := intake.Read(intake.Kind(c.Query("kind")), body, zone)
	if err != nil {
		return err
	}
	if err := s.refusePlaces(c, f); err != nil {
		return err
	}
	file, err := once(s.Intake.Receive(c.Request.Context(), f))(c)
	if err != nil {
		return err
	}
	found, err := s.Intake.Find(c.Request.Context(), file)
	if err != nil {
		return err
	}
	c.Header("Location", "/v1/imports/"+file.String())
	return render(c, http.StatusAccepted, struct {
		intake.Import
		Ignored []string `json:"ignored_columns"`
	}{found, append([]string{}, f.Ignored...)})
}

// refusePlaces refuses the lines that name a unit or a colleague who does not
// exist for the caller.
func (s *Server) refusePlaces(c *gin.Context, f *intake.File) error {
	units, owners := f.Places()
	for u := range units {
		_, err := s.Access.FindUnit(c.Request.Context(), u)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return err
		}
		units[u] = err == nil
	}
	for o := range owners {
		_, err := s.Access.FindStaff(c.Request.Context(), o)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return err
		}
		owners[o] = err == nil
	}
	f.Refuse(func(u id.Unit) bool { return !units[u] }, func(o id.Staff) bool { return !owners[o] })
	return nil
}

// badShown is how many refused lines an import shows; the report has all.
const badShown = 50

func (s *Server) findImport(c *gin.Context) error {
	file, err := pathID[id.Import](c, "id")
	if err != nil {
		return err
	}
	found, err := s.Intake.Find(c.Request.Context(), file)
	if err != nil {
		return err
	}
	bad, err := s.Intake.Bad(c.Request.Context(), found, badShown)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, struct {
		intake.Import
		Bad []intake.Outcome `json:"bad"`
	}{found, bad})
}

func (s *Server) readImportReport(c *gin.Context) error {
	file, err := pathID[id.Import](c, "id")
	if err != nil {
		return err
	}
	found, err := s.Intake.Find(c.Request.Context(), file)
	if err != nil {
		return err
	}
	c.Header("Content-Type", "text/csv; charset=utf-8")
	c.Header("Content-Disposition", `attachment; filename="`+file.String()+`.csv"`)
	c.Header("Cache-Control", "private, no-store")
	c.Status(http.StatusOK)
	if err := s.Intake.WriteReport(c.Request.Context(), found, httpd.Lang(c), c.Writer); err != nil {
		panic(http.ErrAbortHandler) // the head has gone out
	}
	return nil
}
