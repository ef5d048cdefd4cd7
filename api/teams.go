package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/campaign/groupbuy"
	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

func (s *Server) teamRoutes(r *routes) {
	r.post("/v1/campaigns/:id/teams", s.openTeam, member, keyed, claims)
	r.post("/v1/teams/:id/join", s.joinTeam, member, keyed, claims)
	r.post("/v1/teams/:id/reopen", s.reopenTeam, member, keyed, claims)
	r.get("/v1/teams/:id", s.findTeam, staff(access.Marketer, access.Mall), member)
	r.get("/v1/teams/:id/qr.png", s.teamQR, staff(access.Marketer, access.Mall), member)
	r.get("/v1/orders/:id/late-choice", s.findLate, member)
	r.post("/v1/orders/:id/late-choice", s.chooseLate, member, keyed)
}

// openRequest is a claim that opens a team, of a size the campaign offers.
type openRequest struct {
	claimRequest
	TeamSize int `json:"team_size"`
}

func (s *Server) openTeam(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	var in openRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	return s.submit(c, in.claimRequest, campaign.Claim{
		Campaign: cid, Item: in.ItemID, Qty: in.Qty, OpenTeam: true, TeamSize: in.TeamSize, Coupon: in.Coupon, Points: in.Points,
	})
}

// joinRequest is a claim whose item is the team's.
type joinRequest struct {
	Qty  int    `json:"qty"`
	Code string `json:"code"`
	Page string `json:"page"`

	Coupon id.MemberCoupon `json:"member_coupon"`
	Points money.Amount    `json:"points"`
}

// Validate checks the request.
func (in joinRequest) Validate() error {
	var c fault.Check
	c.Range(int64(in.Qty), "qty", 0, 100)
	c.Range(int64(in.Points), "points", 0, pointsMax)
	return c.Err()
}

func (s *Server) joinTeam(c *gin.Context) error { return s.claimAt(c, s.GroupBuy.Joining) }

func (s *Server) reopenTeam(c *gin.Context) error { return s.claimAt(c, s.GroupBuy.Again) }

// claimAt claims what the team of the path makes of the request.
func (s *Server) claimAt(c *gin.Context, of claimOf) error {
	tid, err := pathID[id.Team](c, "id")
	if err != nil {
		return err
	}
	var in joinRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	claim, err := of(c.Request.Context(), tid)
	if err != nil {
		return err
	}
	claim.Qty, claim.Coupon, claim.Points = in.Qty, in.Coupon, in.Points
	return s.submit(c, claimRequest{Code: in.Code, Page: in.Page}, claim)
}

// teamAnswer is a team with the page its QR opens.
type teamAnswer struct {
	groupbuy.Team
	URL string `json:"url"`
}

func (s *Server) findTeam(c *gin.Context) error {
	tid, err := pathID[id.Team](c, "id")
	if err != nil {
		return err
	}
	team, err := s.GroupBuy.FindTeam(c.Request.Context(), tid)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, teamAnswer{team, s.Referral.Page(teamPage(tid))})
}

// teamPage is the path of a team's page.
func teamPage(t id.Team) string { return "/t/" + t.String() }

// teamQR answers the picture that opens the team's page.
func (s *Server) teamQR(c *gin.Context) error {
	tid, err := pathID[id.Team](c, "id")
	if err != nil {
		return err
	}
	module, err := qrModule(c)
	if err != nil {
		return err
	}
	if _, err := s.GroupBuy.FindTeam(c.Request.Context(), tid); err != nil {
		return err
	}
	p, err := s.Referral.PagePicture(teamPage(tid), referral.FormPNG, module)
	if err != nil {
		return err
	}
	picture(c, p)
	return nil
}

// picture answers a QR that a client may keep.
func picture(c *gin.Context, p referral.Picture) {
	h := c.Writer.Header()
	h["Etag"], h["Cache-Control"] = []string{p.ETag}, pictureKept
	if c.GetHeader("If-None-Match") == p.ETag {
		c.Status(http.StatusNotModified)
		return
	}
	h["Content-Length"] = []string{strconv.Itoa(len(p.Bytes))}
	c.Data(http.StatusOK, string(p.Form), p.Bytes)
}

// pictureKept says that the caller's own client may keep a picture for a day.
var pictureKept = []string{"private, max-age=86400"}

// lateAnswer is the choice of who paid too late, with the teams he may move to.
type lateAnswer struct {
	campaign.Late
	Price money.Amount `json:"unit_price_fen"`
	Teams []lateTeam   `json:"teams"`
}

type lateTeam struct {
	ID         id.Team     `json:"id"`
	Size       int         `json:"size"`
	LiveSeats  int         `json:"live_seats"`
	DeadlineAt clock.Milli `json:"deadline_at"`
}

func (s *Server) findLate(c *gin.Context) error {
	oid, err := pathID[id.Order](c, "id")
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	late, err := s.Campaign.FindLate(ctx, oid)
	if err != nil {
		return err
	}
	o, err := s.Campaign.FindOrder(ctx, oid)
	if err != nil {
		return err
	}
	out := lateAnswer{Late: late, Price: o.UnitPrice, Teams: []lateTeam{}}
	if late.Status == campaign.LateOpen {
		teams, err := s.GroupBuy.ListTeamsFor(ctx, o)
		if err != nil {
			return err
		}
		for _, t := range teams {
			out.Teams = append(out.Teams, lateTeam{t.ID, t.Size, t.LiveSeats, t.DeadlineAt})
		}
	}
	return render(c, http.StatusOK, out)
}

func (s *Server) chooseLate(c *gin.Context) error {
	var in campaign.LateIn
	return s.reportOrder(c, &in, func(oid id.Order) error { return s.Campaign.ChooseLate(c.Request.Context(), oid, in) })
}
