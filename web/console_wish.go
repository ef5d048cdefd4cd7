package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/campaign/groupbuy"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// draftsCampaigns are the roles that set prices and stock.
var draftsCampaigns = []access.Role{access.Marketer, access.Admin}

// wishPage is what somebody in a group asked for, and a form to draft the
// group-buy that answers it.
type wishPage struct {
	page
	ID               id.Request
	Line, Group      string
	GroupID          id.Group
	Wants            int // with the asker
	Products         []choice
	SKU, Price       string
	Stock, Size      string
	StartsAt, EndsAt string
}

// draftFor is how long a drafted group-buy runs unless it is said otherwise.
const draftFor = 48 * time.Hour

// consoleWish answers GET /console/requests/{id}/group-buy; what has its draft
// leads there.
func (s *Server) consoleWish(c *gin.Context) error {
	if err := may(c.Request.Context(), draftsCampaigns); err != nil {
		return err
	}
	p, drafted, err := s.wishPage(c)
	if err != nil {
		return err
	}
	if drafted != 0 {
		c.Redirect(http.StatusSeeOther, "/console/campaigns/"+drafted.String())
		return nil
	}
	start := p.Now.Truncate(time.Hour).Add(2 * time.Hour)
	p.Stock, p.Size, p.StartsAt, p.EndsAt = "", "2", start.Format(localTime), start.Add(draftFor).Format(localTime)
	return s.show(c, http.StatusOK, "wish", p.page, p)
}

func (s *Server) wishPage(c *gin.Context) (p wishPage, drafted id.Campaign, err error) {
	ctx := c.Request.Context()
	var from id.Request
	if err := read(c.Param("id"), &from); err != nil {
		return p, 0, err
	}
	r, err := s.Request.Buys(ctx, from)
	if err != nil || r.CampaignID != 0 {
		return p, r.CampaignID, err
	}
	g, err := s.Community.FindGroup(ctx, r.GroupID)
	if err != nil {
		return p, 0, err
	}
	p = wishPage{page: s.base(c, ""), ID: r.ID, Line: clean(r.Line), Group: clean(g.Name), GroupID: g.ID, Wants: r.Wants + 1}
	p.Title, p.Now = choose(p.Lang, "求购开团", "A group-buy for a request"), p.Now.In(shop)
	s.desk(ctx, &p.page)
	list, err := s.Campaign.ListProducts(ctx, campaign.ProductFilter{}, database.Page{Limit: database.PageMax})
	if err != nil {
		return p, 0, err
	}
	for _, x := range list.Items {
		if x.OnSale {
			p.Products = append(p.Products, choice{clean(x.SKU), clean(x.Name) + " ¥" + x.ListPrice.String()})
		}
	}
	return p, 0, nil
}

// consoleDraft answers POST /console/requests/{id}/group-buy. A second tap, or a
// colleague's, finds the draft of the first.
func (s *Server) consoleDraft(c *gin.Context) error {
	typed := map[string]string{}
	var said []string
	for _, field := range []string{"sku", "price", "stock", "size", "starts_at", "ends_at"} {
		typed[field] = c.PostForm(field)
		said = append(said, typed[field])
	}
	ctx, err := s.tappedOnce(c, draftsCampaigns, "POST "+c.Request.URL.Path, said...)
	if err != nil {
		return err
	}
	var from id.Request
	if err := read(c.Param("id"), &from); err != nil {
		return err
	}
	in, err := draftTyped(typed)
	var made id.Campaign
	if err == nil {
		made, err = s.GroupBuy.Draft(ctx, from, in)
		if first, again := tappedAgain(err); again {
			made, err = id.Campaign(first), nil
		}
	}
	f, refused := fault.As(err)
	if !refused && err != nil || refused && f.Kind != fault.KindUnprocessable {
		return err
	}
	if refused {
		p, drafted, err := s.wishPage(c)
		if err != nil || drafted != 0 {
			return err
		}
		p.Notice = noticeOf(p.Lang, f)
		p.SKU, p.Price, p.Stock, p.Size = clean(typed["sku"]), clean(typed["price"]), clean(typed["stock"]), clean(typed["size"])
		p.StartsAt, p.EndsAt = clean(typed["starts_at"]), clean(typed["ends_at"])
		return s.show(c, int(f.Kind), "wish", p.page, p)
	}
	c.Redirect(http.StatusSeeOther, "/console/campaigns/"+made.String())
	return nil
}

func draftTyped(typed map[string]string) (in groupbuy.DraftIn, err error) {
	in.SKU = community.CleanLine(typed["sku"])
	if in.Price, err = money.Parse(typed["price"]); err != nil {
		return in, fault.Invalid.Field("price_fen", "format", "请填写金额，如 39.9", "an amount like 39.9")
	}
	in.Stock, _ = strconv.ParseInt(typed["stock"], 10, 64) // what is no number is refused as 0
	in.Size, _ = strconv.Atoi(typed["size"])
	for field, into := range map[string]*clock.Milli{"starts_at": &in.StartsAt, "ends_at": &in.EndsAt} {
		if *into, err = momentIn(typed[field], field); err != nil {
			return in, err
		}
	}
	return in, nil
}
