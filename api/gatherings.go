package api

import (
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/community/gathering"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/qr"
)

func (s *Server) gatheringRoutes(r *routes) {
	owners := staff(access.Marketer, access.GroupOwner)
	r.post("/v1/groups/:id/gatherings", s.createGathering, owners, keyed)
	r.get("/v1/groups/:id/gatherings", s.listGatherings, owners)
	r.get("/v1/gatherings/:id", s.findGathering, owners, member)
	r.put("/v1/gatherings/:id", s.editGathering, owners)
	r.post("/v1/gatherings/:id/cancel", s.cancelGathering, owners)
	r.get("/v1/gatherings/:id/seats", s.listSeats, owners)
	r.get("/v1/gatherings/:id/seats.csv", s.readSeats, owners)
	r.post("/v1/gatherings/:id/seats", s.signUp, member, keyed)
	r.delete("/v1/gatherings/:id/seats", s.leaveGathering, member)
	r.get("/v1/gatherings/:id/door.png", s.doorPicture, owners)
	r.get("/v1/gatherings/:id/seat", s.findSeat, member)
	r.get("/v1/gatherings/:id/seat.png", s.seatPicture, member)
	r.post("/v1/gatherings/:id/check-in", s.checkIn, member)
	r.post("/v1/gatherings/:id/scans", s.scanSeat, owners)
}

func (s *Server) createGathering(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	var in gathering.In
	if err := bind(c, &in); err != nil {
		return err
	}
	made, err := once(s.Gathering.Create(c.Request.Context(), g, in))(c)
	if err != nil {
		return err
	}
	return s.renderGathering(c, http.StatusCreated, made)
}

func (s *Server) renderGathering(c *gin.Context, status int, g id.Gathering) error {
	found, err := s.Gathering.Find(c.Request.Context(), g)
	if err != nil {
		return err
	}
	etag(c, found.Version)
	return render(c, status, found)
}

func (s *Server) editGathering(c *gin.Context) error {
	return ofGathering(c, func(g id.Gathering) error {
		return replace(func(ctx context.Context, version int, in gathering.In) error {
			return s.Gathering.Edit(ctx, g, version, in)
		}, s.findGathering)(c)
	})
}

func (s *Server) listGatherings(c *gin.Context) error { return ofGroup(c, s.Gathering.List) }

func (s *Server) findGathering(c *gin.Context) error {
	return ofGathering(c, func(g id.Gathering) error { return s.renderGathering(c, http.StatusOK, g) })
}

// ofGathering does something for the event in the path.
func ofGathering(c *gin.Context, do func(id.Gathering) error) error {
	g, err := pathID[id.Gathering](c, "id")
	if err != nil {
		return err
	}
	return do(g)
}

func (s *Server) cancelGathering(c *gin.Context) error {
	return ofGathering(c, func(g id.Gathering) error {
		var in gathering.CancelIn
		if err := bind(c, &in); err != nil {
			return err
		}
		if err := s.Gathering.Cancel(c.Request.Context(), g, in); err != nil {
			return err
		}
		return s.renderGathering(c, http.StatusOK, g)
	})
}

func (s *Server) listSeats(c *gin.Context) error {
	return ofGathering(c, func(g id.Gathering) error {
		list, err := s.Gathering.ListSeats(c.Request.Context(), g)
		if err != nil {
			return err
		}
		return render(c, http.StatusOK, gin.H{"items": list})
	})
}

// readSeats answers the list as a sheet for the door.
func (s *Server) readSeats(c *gin.Context) error {
	return ofGathering(c, func(g id.Gathering) error {
		list, err := s.Gathering.ListSeats(c.Request.Context(), g)
		if err != nil {
			return err
		}
		c.Header("Content-Type", "text/csv; charset=utf-8")
		c.Header("Content-Disposition", `attachment; filename="`+g.String()+`.csv"`)
		c.Header("Cache-Control", "private, no-store")
		c.Status(http.StatusOK)
		w := csv.NewWriter(c.Writer)
		_ = w.Write([]string{"no", "member_id", "status", "waited_at", "checked_at", "checked_by"})
		when := func(at int64) string {
			if at == 0 {
				return ""
			}
			return time.UnixMilli(at).UTC().Format(time.RFC3339)
		}
		for i, x := range list {
			by := ""
			if x.CheckedBy != 0 {
				by = x.CheckedBy.String()
			}
			_ = w.Write([]string{strconv.Itoa(i + 1), x.MemberID.String(), string(x.Status), when(int64(x.WaitedAt)), when(int64(x.CheckedAt)), by})
		}
		if w.Flush(); w.Error() != nil {
			panic(http.ErrAbortHandler) // the head has gone out
		}
		return nil
	})
}

