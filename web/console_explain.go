package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/campaign/tieout"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// consoleExplain answers POST /console/tieouts/{id}/explain: one reason for the
// rows that are ticked, or for all open ones of a sort.
func (s *Server) consoleExplain(c *gin.Context) error {
	return s.heldSideBySide(c, func(ctx context.Context, tid id.TieOut, run int) error {
		in := tieout.ExplainIn{Run: run, Sort: tieout.Sort(c.PostForm("sort")), Reason: c.PostForm("reason")}
		for _, text := range c.PostFormArray("n") {
			n, err := strconv.Atoi(text)
			if err != nil {
				return errForm
			}
			in.Numbers = append(in.Numbers, n)
		}
		return s.TieOut.Explain(ctx, tid, in)
	})
}

// consoleTie answers POST /console/tieouts/{id}/approve: the second person's
// word on the reasons.
func (s *Server) consoleTie(c *gin.Context) error {
	return s.heldSideBySide(c, func(ctx context.Context, tid id.TieOut, run int) error {
		return s.TieOut.Approve(ctx, tid, tieout.ApproveIn{Run: run})
	})
}

// heldSideBySide checks a form about one day's result and does what it says.
// The run that was looked at and the state refuse what comes too late.
func (s *Server) heldSideBySide(c *gin.Context, do func(context.Context, id.TieOut, int) error) error {
	ctx, err := s.tapped(c, readsTieOuts)
	if err != nil {
		return err
	}
	var tid id.TieOut
	if err := read(c.Param("id"), &tid); err != nil {
		return err
	}
	run, err := strconv.Atoi(c.PostForm("run"))
	if err != nil {
		return fault.NotFound
	}
	if err := do(ctx, tid, run); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/tieouts?id="+tid.String())
	return nil
}
