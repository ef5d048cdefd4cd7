package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/internal/id"
)

func (s *Server) noticeRoutes(r *routes) {
	r.get("/v1/notice-templates", s.listNoticeTemplates, staff(access.Marketer, access.Mall))
	r.get("/v1/notice-templates/:name", s.findNoticeTemplate, staff(access.Marketer, access.Mall))
	r.put("/v1/notice-templates/:name", s.editNoticeTemplate, staff(access.Marketer))
	r.put("/v1/campaigns/:id/reminder", s.remind, member)
	r.get("/v1/campaigns/:id/reminder", s.reminded, member)
	r.delete("/v1/campaigns/:id/reminder", s.forget, member)
}

func (s *Server) listNoticeTemplates(c *gin.Context) error {
	list, err := s.Community.NoticeTemplates(c.Request.Context())
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"items": list})
}

func (s *Server) findNoticeTemplate(c *gin.Context) error {
	t, err := s.Community.FindNoticeTemplate(c.Request.Context(), community.NoticeName(c.Param("name")))
	if err != nil {
		return err
	}
	etag(c, t.Version)
	return render(c, http.StatusOK, t)
}

func (s *Server) editNoticeTemplate(c *gin.Context) error {
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	var in community.NoticeTextIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Community.EditNoticeTemplate(c.Request.Context(), community.NoticeName(c.Param("name")), version, in); err != nil {
		return err
	}
	return s.findNoticeTemplate(c)
}

func (s *Server) remind(c *gin.Context) error { return s.reminder(c, s.Campaign.Remind) }

func (s *Server) forget(c *gin.Context) error { return s.reminder(c, s.Campaign.Forget) }

func (s *Server) reminded(c *gin.Context) error {
	return s.reminder(c, func(context.Context, id.Campaign, id.Member) error { return nil })
}

// reminder does something to the caller's wish to be reminded and shows it. A
// guest has none, because nobody could reach him.
func (s *Server) reminder(c *gin.Context, do func(context.Context, id.Campaign, id.Member) error) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	who, err := s.known(c)
	if err != nil {
		return err
	}
	if err := do(c.Request.Context(), cid, who); err != nil {
		return err
	}
	is, err := s.Campaign.Reminded(c.Request.Context(), cid, who)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"campaign_id": cid, "reminded": is})
}
