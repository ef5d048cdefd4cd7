package promotion

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"siyu/campaign"
	"siyu/campaign/guard"
	"siyu/campaign/planner"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// lookAgain is how soon a group that was left out is planned again, besides at
// once when another promotion is cancelled.
const lookAgain = time.Hour

// offersMost is how many windows of promotions one plan weighs. The heaviest
// are taken; the others are asked for as they come.
const offersMost = 2000

// offer is a window of a promotion, as the planner weighs it.
type offer struct {
	PromotionID id.Promotion
	CampaignID  id.Campaign
	WindowNo    int
	FromAt      clock.Milli
	ToAt        clock.Milli
	ValueFen    int64
	Priority    int
}

// fitting is the plan of some groups.
type fitting struct {
	offers []planner.Offer
	groups map[id.Group]planner.Fitted
	wants  map[id.Group]int
}

// sight is what a plan says of one window in one group.
type sight struct {
	alone     bool // nobody else wants the group
	placed    bool
	outranked bool
	slot      guard.Window
}

// of finds a promotion's window in a group's plan.
func (f *fitting) of(promotion id.Promotion, window int, g id.Group) sight {
	is := func(i int) bool { return f.offers[i].Promotion == promotion && f.offers[i].WindowNo == window }
	s := sight{alone: f.wants[g] < 2}
	for _, p := range f.groups[g].Placed {
		if is(p.Offer) {
			s.placed, s.slot = true, p.Window
		}
	}
	for _, l := range f.groups[g].Left {
		if is(l.Offer) {
			s.outranked = l.Outranked
		}
	}
	return s
}

// turns are the groups whose turn it is, by the window to ask for, and the
// others with the moment until which each waits.
func (f *fitting) turns(promotion id.Promotion, w Window, groups []id.Group, now clock.Milli) (turns map[guard.Window][]id.Group, waiting []guard.Answer) {
	turns = map[guard.Window][]id.Group{}
	for _, g := range groups {
		switch x := f.of(promotion, w.No, g); {
		case x.alone || !x.placed && !x.outranked:
			turns[w.asked()] = append(turns[w.asked()], g)
		case x.placed && x.slot.From <= now:
			turns[x.slot] = append(turns[x.slot], g)
		default:
			at := x.slot.From
			if !x.placed {
				at = min(now.Add(lookAgain), w.To)
			}
			waiting = append(waiting, guard.Answer{GroupID: g, Decision: guard.Decision{Outcome: guard.OutcomeDefer, Rule: guard.RulePlan, NotBefore: at}})
		}
	}
	return turns, waiting
}

