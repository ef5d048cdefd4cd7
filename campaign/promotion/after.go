package promotion

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"siyu/campaign"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// After is what happened in a group within 24 hours of an ad: what its codes
// brought, and who left of those who were there. It stands beside the ad;
// that the ad caused it is not said. Scans, bindings and orders are those of
// the ad's own campaign, also where it was a line of a digest. Whoever left
// after a message with several ads left after all of them: he is in LeftShared
// of each, and in Left of none.
type After struct {
	Scans      int64        `json:"scans"`
	Bindings   int64        `json:"bindings"`
	Orders     int64        `json:"orders"`
	Paid       int64        `json:"paid"`
	Net        money.Amount `json:"net_fen"` // paid for goods and not given back
	Members    int64        `json:"members"` // in the group when it was shown
	Left       int64        `json:"left"`
	LeftShared int64        `json:"left_shared"`
}

func (a *After) add(b After) {
	a.Scans, a.Bindings, a.Orders, a.Paid = a.Scans+b.Scans, a.Bindings+b.Bindings, a.Orders+b.Orders, a.Paid+b.Paid
	a.Net, a.Members, a.Left, a.LeftShared = a.Net+b.Net, a.Members+b.Members, a.Left+b.Left, a.LeftShared+b.LeftShared
}

// ad is one ad that a group saw: alone or as the main ad of a slot (line 0), or
// as a line of it.
type ad struct {
	adKey
	group id.Group
	at    clock.Milli
}

type adKey struct {
	slot id.Slot
	line int
}

// adsShown are the ads of a campaign that were shown in some groups from one
// moment to before another, group by group, oldest first; of one message the
// main ad is last, then the first line. The groups are few.
func adsShown(q *database.Query, c id.Campaign, groups []id.Group, from, to clock.Milli) (map[id.Group][]ad, error) {
	list, err := guard.ShownOf(q, c, groups, from, to)
	if err != nil {
		return nil, err
	}
	out := map[id.Group][]ad{}
	for _, slot := range list {
		out[slot.GroupID] = append(out[slot.GroupID], ad{adKey{slot.ID, 0}, slot.GroupID, slot.ConfirmedAt})
	}
	var lines []digestRow
	err = q.Raw("SELECT "+digestColumns+` FROM promotion_digests d JOIN promotions p ON p.id = d.promotion_id
		WHERE d.group_id IN ? AND p.campaign_id = ? AND d.slot_id <> 0 AND d.line_no > 0`, groups, c).Scan(&lines).Error
	if err != nil {
		return nil, fmt.Errorf("promotion: lines of %s: %w", c, err)
	}
	slots := make([]id.Slot, len(lines))
	for i, l := range lines {
		slots[i] = l.SlotID
	}
	known, err := guard.SlotsIn(q, slots)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		if at := known[l.SlotID].ConfirmedAt; at >= from && at < to {
			out[l.GroupID] = append(out[l.GroupID], ad{adKey{l.SlotID, l.LineNo}, l.GroupID, at})
		}
	}
	for _, ads := range out {
		slices.SortFunc(ads, func(a, b ad) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.slot, b.slot), cmp.Compare(b.line, a.line))
		})
	}
	return out, nil
}

// latest is the last of a group's ads, oldest first, shown in the 24 hours up
// to a moment; none if none was.
func latest(ads []ad, at clock.Milli) adKey {
	for _, ad := range slices.Backward(ads) {
		if ad.at <= at {
			if at < ad.at.Add(afterFor) {
				return ad.adKey
			}
			return adKey{}
		}
	}
	return adKey{}
}

// share fills in with how many other ads each was shown in one message.
func (r *Report) share(q *database.Query) error {
	of := map[id.Slot]int{}
	for _, d := range r.Digests {
		of[d.SlotID] = 0
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(of)), 190) {
		var rows []struct {
			SlotID id.Slot
			N      int
		}
		err := q.Raw("SELECT slot_id, COUNT(*) AS n FROM promotion_digests WHERE slot_id IN ? GROUP BY slot_id", part).Scan(&rows).Error
		if err != nil {
			return fmt.Errorf("promotion: digests of %s: %w", r.PromotionID, err)
		}
		for _, x := range rows {
			of[x.SlotID] = x.N - 1
		}
	}
	for i, x := range r.Shown {
		r.Shown[i].SharedWith = of[x.SlotID]
	}
	return nil
}

// follow counts what happened after each ad that was shown.
func (r *Report) follow(q *database.Query) error {
	if len(r.Shown) == 0 {
		return nil
	}
	if err := r.share(q); err != nil {
		return err
	}
	from, to := r.Shown[0].At, r.Shown[len(r.Shown)-1].At.Add(afterFor)
	mine, message := map[adKey]*Shown{}, map[id.Slot]*Shown{}
	groups := map[id.Group]bool{}
	for i, x := range r.Shown {
		mine[adKey{x.SlotID, x.LineNo}], message[x.SlotID], groups[x.GroupID] = &r.Shown[i], &r.Shown[i], true
	}
	ads := map[id.Group][]ad{}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(groups)), 190) {
		list, err := adsShown(q, r.CampaignID, part, from.Add(-afterFor), to)
		if err != nil {
			return err
		}
		maps.Copy(ads, list)
		err = community.StaysIn(q, part, from, func(stay community.Stay) {
			for _, ad := range ads[stay.GroupID] {
				if a := mine[ad.adKey]; a != nil && stay.JoinedAt <= ad.at && (stay.LeftAt == 0 || stay.LeftAt > ad.at) {
					a.Members++
				}
			}
			switch a := message[latest(ads[stay.GroupID], stay.LeftAt).slot]; {
			case a == nil:
			case a.SharedWith > 0:
				a.LeftShared++
			default:
				a.Left++
			}
		})
		if err != nil {
			return err
		}
	}
	err := campaign.StepsBetween(q, r.CampaignID, from, to, func(step campaign.Step) {
		if a := mine[latest(ads[step.GroupID], step.At)]; a != nil {
			a.Scans, a.Bindings = a.Scans+step.Touched, a.Bindings+step.Bound
			a.Orders, a.Paid = a.Orders+step.Ordered, a.Paid+step.Bought
			a.Net += step.Goods - step.LetBack
		}
	})
	if err != nil {
		return fmt.Errorf("promotion: report of %s: %w", r.PromotionID, err)
	}
	variants := map[int]VariantReport{}
	for _, s := range r.Shown {
		r.After.add(s.After)
		v := variants[s.VariantNo]
		v.VariantNo, v.Shown = s.VariantNo, v.Shown+1
		v.add(s.After)
		variants[s.VariantNo] = v
	}
	delete(variants, 0)
	for _, no := range slices.Sorted(maps.Keys(variants)) {
		r.Variants = append(r.Variants, variants[no])
	}
	return nil
}
