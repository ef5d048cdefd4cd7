package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/campaign/guard"
	"siyu/community/gate"
	"siyu/community/request"
	"siyu/community/ritual"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// did answers a form of the work pages. Its effect carries the form's key, so
// that a second tap finds the first one's; what is refused is said on the page
// that the form was on.
func (s *Server) did(c *gin.Context, of []string, effect func(ctx context.Context) error) error {
	var group id.Group // whose own page the form was on, if it was on one
	if text := c.PostForm("at"); text != "" {
		if err := read(text, &group); err != nil {
			return err
		}
	}
	ctx, err := s.tappedOnce(c, runsGroups, "POST "+c.Request.URL.Path, of...)
	if err != nil {
		return err
	}
	err = effect(ctx)
	var again *database.Replayed // a second tap
	if f, ok := fault.As(err); ok && f.Kind != fault.KindNotFound && f.Kind != fault.KindInternal {
		return s.workRefused(c, group, f)
	}
	if err != nil && !errors.As(err, &again) {
		return err
	}
	to := "/console/work"
	if group != 0 {
		to += "/groups/" + group.String()
	}
	c.Redirect(http.StatusSeeOther, to)
	return nil
}

func (s *Server) workRefused(c *gin.Context, group id.Group, f *fault.Fault) error {
	if group != 0 {
		p, err := s.workGroupPage(c, group)
		if err != nil {
			return err
		}
		p.Notice = noticeOf(p.Lang, f)
		return s.show(c, int(f.Kind), "workgroup", p.page, p)
	}
	p, err := s.workPage(c)
	if err != nil {
		return err
	}
	p.Notice = noticeOf(p.Lang, f)
	return s.show(c, int(f.Kind), "work", p.page, p)
}

// workSlot answers POST /console/work/slots/{id}/{confirm|release}: the owner
// says that an ad was shown, or that it was not and will not be.
func (s *Server) workSlot(c *gin.Context) error {
	var slot id.Slot
	if err := read(c.Param("id"), &slot); err != nil {
		return err
	}
	act := c.Param("act")
	if act != "confirm" && act != "release" {
		return fault.NotFound
	}
	return s.did(c, []string{c.PostForm("shown")}, func(ctx context.Context) error {
		if act == "release" {
			_, err := s.Promotion.Release(ctx, slot, guard.ReleaseNotSent)
			return err
		}
		at, err := momentIn(c.PostForm("shown"), "at")
		if err == nil {
			_, err = s.Guard.Confirm(ctx, slot, at)
		}
		return err
	})
}

// workPicture answers GET /console/work/slots/{id}/picture, with ?line= for
// that of an ad which goes along in a digest.
func (s *Server) workPicture(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, runsGroups); err != nil {
		return err
	}
	var slot id.Slot
	if err := read(c.Param("id"), &slot); err != nil {
		return err
	}
	line, err := strconv.Atoi(c.DefaultQuery("line", "0"))
	if err != nil {
		return fault.NotFound
	}
	picture, err := s.Promotion.FindPostingPicture(ctx, slot, line)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "private, max-age=3600")
	c.Header("X-Content-Type-Options", "nosniff")
	c.Data(http.StatusOK, "image/"+picture.Format, picture.Body)
	return nil
}

// workAnswer answers POST /console/work/requests/{id}/answer.
func (s *Server) workAnswer(c *gin.Context) error {
	var r id.Request
	if err := read(c.Param("id"), &r); err != nil {
		return err
	}
	in := request.AnswerIn{Status: request.Status(c.PostForm("status")), Answer: c.PostForm("answer")}
	return s.did(c, []string{string(in.Status), in.Answer}, func(ctx context.Context) error { return s.Request.Answer(ctx, r, in) })
}

// workDecide answers POST /console/work/applications/{id}/decide.
func (s *Server) workDecide(c *gin.Context) error {
	var a id.Application
	if err := read(c.Param("id"), &a); err != nil {
		return err
	}
	in := gate.DecideIn{Admit: c.PostForm("admit") == "yes", Reason: c.PostForm("reason")}
	return s.did(c, []string{c.PostForm("admit"), in.Reason}, func(ctx context.Context) error { return s.Gate.DecideApplication(ctx, a, in) })
}

// workHold answers POST /console/work/rituals/{id}/hold.
func (s *Server) workHold(c *gin.Context) error {
	var r id.Ritual
	if err := read(c.Param("id"), &r); err != nil {
		return err
	}
	var in ritual.HoldIn
	var err error
	if in.Day, err = strconv.Atoi(c.PostForm("day")); err != nil {
		return errForm
	}
	in.People, _ = strconv.Atoi(c.PostForm("people")) // nobody counted
	return s.did(c, []string{c.PostForm("day"), c.PostForm("people")}, func(ctx context.Context) error { return s.Ritual.Hold(ctx, r, in) })
}
