package promotion

import (
	"fmt"
	"slices"
	"time"

	"siyu/campaign"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/english"
	"siyu/internal/id"
)

// weekFor is the longer of the two times after a window that are compared.
const weekFor = 7 * 24 * time.Hour

// Comparison holds what happened in the groups that a promotion was for
// against its holdout groups. All groups of a side count, shown or not: the
// guard refuses tired groups, and leaving those out would flatter the ads.
// Who was in a group when the first window opened is followed through every
// window and the time after it, by the same clock on both sides.
type Comparison struct {
	From     clock.Milli `json:"from_at"`
	DayTo    clock.Milli `json:"day_to_at"`
	WeekTo   clock.Milli `json:"week_to_at"`
	Served   Arm         `json:"served"`
	HeldOut  Arm         `json:"held_out"`
	Measures []Measure   `json:"measures"`
	Warnings []Warning   `json:"warnings"`
}

// Arm is one side of a comparison.
type Arm struct {
	Groups  int   `json:"groups"`
	Shown   int   `json:"shown_groups"` // that saw an ad of the campaign meanwhile, whosever it was
	Members int64 `json:"members"`
}

// Warning is what to know before a comparison is believed.
type Warning struct {
	Code string `json:"code"`
	N    int    `json:"n"`
	ZH   string `json:"text_zh"`
	EN   string `json:"text_en"`
}

// tally is what happened to the people of one group.
type tally struct {
	members int64
	orders  [spans]int64
	left    [spans]int64
}

// The times after a window that are compared.
const (
	spanDay = iota
	spanWeek
	spans
)

var spanFor = [spans]time.Duration{afterFor, weekFor}

// compare is nil where the promotion holds no group out.
func compare(q *database.Query, p Promotion, now clock.Milli) (*Comparison, error) {
	held, err := heldOut(q, p.ID)
	if err != nil || len(held) == 0 {
		return nil, err
	}
	var served []id.Group
	err = q.Raw("SELECT group_id FROM promotion_groups WHERE promotion_id = ? AND held_out = 0 ORDER BY group_id", p.ID).Scan(&served).Error
	if err != nil {
		return nil, fmt.Errorf("promotion: served by %s: %w", p.ID, err)
	}
	c := &Comparison{From: p.Windows[0].From, Warnings: []Warning{}}
	end := p.Windows[len(p.Windows)-1].To
	c.DayTo, c.WeekTo = end.Add(afterFor), end.Add(weekFor)

	f := following{promotion: p, from: c.From, to: c.WeekTo, orders: map[id.Member][]clock.Milli{}, seen: map[id.Member]bool{}}
	err = campaign.PaidOrders(q, p.CampaignID, c.From, c.WeekTo, func(who id.Member, at clock.Milli) {
		f.orders[who] = append(f.orders[who], at)
	})
	if err != nil {
		return nil, err
	}
	// The holdout is the smaller side: its people are kept in mind.
	var withheld, with []tally
	if c.HeldOut, withheld, err = f.side(q, held, func(m id.Member) { f.seen[m] = true }); err != nil {
		return nil, err
	}
	both := 0
	c.Served, with, err = f.side(q, served, func(m id.Member) {
		if f.seen[m] {
			both++
			delete(f.seen, m) // counted once, in however many groups he is
		}
	})
	if err != nil {
		return nil, err
	}
	c.Measures = measures(with, withheld)
	c.warn(p.HoldoutBP > 0, both, now)
	return c, nil
}

// following is how groups are followed.
type following struct {
	promotion Promotion
	from, to  clock.Milli
	orders    map[id.Member][]clock.Milli
	seen      map[id.Member]bool
}

// side follows the groups of one side; each hears of everybody in them.
func (f *following) side(q *database.Query, groups []id.Group, each func(id.Member)) (Arm, []tally, error) {
	arm, all := Arm{Groups: len(groups)}, make([]tally, 0, len(groups))
	for part := range slices.Chunk(groups, 190) {
		saw, err := adsShown(q, f.promotion.CampaignID, part, f.from, f.to)
		if err != nil {
			return arm, nil, err
		}
		arm.Shown += len(saw)
		of := make(map[id.Group]*tally, len(part))
		for _, g := range part {
			of[g] = &tally{}
		}
		err = community.StaysIn(q, part, f.from, func(stay community.Stay) {
			if stay.JoinedAt > f.from || stay.LeftAt != 0 && stay.LeftAt <= f.from {
				return
			}
			arm.Members++
			of[stay.GroupID].add(f, stay)
			each(stay.MemberID)
		})
		if err != nil {
			return arm, nil, err
		}
		for _, g := range part {
			all = append(all, *of[g])
		}
	}
	return arm, all, nil
}

func (t *tally) add(f *following, stay community.Stay) {
	t.members++
	for i, after := range spanFor {
		if stay.LeftAt != 0 && f.promotion.within(stay.LeftAt, after) {
			t.left[i]++
		}
		for _, at := range f.orders[stay.MemberID] {
			if f.promotion.within(at, after) {
				t.orders[i]++
			}
		}
	}
}

// within says whether the moment lies in a window or the time after it.
func (p Promotion) within(at clock.Milli, after time.Duration) bool {
	return slices.ContainsFunc(p.Windows, func(w Window) bool { return w.From <= at && at < w.To.Add(after) })
}

// warn lists what to know before the figures are believed.
func (c *Comparison) warn(drawn bool, both int, now clock.Milli) {
	note := func(bad bool, code string, n int, zh, en string) {
		if bad {
			c.Warnings = append(c.Warnings, Warning{code, n, zh, english.One(en)})
		}
	}
	fewest := min(c.Served.Groups, c.HeldOut.Groups)
	note(fewest < groupsEnough, "few_groups", fewest,
		fmt.Sprintf("有一边只有 %d 个群，至少 %d 个才谈得上结论，因此不给区间", fewest, groupsEnough),
		fmt.Sprintf("one side has %d groups; below %d nothing can be concluded, so no interval is given", fewest, groupsEnough))
	note(both > 0, "overlap", both,
		fmt.Sprintf("有 %d 人两边的群都在，他们看得到推广，差异会被低估", both),
		fmt.Sprintf("%d people are in groups of both sides and could see the ads, which hides part of a difference", both))
	note(c.HeldOut.Shown > 0, "shown_elsewhere", c.HeldOut.Shown,
		fmt.Sprintf("有 %d 个对照群期间看到了同一活动的其他推广", c.HeldOut.Shown),
		fmt.Sprintf("%d holdout groups saw other ads of the campaign meanwhile", c.HeldOut.Shown))
	note(!drawn, "chosen", c.HeldOut.Groups,
		"对照群由人指定，两边的群可能本来就不同",
		"the holdout groups were named by people, so the two sides may have differed before")
	note(now < c.WeekTo, "unfinished", 0, "观察期还没有结束", "the time that is compared is not over")
}
