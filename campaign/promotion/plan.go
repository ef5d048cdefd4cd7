package promotion

import (
	"context"
	"fmt"
	"slices"

	"siyu/campaign/exposure"
	"siyu/campaign/guard"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Plan is what a promotion did and would do, window by window.
type Plan struct {
	PromotionID id.Promotion `json:"promotion_id"`
	Status      Status       `json:"status"`
	Windows     []Planned    `json:"windows"`

	// Reach is of what was shown, what waits in a slot and what is allowed.
	Reach exposure.Reach `json:"reach"`
}

// Planned is one window: how many groups are allowed, deferred and denied, and
// each group's decision.
type Planned struct {
	Window
	Allow  int            `json:"allow"`
	Defer  int            `json:"defer"`
	Deny   int            `json:"deny"`
	Groups []PlannedGroup `json:"groups"`
}

// PlannedGroup is the decision for one group: as it was made, once the window
// asked for it, else as it would be made now.
type PlannedGroup struct {
	guard.Answer
	Outranked bool         `json:"outranked"`   // there is room, and other promotions are worth more
	Send      SendStatus   `json:"send_status"` // "" until it was asked for
	Slot      guard.Status `json:"slot_status"` // "" without a slot
}

// Plan fits the promotion's windows among those of all that run or wait to,
// without keeping anything. What it has already reserved is shown as it
// stands; where only the guard is in the way, its own reasons are.
func (s *Service) Plan(ctx context.Context, promotion id.Promotion) (Plan, error) {
	p, err := s.Find(ctx, promotion)
	if err != nil {
		return Plan{}, err
	}
	windows := make([]guard.Window, len(p.Windows))
	for i, w := range p.Windows {
		windows[i] = w.asked()
	}
	sends, slots, err := sendsOf(s.DB.Read(ctx), p.ID)
	if err != nil {
		return Plan{}, err
	}
	spare, err := s.spare(ctx, p.Groups, p.HeldOut)
	if err != nil {
		return Plan{}, err
	}
	// The plan's groups were the author's to name; whoever may see the plan
	// sees what becomes of them.
	answers, err := s.Guard.Check(bare(ctx), guard.Trial{Groups: p.Groups, Windows: windows, Campaign: p.CampaignID, Promotion: p.ID, HeldOut: p.HeldOut, Sparing: spare.sparing})
	if err != nil {
		return Plan{}, err
	}
	fits, err := s.fit(ctx, p.Groups, p.ID)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{PromotionID: p.ID, Status: p.Status, Windows: make([]Planned, len(p.Windows))}
	ads := p.served()
	for i, w := range p.Windows {
		out := Planned{Window: w, Groups: make([]PlannedGroup, len(answers[i]))}
		for j, a := range answers[i] {
			g := PlannedGroup{Answer: a}
			g.plan(fits.of(p.ID, w.No, a.GroupID))
			if row, asked := sends[sendKey{w.No, a.GroupID}]; asked {
				g = row.shown(slots[row.slot()])
				if g.Rule == guard.RuleExposure {
					g.Reasons = spare.sparing[g.GroupID].Reasons
				}
			}
			out.Groups[j] = g
			out.count(g.Outcome)
			if w, shows := g.shows(slots[g.SlotID]); shows {
				ads[g.GroupID] = append(ads[g.GroupID], w)
			}
		}
		plan.Windows[i] = out
	}
	plan.Reach, err = exposure.ReachOf(s.DB.Read(ctx), ads, s.now())
	return plan, err
}

// served are the groups that are not held out, without any ad yet.
func (p Promotion) served() map[id.Group][]guard.Window {
	ads := make(map[id.Group][]guard.Window, len(p.Groups))
	for _, g := range p.Groups {
		if _, out := slices.BinarySearch(p.HeldOut, g); !out {
			ads[g] = nil
		}
	}
	return ads
}

// shows is when the group saw the ad, or may see it.
func (g PlannedGroup) shows(slot guard.Slot) (guard.Window, bool) {
	if slot.ConfirmedAt != 0 {
		return guard.Window{From: slot.ConfirmedAt, To: slot.ConfirmedAt + 1}, true
	}
	return g.Answer.Window, g.Outcome == guard.OutcomeAllow && g.Slot != guard.StatusReleased
}

// plan puts what was planned over what the guard says of the group alone.
func (g *PlannedGroup) plan(x sight) {
	switch {
	case x.alone, g.Rule == guard.RuleExposure:
	case x.placed:
		g.Decision = guard.Decision{Outcome: guard.OutcomeAllow, Window: x.slot, Advice: g.Advice}
	case x.outranked:
		g.Decision = guard.Decision{Outcome: guard.OutcomeDeny, Rule: guard.RulePlan, Reasons: guard.Reasons{{Rule: guard.RulePlan}}, Advice: g.Advice}
		g.Outranked = true
	}
}

func (p *Planned) count(o guard.Outcome) {
	switch o {
	case guard.OutcomeAllow:
		p.Allow++
	case guard.OutcomeDefer:
		p.Defer++
	default:
		p.Deny++
	}
}

type sendKey struct {
	window int
	group  id.Group
}

func sendsOf(q *database.Query, promotion id.Promotion) (map[sendKey]sendRow, map[id.Slot]guard.Slot, error) {
	var rows []sendRow
	if err := q.Raw("SELECT "+sendColumns+" FROM promotion_sends WHERE promotion_id = ?", promotion).Scan(&rows).Error; err != nil {
		return nil, nil, fmt.Errorf("promotion: sends of %s: %w", promotion, err)
	}
	sends := make(map[sendKey]sendRow, len(rows))
	var ids []id.Slot
	digests, err := digestsOf(q, promotion)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range rows {
		r.digest = digests[sendKey{r.WindowNo, r.GroupID}]
		if r.digest.SlotID != 0 {
			ids = append(ids, r.digest.SlotID)
		}
		sends[sendKey{r.WindowNo, r.GroupID}] = r
		if r.SlotID != 0 {
			ids = append(ids, r.SlotID)
		}
	}
	slots, err := guard.SlotsIn(q, ids)
	return sends, slots, err
}

// shown is the answer the send was given.
func (r sendRow) shown(slot guard.Slot) PlannedGroup {
	g := PlannedGroup{Send: r.Status}
	g.GroupID, g.SlotID, g.Rule, g.NotBefore = r.GroupID, r.slot(), r.RuleName, r.NotBefore
	switch {
	case r.Status == SendDigest:
		g.Outcome = guard.OutcomeDefer
	case g.SlotID != 0:
		g.Outcome, g.Slot, g.Answer.Window = guard.OutcomeAllow, slot.Status(), guard.Window{From: slot.FromAt, To: slot.ToAt}
	case r.NotBefore != 0:
		g.Outcome = guard.OutcomeDefer
	default:
		g.Outcome = guard.OutcomeDeny
	}
	return g
}
