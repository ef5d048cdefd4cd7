package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
)

func (s *Server) noticeRoutes(r *routes) {
	r.get("/v1/notice-templates", s.listNoticeTemplates, staff(access.Marketer, access.Mall))
	r.get("/v1/notice-templates/:name", s.findNoticeTemplate, staff(access.Marketer, access.Mall))
	r.put("/v1/notice-templates/:name", s.editNoticeTemplate, staff(access.Marketer))
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
