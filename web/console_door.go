package web

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/id"
)

// doorPage is the QR at an event's door, as large as the screen. It is good for
// three minutes and loads itself anew each minute.
type doorPage struct {
	page
	Name  string
	Place string
	When  time.Time
	ID    id.Gathering
}

// consoleDoor answers GET /console/gatherings/{id}/door.
func (s *Server) consoleDoor(c *gin.Context) error {
	ctx := c.Request.Context()
	var g id.Gathering
	if err := read(c.Param("id"), &g); err != nil {
		return err
	}
	if err := mayRunGroups(c); err != nil {
		return err
	}
	found, err := s.Gathering.Find(ctx, g)
	if err != nil {
		return err
	}
	p := doorPage{page: s.base(c, ""), ID: g, Name: clean(found.Title), Place: clean(found.Place), When: found.StartsAt.Time().In(shop)}
	p.Title = p.Name
	c.Header("Refresh", "60")
	return s.show(c, http.StatusOK, "door", p.page, p)
}

// consoleDoorPicture answers GET /console/gatherings/{id}/door.png.
func (s *Server) consoleDoorPicture(c *gin.Context) error {
	var g id.Gathering
	if err := read(c.Param("id"), &g); err != nil {
		return err
	}
	if err := mayRunGroups(c); err != nil {
		return err
	}
	code, err := s.Gathering.DoorCode(c.Request.Context(), g)
	if err != nil {
		return err
	}
	return passing(c, s.Referral.Page("/e/"+g.String()+"?k="+code), 12)
}
