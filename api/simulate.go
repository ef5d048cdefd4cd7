package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/wallet"
)

func (s *Server) simulateRoutes(r *routes) {
	r.post("/v1/campaigns/:id/simulate", s.simulateCampaign, staff(access.Marketer, access.Finance))
}

// simulateIn is what a simulation cannot know.
type simulateIn struct {
	PointsRate money.Bps `json:"points_bp"` // the largest share of what is left that points may pay
}

// Validate checks the rate.
func (in simulateIn) Validate() error {
	var c fault.Check
	c.Range(int64(in.PointsRate), "points_bp", 0, int64(money.Whole))
	return c.Err()
}

// simulation is what would come of a campaign; making it writes nothing.
type simulation struct {
	CampaignID   id.Campaign         `json:"campaign_id"`
	Version      int                 `json:"version"`
	At           clock.Milli         `json:"simulated_at"`
	WordsVersion string              `json:"words_version"`
	Publishable  bool                `json:"publishable"`
	Refusals     []refusal           `json:"refusals"`
	Overlaps     []campaign.Overlap  `json:"overlaps"`
	OverlapsMore bool                `json:"overlaps_more"`
	Prices       []campaign.Stack    `json:"prices"`
	CouponsMore  bool                `json:"coupons_more"`
	Budget       campaign.Exposure   `json:"budget"`
	Checks       []campaign.Finding  `json:"checks"`
	Ask          []campaign.Question `json:"ask"`
	Guard        []dryRun            `json:"guard"`
}

// refusal is a field for which publishing would be refused now.
type refusal struct {
	Field    string `json:"field"`
	Code     string `json:"code"`
	ReasonZH string `json:"reason_zh"`
	ReasonEN string `json:"reason_en"`
}

// simulateCampaign puts the rooms' answers side by side.
func (s *Server) simulateCampaign(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	var in simulateIn
	if err := bind(c, &in); err != nil {
		return err
	}
	out, err := s.simulate(c.Request.Context(), cid, in)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, out)
}

func (s *Server) simulate(ctx context.Context, cid id.Campaign, in simulateIn) (simulation, error) {
	look, err := s.Campaign.Outlook(ctx, cid)
	if err != nil {
		return simulation{}, err
	}
	f := campaign.Case{Outlook: look}
	out := simulation{
		CampaignID: cid, Version: look.Campaign.Version, At: clock.MilliOf(s.DB.Clock.Now()), WordsVersion: campaign.WordsVersion,
		Publishable: look.Campaign.Status == campaign.StatusDraft && len(look.Refusals) == 0, Refusals: []refusal{},
		Overlaps: look.Overlaps, OverlapsMore: look.OverlapsMore, Guard: []dryRun{},
	}
	for _, x := range look.Refusals {
		out.Refusals = append(out.Refusals, refusal{x.Name, x.Code, x.ZH, x.EN})
	}
	if out.Overlaps == nil {
		out.Overlaps = []campaign.Overlap{}
	}
	coupons, more, err := s.Wallet.OfferedIn(ctx, look.Campaign.StartsAt, look.Campaign.EndsAt)
	if err != nil {
		return simulation{}, err
	}
	out.CouponsMore = more
	f.Coupons, f.Stacks = map[id.Coupon]wallet.Coupon{}, make([]campaign.Stack, len(look.Campaign.Items))
	for _, x := range coupons {
		f.Coupons[x.ID] = x
	}
	for i, item := range look.Campaign.Items {
		f.Stacks[i] = campaign.Lowest(item, look.Products[item.ProductID], coupons, look.Campaign.StartsAt, max(in.PointsRate, look.Campaign.AcceptsPoints))
	}
	if err := s.foreseeBudget(ctx, &f, &out); err != nil {
		return simulation{}, err
	}
	if out.Guard, err = s.foreseeGuard(ctx, &f); err != nil {
		return simulation{}, err
	}
	out.Checks, out.Ask = campaign.Examine(f), campaign.Questions(f)
	out.Prices = seenBy(database.ActorOf(ctx), f)
	return out, nil
}

// system reads what counts whoever asks: a coupon, a program or a group of
// another unit weighs the same.
func system(ctx context.Context) context.Context {
	return database.WithActor(ctx, database.Actor{})
}

// seenBy are the stacks without the names of coupons the caller may not see.
func seenBy(a database.Actor, f campaign.Case) []campaign.Stack {
	out := append([]campaign.Stack{}, f.Stacks...)
	for i := range out {
		if c, ok := f.Coupons[out[i].CouponID]; ok && !a.Sees(c.UnitID) {
			out[i].CouponID = 0
		}
	}
	return out
}

// foreseeBudget is the worst that the program may come to.
func (s *Server) foreseeBudget(ctx context.Context, f *campaign.Case, out *simulation) error {
	var p referral.Program
	if f.Campaign.ProgramID != 0 {
		var err error
		if p, err = s.Referral.FindProgram(system(ctx), f.Campaign.ProgramID); err != nil {
			return err
		}
		f.Rules = &p.Rules
	}
	out.Budget = campaign.Worst(f.Campaign.Items, f.Stacks, f.Products, p.Rules, p.BudgetLeft)
	return nil
}
