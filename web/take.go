package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/referral"
	"siyu/wallet"
)

// takePart answers POST /i/{code}/{act}: claim, open a team, join or leave a
// waiting line, ask for a reminder, or only accept the invitation. What is
// refused is said on the same page.
func (s *Server) takePart(c *gin.Context, v visitor) error {
	l, err := s.Referral.Land(c.Request.Context(), c.Param("code"))
	if errors.Is(err, referral.ErrCode) {
		return s.deadCode(c)
	}
	if err != nil {
		return err
	}
	if c.PostForm("quote") != "" {
		return s.quoted(c, v, l)
	}
	err = s.act(c, v, l)
	f, ok := fault.As(err)
	if !ok {
		return err // nil, or nothing a visitor should read
	}
	p, err := s.landingPage(c, v, l)
	if err != nil {
		return err
	}
	p.Notice = p.noticeOf(f, p.LoginURL, p.EndsAt.Location())
	p.keep(c.PostForm("item"), c.PostForm("qty"), c.PostForm("size"))
	p.Offer.keep(c)
	return s.show(c, int(f.Kind), "landing", p.page, p)
}

// quoted shows the page again with what the choice would come to.
func (s *Server) quoted(c *gin.Context, v visitor, l referral.Landing) error {
	if _, err := s.sent(c, v, c.FullPath(), l.Code); err != nil {
		return err
	}
	p, err := s.landingPage(c, v, l)
	if err != nil {
		return err
	}
	p.keep(c.PostForm("item"), c.PostForm("qty"), c.PostForm("size"))
	p.Offer.keep(c)
	p.Offer.quote(p.page, wallet.Line{Product: p.Chosen.Product, SKU: p.Chosen.SKU, Amount: p.Sum()})
	return s.show(c, http.StatusOK, "landing", p.page, p)
}

func (s *Server) act(c *gin.Context, v visitor, l referral.Landing) error {
	claim := campaign.Claim{Campaign: l.CampaignID, Member: v.Member}
	switch c.Param("act") {
	case "bind":
		return s.accept(c, v, l)
	case "remind":
		return s.remind(c, v, l)
	case "wait":
		return s.wait(c, v, l)
	case "leave":
		return s.leave(c, v, l)
	case "open":
		claim.OpenTeam = true
	case "claim":
	default:
		return fault.NotFound
	}
	if err := read(c.PostForm("item"), &claim.Item); err != nil {
		return errForm
	}
	qty, err := strconv.Atoi(c.PostForm("qty"))
	if err != nil || qty < 1 || qty > 1000 {
		return campaign.ErrQty.With("max", 1)
	}
	claim.Qty = qty
	if size := c.PostForm("size"); size != "" {
		if claim.TeamSize, err = strconv.Atoi(size); err != nil {
			return errForm
		}
	}
	if err := payWith(c, &claim); err != nil {
		return err
	}
	return s.take(c, v, claim, l.Code)
}

// accept binds the visitor to his inviter and shows the page again.
func (s *Server) accept(c *gin.Context, v visitor, l referral.Landing) error {
	ctx, err := s.sent(c, v, c.FullPath(), l.Code)
	if err != nil {
		return err
	}
	_, err = s.Referral.Bind(ctx, referral.Bind{Code: l.Code, Invitee: v.Member, Page: c.PostForm("page")})
	var again *database.Replayed // a second tap: it stands already
	if err != nil && !errors.As(err, &again) {
		return err
	}
	s.keepPact(c, v)
	c.Redirect(http.StatusSeeOther, "/i/"+l.Code+"?bound=1")
	return nil
}

// take is one claim: who brought the visitor is bound first, in a transaction
// of its own, so that the order freezes it; then the stock is asked for; then
// the group he joins by it is recorded and the order's page opens.
func (s *Server) take(c *gin.Context, v visitor, claim campaign.Claim, code string) error {
	ctx, err := s.sent(c, v, c.FullPath(), fmt.Sprint(claim.Campaign, claim.Item, claim.Team, claim.OpenTeam, claim.Qty, claim.TeamSize, claim.Again, claim.Coupon, claim.Points))
	if err != nil {
		return err
	}
	if err := s.bindQuietly(c.Request.Context(), v, code, c.PostForm("page")); err != nil {
		return err
	}
	out, err := s.Campaign.Claim(ctx, claim)
	if err != nil {
		return err
	}
	s.keepPact(c, v)
	c.Redirect(http.StatusSeeOther, "/o/"+out.Order.ID.String())
	return nil
}

// bindQuietly binds if it can. Nobody is kept from buying because he was
// invited by somebody else, by himself, or by a code that has ended.
func (s *Server) bindQuietly(ctx context.Context, v visitor, code, page string) error {
	if code == "" {
		return nil
	}
	_, err := s.Referral.Bind(ctx, referral.Bind{Code: code, Invitee: v.Member, Page: page})
	if f, ok := fault.As(err); ok && f.Kind < fault.KindInternal {
		return nil
	}
	return err
}

// noticeOf is a refusal in the fault's own words, with the way to sign in when
// that is what is missing, and with the next chance when there is one.
func (p page) noticeOf(f *fault.Fault, login string, zone *time.Location) *notice {
	n := &notice{Text: f.Text(p.Lang)}
	if f.Code == "identity_required" {
		n.Link = login
	}
	if next, _ := f.Params["next_at"].(clock.Milli); next != 0 {
		n.More = choose(p.Lang, "下一场 %s", "The next one begins %s", moment(p.Lang, p.Now, next.Time().In(zone)))
	}
	return n
}
