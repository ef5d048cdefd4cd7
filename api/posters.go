package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/id"
	"siyu/referral"
	"siyu/referral/poster"
)

func (s *Server) posterRoutes(r *routes) {
	r.put("/v1/poster-templates", s.putPosterTemplate, staff(access.Marketer), bodyLimit(posterBody))
	r.get("/v1/poster-templates", paged(s.Referral.ListPosterTemplates), staff(access.Marketer, access.GroupOwner, access.Mall))
	r.get("/v1/codes/:code/poster.png", s.codePoster, staff(access.Marketer, access.GroupOwner, access.Mall), member)
}

// posterBody holds a background in base64, and the layout.
const posterBody = poster.BytesMax/3*4 + 64<<10

func (s *Server) putPosterTemplate(c *gin.Context) error {
	var in referral.PosterIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.unitThere(c, in.UnitID); err != nil {
		return err
	}
	t, err := s.Referral.PutPosterTemplate(c.Request.Context(), in)
	if err != nil {
		return err
	}
	etag(c, t.Version)
	return render(c, http.StatusOK, t)
}

func (s *Server) codePoster(c *gin.Context) error {
	template, err := queryID[id.PosterTemplate](c, "template")
	if err != nil {
		return err
	}
	p, err := s.Referral.FindPoster(c.Request.Context(), c.Param("code"), template)
	if err != nil {
		return err
	}
	c.Header("ETag", p.ETag)
	c.Header("Cache-Control", "private, max-age=86400")
	if c.GetHeader("If-None-Match") == p.ETag {
		c.Status(http.StatusNotModified)
		return nil
	}
	png, err := s.Referral.DrawPoster(c.Request.Context(), p)
	if err != nil {
		return err
	}
	c.Header("Content-Length", strconv.Itoa(len(png)))
	c.Data(http.StatusOK, "image/png", png)
	return nil
}
