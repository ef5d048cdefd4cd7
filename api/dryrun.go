package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"siyu/campaign"
	"siyu/campaign/guard"
	"siyu/campaign/promotion"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// dryRun is what the guard would say of one window: of a promotion that is
// planned, or of the campaign's own window where none is.
type dryRun struct {
	PromotionID id.Promotion `json:"promotion_id"` // none: the groups of the audience
	From        clock.Milli  `json:"from_at"`
	To          clock.Milli  `json:"to_at"`
	Allow       int          `json:"allow"`
	Defer       int          `json:"defer"`
	Deny        int          `json:"deny"`
	Rules       []ruled      `json:"rules"`
}

// ruled counts the groups a rule defers or denies, with one group's reason.
type ruled struct {
	Rule     guard.Rule    `json:"rule"`
	Outcome  guard.Outcome `json:"outcome"`
	Groups   int           `json:"groups"`
	ReasonZH string        `json:"reason_zh"`
	ReasonEN string        `json:"reason_en"`
}

// plansMost is how many promotions of a campaign a simulation asks for.
const plansMost = 20

// foreseeGuard asks the guard for every planned window, or for the campaign's,
// and keeps the promotions' texts for the checks.
func (s *Server) foreseeGuard(ctx context.Context, f *campaign.Case) ([]dryRun, error) {
	list, err := s.Promotion.List(system(ctx), promotion.Filter{Campaign: f.Campaign.ID}, database.Page{Limit: plansMost})
	if err != nil {
		return nil, err
	}
	runs := []dryRun{}
	for _, p := range list.Items {
		if p.Status == promotion.StatusCancelled || p.Status == promotion.StatusDone {
			continue
		}
		f.Texts = append(f.Texts, campaign.Text{Where: fmt.Sprintf("promotions[%s].text_zh", p.ID), Says: p.TextZH})
		plan, err := s.Promotion.Plan(system(ctx), p.ID)
		if err != nil {
			return nil, err
		}
		for _, w := range plan.Windows {
			run := dryRun{PromotionID: p.ID, From: w.From, To: w.To}
			for _, g := range w.Groups {
				run.count(g.Decision)
			}
			runs = append(runs, run.sorted())
		}
	}
	if len(runs) > 0 || len(f.Campaign.Audience.Groups) == 0 {
		return runs, nil
	}
	return s.foreseeAudience(ctx, f.Campaign)
}

// foreseeAudience asks for one ad in each group of the audience, from now or
// the campaign's start to its end, at most 31 days.
func (s *Server) foreseeAudience(ctx context.Context, c campaign.Campaign) ([]dryRun, error) {
	from := max(c.StartsAt, clock.MilliOf(s.DB.Clock.Now()))
	w := guard.Window{From: from, To: min(c.EndsAt, from.Add(31*24*time.Hour))}
	if w.To <= w.From {
		return []dryRun{}, nil
	}
	answers, err := s.Guard.Check(system(ctx), guard.Trial{Groups: c.Audience.Groups, Windows: []guard.Window{w}, Campaign: c.ID})
	if err != nil {
		return nil, err
	}
	run := dryRun{From: w.From, To: w.To}
	for _, a := range answers[0] {
		run.count(a.Decision)
	}
	return []dryRun{run.sorted()}, nil
}

func (r *dryRun) count(d guard.Decision) {
	switch d.Outcome {
	case guard.OutcomeAllow:
		r.Allow++
		return
	case guard.OutcomeDefer:
		r.Defer++
	default:
		r.Deny++
	}
	i := slices.IndexFunc(r.Rules, func(x ruled) bool { return x.Rule == d.Rule && x.Outcome == d.Outcome })
	if i < 0 {
		i = len(r.Rules)
		x := ruled{Rule: d.Rule, Outcome: d.Outcome}
		if len(d.Reasons) > 0 {
			x.ReasonZH, x.ReasonEN = d.Reasons[0].Text("zh"), d.Reasons[0].Text("en")
		}
		r.Rules = append(r.Rules, x)
	}
	r.Rules[i].Groups++
}

// sorted puts the rule that stops most groups first.
func (r dryRun) sorted() dryRun {
	if r.Rules == nil {
		r.Rules = []ruled{}
	}
	slices.SortStableFunc(r.Rules, func(a, b ruled) int {
		return cmp.Or(cmp.Compare(b.Groups, a.Groups), cmp.Compare(a.Rule, b.Rule))
	})
	return r
}
