package promotion

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"siyu/campaign/exposure"
	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// afterFor is how long after an ad what happens in its group is counted.
const afterFor = 24 * time.Hour

// Outcome is how many groups were asked for and what became of each. Asked is
// the sum of the others.
type Outcome struct {
	Asked    int `json:"asked"`
	Sent     int `json:"sent"`     // shown inside their slot
	Digest   int `json:"digest"`   // shown in a digest, as its main ad or a line
	Late     int `json:"late"`     // shown outside it
	Waiting  int `json:"waiting"`  // have a slot that is not over
	Unsent   int `json:"unsent"`   // had a slot, were not shown
	Deferred int `json:"deferred"` // asked again later
	Refused  int `json:"refused"`  // by a rule
	Missed   int `json:"missed"`   // deferred until the window was over
}

// RuleCount is how many groups a rule refused.
type RuleCount struct {
	Rule   guard.Rule `json:"rule"`
	Groups int        `json:"groups"`
}

// WindowReport is what became of one window.
type WindowReport struct {
	Window
	Outcome
}

// VariantReport is what followed the ads with one variant of a material.
type VariantReport struct {
	VariantNo int `json:"variant_no"`
	Shown     int `json:"shown"`
	After
}

// Shown is one ad that a group saw, LineNo 0 alone or as the main ad, with
// SharedWith others in one message. VariantNo is 0 where no material was sent.
type Shown struct {
	WindowNo   int         `json:"window_no"`
	VariantNo  int         `json:"variant_no"`
	GroupID    id.Group    `json:"group_id"`
	SlotID     id.Slot     `json:"slot_id"`
	LineNo     int         `json:"line_no"`
	SharedWith int         `json:"shared_with"`
	At         clock.Milli `json:"shown_at"`
	Late       bool        `json:"late"`
	After
}

// Report is what a promotion came to so far.
type Report struct {
	PromotionID id.Promotion    `json:"promotion_id"`
	CampaignID  id.Campaign     `json:"campaign_id"`
	Status      Status          `json:"status"`
	Total       Outcome         `json:"total"`
	After       After           `json:"after"`
	RefusedBy   []RuleCount     `json:"refused_by"`
	MissedBy    []RuleCount     `json:"missed_by"` // the rule by which they were deferred last
	Windows     []WindowReport  `json:"windows"`
	Variants    []VariantReport `json:"variants"` // of a material
	Shown       []Shown         `json:"shown"`
	Reach       exposure.Reach  `json:"reach"`      // of what was shown
	Digests     []InDigest      `json:"digests"`    // where it went out, or is to, with others
	Comparison  *Comparison     `json:"comparison"` // null where no group is held out
}

// Report counts what became of a promotion, in one snapshot. What happens
// within 24 hours of several ads of one campaign counts for the latest of
// them, whichever promotion that was of, and of several in one message for the
// main ad, else the first line; so reports may be added up, but for LeftShared.
func (s *Service) Report(ctx context.Context, promotion id.Promotion) (Report, error) {
	var out Report
	err := s.DB.Snapshot(ctx, func(q *database.Query) error {
		p, err := find(q, database.ActorOf(ctx), promotion)
		if err != nil {
			return err
		}
		sends, slots, err := sendsOf(q, promotion)
		if err != nil {
			return err
		}
		out = reportOf(p, sends, slots)
		if err := out.follow(q); err != nil {
			return err
		}
		if out.Reach, err = reachOf(q, p, out, s.now()); err != nil {
			return err
		}
		out.Comparison, err = compare(q, p, s.now())
		return err
	})
	return out, err
}

// reachOf counts who saw the ads of a promotion, each person once.
func reachOf(q *database.Query, p Promotion, of Report, now clock.Milli) (r exposure.Reach, err error) {
	if p.Groups, err = groupsOf(q, p.ID); err != nil {
		return r, err
	}
	if p.HeldOut, err = heldOut(q, p.ID); err != nil {
		return r, err
	}
	ads := p.served()
	for _, x := range of.Shown {
		ads[x.GroupID] = append(ads[x.GroupID], guard.Window{From: x.At, To: x.At + 1})
	}
	return exposure.ReachOf(q, ads, now)
}

// reportOf counts the sends, and lists what was shown, oldest first.
func reportOf(p Promotion, sends map[sendKey]sendRow, slots map[id.Slot]guard.Slot) Report {
	r := Report{PromotionID: p.ID, CampaignID: p.CampaignID, Status: p.Status, Variants: []VariantReport{}, Shown: []Shown{}, Digests: []InDigest{}}
	windows, rules, missed := map[int]*Outcome{}, map[guard.Rule]int{}, map[guard.Rule]int{}
	for _, w := range p.Windows {
		windows[w.No] = &Outcome{}
	}
	for _, row := range sends {
		slot := slots[row.slot()]
		for _, count := range []*Outcome{&r.Total, windows[row.WindowNo]} {
			count.add(row, slot)
		}
		r.inDigest(row, slot)
		switch {
		case row.Status == SendRefused:
			rules[row.RuleName]++
		case row.Status == SendClosed && slot.ID == 0:
			missed[row.RuleName]++
		case slot.ConfirmedAt != 0:
			x := Shown{WindowNo: row.WindowNo, VariantNo: row.VariantNo, GroupID: row.GroupID, SlotID: slot.ID, At: slot.ConfirmedAt, Late: slot.Late}
			if row.digest.SlotID == slot.ID {
				x.LineNo = row.digest.LineNo
			}
			r.Shown = append(r.Shown, x)
		}
	}
	for _, w := range p.Windows {
		r.Windows = append(r.Windows, WindowReport{w, *windows[w.No]})
	}
	r.RefusedBy, r.MissedBy = countsOf(rules), countsOf(missed)
	slices.SortFunc(r.Shown, func(a, b Shown) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.SlotID, b.SlotID), cmp.Compare(a.LineNo, b.LineNo))
	})
	slices.SortFunc(r.Digests, func(a, b InDigest) int {
		return cmp.Or(cmp.Compare(a.WindowNo, b.WindowNo), cmp.Compare(a.GroupID, b.GroupID))
	})
	return r
}

func countsOf(rules map[guard.Rule]int) []RuleCount {
	list := []RuleCount{}
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		list = append(list, RuleCount{rule, rules[rule]})
	}
	return list
}

func (o *Outcome) add(row sendRow, slot guard.Slot) {
	status := row.Status
	o.Asked++
	switch {
	case slot.ConfirmedAt != 0 && row.digest.SlotID != 0:
		o.Digest++
	case slot.ConfirmedAt != 0 && slot.Late:
		o.Late++
	case slot.ConfirmedAt != 0:
		o.Sent++
	case status == SendRefused:
		o.Refused++
	case status == SendDeferred || status == SendDigest:
		o.Deferred++
	case slot.ID == 0:
		o.Missed++
	case slot.ReleasedAt != 0 || status == SendClosed:
		o.Unsent++
	default:
		o.Waiting++
	}
}
