package web

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/material"
	"siyu/campaign/promotion"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// promotionsPage are send plans of one status, with what each would show, and
// a second person's word on the drafts.
type promotionsPage struct {
	page
	Tabs  []tab
	Cards []promotionCard
	Next  string
}

type promotionCard struct {
	ID          id.Promotion
	Version     int
	Name        string
	Campaign    string
	CampaignID  id.Campaign
	State, Tone string
	By          string
	At          time.Time
	Groups      int
	HeldOut     int
	Priority    int
	Windows     []promotionWindow
	Texts       []string
	Approves    bool // by who looks
	Own         bool // who looks made it
	Cancels     bool
}

type promotionWindow struct{ From, To time.Time }

// promotionsShown is how many send plans one page lists.
const promotionsShown = 20

var promotionTabs = []statusTab{
	{string(promotion.StatusDraft), "待批准", "To approve"}, {string(promotion.StatusApproved), "已批准", "Approved"}, {string(promotion.StatusRunning), "推送中", "Running"},
	{string(promotion.StatusDone), "已完成", "Done"}, {string(promotion.StatusCancelled), "已取消", "Cancelled"},
}

var promotionWords = map[promotion.Status]pair{
	promotion.StatusDraft: {"待批准", "to approve", "full"}, promotion.StatusApproved: {"已批准", "approved", "good"}, promotion.StatusRunning: {"推送中", "running", "good"},
	promotion.StatusDone: {"已完成", "done", "dim"}, promotion.StatusCancelled: {"已取消", "cancelled", "dim"},
}

// consolePromotions answers GET /console/promotions, with ?status=.
func (s *Server) consolePromotions(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, plansPromotions); err != nil {
		return err
	}
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	status := c.DefaultQuery("status", string(promotion.StatusDraft))
	if _, known := promotionWords[promotion.Status(status)]; !known {
		return fault.NotFound
	}
	p := promotionsPage{page: s.base(c, "")}
	p.Title, p.Now = choose(p.Lang, "推送计划", "Promotions"), p.Now.In(shop)
	s.desk(ctx, &p.page)
	for _, one := range promotionTabs {
		p.Tabs = append(p.Tabs, tab{choose(p.Lang, one.zh, one.en), listAt("/console/promotions", one.status, "", "", ""), one.status == status})
	}
	list, err := s.Promotion.List(ctx, promotion.Filter{Status: promotion.Status(status)}, database.Page{Before: before, Limit: promotionsShown})
	if err != nil {
		return err
	}
	called, err := colleagues(ctx, s, list.Items, func(x promotion.Promotion) id.Staff { return x.CreatedBy })
	if err != nil {
		return err
	}
	for _, one := range list.Items {
		card, err := s.promotionCard(ctx, p.Lang, one.ID)
		if err != nil {
			return err
		}
		card.By = called(one.CreatedBy)
		p.Cards = append(p.Cards, card)
	}
	if list.NextCursor != "" {
		p.Next = listAt("/console/promotions", status, "", "", list.NextCursor)
	}
	return s.show(c, http.StatusOK, "promotions", p.page, p)
}

// colleagues says what the staff are called whom a list names.
func colleagues[T any](ctx context.Context, s *Server, list []T, of func(T) id.Staff) (func(id.Staff) string, error) {
	who := make([]id.Staff, len(list))
	for i, x := range list {
		who[i] = of(x)
	}
	return s.colleagues(ctx, who...)
}

// colleagues says what staff are called.
func (s *Server) colleagues(ctx context.Context, who ...id.Staff) (func(id.Staff) string, error) {
	names, err := access.NamesOf(s.DB.Read(ctx), who)
	return func(one id.Staff) string { return clean(names[one]) }, err
}

func (s *Server) promotionCard(ctx context.Context, lang string, which id.Promotion) (promotionCard, error) {
	x, err := s.Promotion.Find(ctx, which)
	if err != nil {
		return promotionCard{}, err
	}
	run, err := s.Campaign.FindCampaign(ctx, x.CampaignID)
	if err != nil {
		return promotionCard{}, err
	}
	own := database.ActorOf(ctx).Staff == x.CreatedBy
	card := promotionCard{ID: x.ID, Version: x.Version, Name: clean(x.Name), Campaign: clean(run.Name), CampaignID: run.ID, At: x.CreatedAt.Time().In(shop),
		Groups: len(x.Groups), HeldOut: len(x.HeldOut), Priority: x.Priority, Own: own && x.Status == promotion.StatusDraft, Approves: !own && x.Status == promotion.StatusDraft,
		Cancels: x.Status == promotion.StatusDraft || x.Status == promotion.StatusApproved || x.Status == promotion.StatusRunning}
	card.State, card.Tone = word(lang, promotionWords, x.Status)
	for _, w := range x.Windows {
		card.Windows = append(card.Windows, promotionWindow{w.From.Time().In(shop), w.To.Time().In(shop)})
	}
	if x.MaterialID == 0 {
		card.Texts = []string{cleanLong(choose(lang, x.TextZH, cmp.Or(x.TextEN, x.TextZH)))}
		return card, nil
	}
	m, err := material.Read(s.DB.Read(ctx), x.MaterialID)
	if err != nil {
		return card, err
	}
	for _, v := range m.Variants {
		card.Texts = append(card.Texts, clean(m.Name)+" · "+cleanLong(choose(lang, v.TextZH, cmp.Or(v.TextEN, v.TextZH))))
	}
	return card, nil
}

// consoleTurnPromotion answers POST /console/promotions/{id}/{approve|cancel};
// the version that was shown and the state refuse a second tap.
func (s *Server) consoleTurnPromotion(c *gin.Context) error {
	ctx, err := s.tapped(c, plansPromotions)
	if err != nil {
		return err
	}
	var which id.Promotion
	if err := read(c.Param("id"), &which); err != nil {
		return err
	}
	switch c.Param("act") {
	case "approve":
		version, bad := strconv.Atoi(c.PostForm("version"))
		if bad != nil || version < 1 {
			return errForm
		}
		err = s.Promotion.Approve(ctx, which, version)
	case "cancel":
		err = s.Promotion.Cancel(ctx, which)
	default:
		return fault.NotFound
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/promotions")
	return nil
}