// inOrder are the windows by when they begin and end.
func inOrder(turns map[guard.Window][]id.Group) []guard.Window {
	return slices.SortedFunc(maps.Keys(turns), func(a, b guard.Window) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
}

// fit plans the groups for every promotion that runs or waits to, and for one
// more that may still be a draft. What was asked for already is not wanted
// again; its slot is one of the group's ads.
func (s *Service) fit(ctx context.Context, groups []id.Group, more id.Promotion) (*fitting, error) {
	now := s.now()
	window := guard.Window{From: now, To: now.Add(planner.Days * 24 * time.Hour)}
	offers, err := s.offers(ctx, window, more)
	if err != nil {
		return nil, err
	}
	f := &fitting{groups: map[id.Group]planner.Fitted{}, wants: map[id.Group]int{}}
	of := map[id.Promotion][]int{}
	for _, o := range offers {
		of[o.PromotionID] = append(of[o.PromotionID], len(f.offers))
		f.offers = append(f.offers, planner.Offer{Promotion: o.PromotionID, WindowNo: o.WindowNo,
			Window: guard.Window{From: o.FromAt, To: o.ToAt}, Weight: planner.Weigh(o.ValueFen, o.Priority)})
	}
	late, err := s.digestOffers(ctx, now)
	if err != nil {
		return nil, err
	}
	gathered := map[digestKey]int{}
	for _, o := range late {
		gathered[digestKey{o.PromotionID, o.WindowNo}] = len(f.offers)
		f.offers = append(f.offers, planner.Offer{Promotion: o.PromotionID, WindowNo: o.WindowNo,
			Window: guard.Window{From: now, To: o.ToAt}, Weight: planner.Weigh(o.ValueFen, o.Priority)})
	}
	plans := planner.New(now, f.offers)
	for part := range slices.Chunk(groups, 200) {
		known, err := s.Guard.Known(ctx, part, window)
		if err != nil {
			return nil, err
		}
		wants, err := wantsOf(s.DB.Read(ctx), part, of, f.offers)
		if err != nil {
			return nil, err
		}
		if len(late) > 0 {
			mains, err := mainsOf(s.DB.Read(ctx), part, now)
			if err != nil {
				return nil, err
			}
			for g, main := range mains {
				if i, open := gathered[main]; open {
					wants[g] = append(wants[g], i)
				}
			}
		}
		tired, err := s.Exposure.LeftOut(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, g := range part {
			f.wants[g] = len(wants[g])
			group := planner.Group{Policy: known[g].Policy, Turns: known[g].Turns, State: known[g].State, Wants: wants[g]}
			if tired[g] {
				group.Spared = guard.RuleExposure
			}
			x := plans.Fit(group)
			f.groups[g] = planner.Fitted{Placed: slices.Clone(x.Placed), Left: slices.Clone(x.Left), Worth: x.Worth}
		}
	}
	return f, nil
}

// offers are the windows ahead of promotions whose campaigns are neither over
// nor, but for the one more, paused: what cannot ask keeps nobody waiting.
func (s *Service) offers(ctx context.Context, w guard.Window, more id.Promotion) ([]offer, error) {
	var all []offer
	err := s.DB.Read(ctx).Raw(`SELECT w.promotion_id, p.campaign_id, w.window_no, w.from_at, w.to_at, p.value_fen, p.priority
		FROM promotion_windows w JOIN promotions p ON p.id = w.promotion_id
		WHERE w.to_at > ? AND w.from_at < ? AND (p.status IN ? OR p.id = ?)
		ORDER BY p.priority DESC, p.value_fen DESC, w.promotion_id, w.window_no LIMIT ?`,
		w.From, w.To, []Status{StatusApproved, StatusRunning}, more, offersMost).Scan(&all).Error
	if err != nil {
		return nil, fmt.Errorf("promotion: offers: %w", err)
	}
	phases := map[id.Campaign]campaign.Status{}
	for _, o := range all {
		if _, known := phases[o.CampaignID]; known {
			continue
		}
		c, err := s.Campaign.FindCampaign(bare(ctx), o.CampaignID)
		if err != nil {
			return nil, err
		}
		phases[o.CampaignID] = c.Phase(w.From)
	}
	return slices.DeleteFunc(all, func(o offer) bool {
		phase := phases[o.CampaignID]
		return over(phase) || phase == campaign.StatusPaused && o.PromotionID != more
	}), nil
}

// wantsOf are the offers that still want each group.
func wantsOf(q *database.Query, groups []id.Group, of map[id.Promotion][]int, offers []planner.Offer) (map[id.Group][]int, error) {
	var asked []sendRow
	err := q.Raw("SELECT promotion_id, window_no, group_id FROM promotion_sends WHERE group_id IN ? AND status <> ?", groups, SendDeferred).Scan(&asked).Error
	if err != nil {
		return nil, fmt.Errorf("promotion: asked: %w", err)
	}
	type key struct {
		promotion id.Promotion
		window    int
		group     id.Group
	}
	done := make(map[key]bool, len(asked))
	for _, a := range asked {
		done[key{a.PromotionID, a.WindowNo, a.GroupID}] = true
	}
	var rows []groupRow
	if err := q.Raw("SELECT promotion_id, group_id FROM promotion_groups WHERE group_id IN ? AND held_out = 0", groups).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("promotion: wanted: %w", err)
	}
	out := make(map[id.Group][]int, len(groups))
	for _, r := range rows {
		for _, i := range of[r.PromotionID] {
			if !done[key{r.PromotionID, offers[i].WindowNo, r.GroupID}] {
				out[r.GroupID] = append(out[r.GroupID], i)
			}
		}
	}
	return out, nil
}
