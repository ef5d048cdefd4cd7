package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/material"
	"siyu/internal/id"
)

func (s *Server) materialRoutes(r *routes) {
	readers := staff(access.Marketer, access.GroupOwner, access.Mall)
	r.post("/v1/materials", s.createMaterial, staff(access.Marketer), keyed)
	r.get("/v1/materials", s.listMaterials, readers)
	r.get("/v1/materials/:id", s.findMaterial, readers)
	r.patch("/v1/materials/:id", s.editMaterial, staff(access.Marketer))
	r.post("/v1/materials/:id/approve", s.approveMaterial, staff(access.Marketer))
	r.post("/v1/materials/:id/withdraw", s.withdrawMaterial, staff(access.Marketer))
	r.post("/v1/pictures", s.uploadPicture, staff(access.Marketer), keyed, bodyLimit(pictureBody))
	r.get("/v1/pictures/:id", s.showPicture, readers)
	r.get("/v1/ad-words", s.adWords, readers)
	r.put("/v1/ad-words", replace(s.Material.SetWords, s.adWords), staff(access.Marketer))
}

// pictureBody holds a picture in base64.
const pictureBody = material.PictureMax/3*4 + 4<<10

func (s *Server) createMaterial(c *gin.Context) error {
	var in material.In
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.unitThere(c, in.UnitID); err != nil {
		return err
	}
	m, err := once(s.Material.Create(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	return s.renderMaterial(c, http.StatusCreated, m)
}

func (s *Server) listMaterials(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	f := material.Filter{Kind: material.Kind(c.Query("kind")), Status: material.Status(c.Query("status"))}
	list, err := s.Material.List(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findMaterial(c *gin.Context) error {
	m, err := pathID[id.Material](c, "id")
	if err != nil {
		return err
	}
	return s.renderMaterial(c, http.StatusOK, m)
}

func (s *Server) editMaterial(c *gin.Context) error {
	m, err := pathID[id.Material](c, "id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	var in material.In
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.Material.Edit(c.Request.Context(), m, version, in); err != nil {
		return err
	}
	return s.renderMaterial(c, http.StatusOK, m)
}

func (s *Server) approveMaterial(c *gin.Context) error {
	seen := 0
	if c.GetHeader("If-Match") != "" {
		var err error
		if seen, err = ifMatch(c); err != nil {
			return err
		}
	}
	var in struct{}
	return s.turnMaterial(c, &in, func(m id.Material) error { return s.Material.Approve(c.Request.Context(), m, seen) })
}

func (s *Server) withdrawMaterial(c *gin.Context) error {
	var in material.WithdrawIn
	return s.turnMaterial(c, &in, func(m id.Material) error { return s.Material.Withdraw(c.Request.Context(), m, in) })
}

// turnMaterial binds what a turn needs, takes it and shows the material as it
// stands then.
func (s *Server) turnMaterial(c *gin.Context, in any, turn func(id.Material) error) error {
	m, err := pathID[id.Material](c, "id")
	if err != nil {
		return err
	}
	if err := bind(c, in); err != nil {
		return err
	}
	if err := turn(m); err != nil {
		return err
	}
	return s.renderMaterial(c, http.StatusOK, m)
}

// renderMaterial shows a material with the words in it that people should
// weigh.
func (s *Server) renderMaterial(c *gin.Context, status int, m id.Material) error {
	view, err := s.Material.Look(c.Request.Context(), m)
	if err != nil {
		return err
	}
	etag(c, view.Version)
	return render(c, status, view)
}

func (s *Server) uploadPicture(c *gin.Context) error {
	var in material.PictureIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.unitThere(c, in.UnitID); err != nil {
		return err
	}
	made, err := once(s.Material.Upload(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	p, err := s.Material.FindPicture(c.Request.Context(), made)
	if err != nil {
		return err
	}
	return render(c, http.StatusCreated, p)
}

// showPicture answers the bytes as they were uploaded; they never change.
func (s *Server) showPicture(c *gin.Context) error {
	p, err := pathID[id.Picture](c, "id")
	if err != nil {
		return err
	}
	picture, err := s.Material.FindPicture(c.Request.Context(), p)
	if err != nil {
		return err
	}
	tag := `"` + picture.SHA256[:24] + `"`
	c.Header("ETag", tag)
	c.Header("Cache-Control", "private, max-age=31536000, immutable")
	if c.GetHeader("If-None-Match") == tag {
		c.Status(http.StatusNotModified)
		return nil
	}
	c.Header("Content-Length", strconv.Itoa(len(picture.Body)))
	c.Data(http.StatusOK, "image/"+picture.Format, picture.Body)
	return nil
}

func (s *Server) adWords(c *gin.Context) error {
	list, err := s.Material.Words(c.Request.Context())
	if err != nil {
		return err
	}
	etag(c, list.Version)
	return render(c, http.StatusOK, list)
}