func (s *Server) signUp(c *gin.Context) error {
	return ofGathering(c, func(g id.Gathering) error {
		_, err := s.Gathering.SignUp(c.Request.Context(), g, memberOf(c))
		if err := done(err)(c); err != nil {
			return err
		}
		return s.renderSeat(c, http.StatusCreated, g)
	})
}

// findSeat shows the caller his own place; of anybody else's there is nothing
// to find here, and who never had one learns no more than of an event that does
// not exist.
func (s *Server) findSeat(c *gin.Context) error {
	return ofGathering(c, func(g id.Gathering) error {
		err := s.renderSeat(c, http.StatusOK, g)
		if errors.Is(err, gathering.ErrSeat) {
			return fault.NotFound
		}
		return err
	})
}

func (s *Server) renderSeat(c *gin.Context, status int, g id.Gathering) error {
	seat, err := s.Gathering.Mine(c.Request.Context(), g, memberOf(c))
	if err != nil {
		return err
	}
	return render(c, status, seat)
}

func (s *Server) leaveGathering(c *gin.Context) error {
	return ofGathering(c, func(g id.Gathering) error {
		if err := s.Gathering.Leave(c.Request.Context(), g, memberOf(c)); err != nil {
			return err
		}
		return s.renderSeat(c, http.StatusOK, g)
	})
}

// doorPicture is the QR shown at the door: the event's page with a code that
// lasts minutes, so it is fetched again each minute.
func (s *Server) doorPicture(c *gin.Context) error {
	return ofGathering(c, func(g id.Gathering) error {
		code, err := s.Gathering.DoorCode(c.Request.Context(), g)
		if err != nil {
			return err
		}
		return passing(c, s.Referral.Page("/e/"+g.String()+"?k="+code))
	})
}

func (s *Server) seatPicture(c *gin.Context) error {
	return ofGathering(c, func(g id.Gathering) error {
		code, err := s.Gathering.SeatCode(c.Request.Context(), g, memberOf(c))
		if err != nil {
			return err
		}
		return passing(c, code)
	})
}

// passing draws a code that nobody may keep.
func passing(c *gin.Context, text string) error {
	symbol, err := qr.New(text)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "private, no-store")
	c.Data(http.StatusOK, "image/png", symbol.PNG(8))
	return nil
}

// checkInRequest is what the member read at the door.
type checkInRequest struct {
	Door string `json:"door"`
}

// Validate checks the request.
func (in checkInRequest) Validate() error {
	var c fault.Check
	c.Required(in.Door, "door")
	c.Length(in.Door, "door", 200)
	return c.Err()
}

func (s *Server) checkIn(c *gin.Context) error {
	return ofGathering(c, func(g id.Gathering) error {
		var in checkInRequest
		if err := bind(c, &in); err != nil {
			return err
		}
		if err := s.Gathering.CheckIn(c.Request.Context(), g, memberOf(c), in.Door); err != nil {
			return err
		}
		return s.renderSeat(c, http.StatusOK, g)
	})
}

// scanSeat says whom a colleague scanned, by name, so that he can greet him.
func (s *Server) scanSeat(c *gin.Context) error {
	return ofGathering(c, func(g id.Gathering) error {
		var in gathering.ScanIn
		if err := bind(c, &in); err != nil {
			return err
		}
		seat, err := s.Gathering.Scan(c.Request.Context(), g, in)
		if err != nil {
			return err
		}
		names, err := community.NamesOf(s.DB.Read(c.Request.Context()), []id.Member{seat.MemberID})
		if err != nil {
			return err
		}
		return render(c, http.StatusOK, gin.H{"member_id": seat.MemberID, "name": names[seat.MemberID], "checked_at": seat.CheckedAt})
	})
}
