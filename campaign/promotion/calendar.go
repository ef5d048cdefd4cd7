package promotion

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"siyu/campaign/guard"
	"siyu/campaign/planner"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Calendar is the plan of the next days as it stands now: which promotion is
// to be shown in how many groups on which day, and why others are left out.
type Calendar struct {
	From       clock.Milli `json:"from_at"`
	Days       []int       `json:"days"` // yyyymmdd in Asia/Shanghai
	Groups     int         `json:"groups"`
	GroupsMore bool        `json:"groups_more"` // there are more than are planned here
	Promotions []Entry     `json:"promotions"`
}

// Entry is one promotion of the calendar. Sends are asks still open: one per
// window and group.
type Entry struct {
	PromotionID id.Promotion `json:"promotion_id"`
	Name        string       `json:"name"`
	Status      Status       `json:"status"`
	Priority    int          `json:"priority"`
	Value       money.Amount `json:"value_fen"`
	Sends       int          `json:"sends"`
	Placed      int          `json:"placed"`
	ByDay       []int        `json:"by_day"` // of Placed
	LeftOut     []Cause      `json:"left_out"`
}

// Cause counts the sends that one rule left out. Outranked are those for which
// there was room until promotions worth more took it.
type Cause struct {
	Rule      guard.Rule `json:"rule"`
	Sends     int        `json:"sends"`
	Outranked int        `json:"outranked"`
}

// calendarGroups is how many groups one calendar plans.
const calendarGroups = 20_000

// Calendar plans every group that a running or approved promotion wants and
// keeps nothing. It tells of the promotions the actor may see; all weigh.
func (s *Service) Calendar(ctx context.Context) (Calendar, error) {
	zone, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		return Calendar{}, fmt.Errorf("promotion: calendar: %w", err)
	}
	now := s.now()
	var groups []id.Group
	err = s.DB.Read(ctx).Raw(`SELECT DISTINCT g.group_id FROM promotions p JOIN promotion_groups g ON g.promotion_id = p.id
		WHERE p.status IN ? ORDER BY g.group_id LIMIT ?`, []Status{StatusApproved, StatusRunning}, calendarGroups+1).Scan(&groups).Error
	if err != nil {
		return Calendar{}, fmt.Errorf("promotion: groups of the calendar: %w", err)
	}
	c := Calendar{From: now, Days: daysFrom(now, zone), GroupsMore: len(groups) > calendarGroups, Promotions: []Entry{}}
	groups = groups[:min(len(groups), calendarGroups)]
	c.Groups = len(groups)
	fits, err := s.fit(ctx, groups, 0)
	if err != nil {
		return Calendar{}, err
	}
	entries, err := s.entries(ctx, fits)
	if err != nil {
		return Calendar{}, err
	}
	for _, g := range groups {
		for _, p := range fits.groups[g].Placed {
			if e := entries[fits.offers[p.Offer].Promotion]; e != nil {
				e.Sends, e.Placed = e.Sends+1, e.Placed+1
				if i := slices.Index(c.Days, clock.Day(p.Window.From.Time(), zone)); i >= 0 {
					e.ByDay[i]++
				}
			}
		}
		for _, l := range fits.groups[g].Left {
			if e := entries[fits.offers[l.Offer].Promotion]; e != nil {
				e.leave(l)
			}
		}
	}
	for _, e := range entries {
		c.Promotions = append(c.Promotions, *e)
	}
	slices.SortFunc(c.Promotions, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(planner.Weigh(int64(b.Value), b.Priority), planner.Weigh(int64(a.Value), a.Priority)), cmp.Compare(a.PromotionID, b.PromotionID))
	})
	return c, nil
}

// entries are the promotions of the plan that the actor may see.
func (s *Service) entries(ctx context.Context, f *fitting) (map[id.Promotion]*Entry, error) {
	var ids []id.Promotion
	for _, o := range f.offers {
		ids = append(ids, o.Promotion)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	actor := database.ActorOf(ctx)
	out := map[id.Promotion]*Entry{}
	for part := range slices.Chunk(ids, 200) {
		var rows []Promotion
		if err := s.DB.Read(ctx).Raw("SELECT "+columns+" FROM promotions WHERE id IN ?", part).Scan(&rows).Error; err != nil {
			return nil, fmt.Errorf("promotion: calendar: %w", err)
		}
		for _, p := range rows {
			if actor.Sees(p.UnitID) {
				out[p.ID] = &Entry{PromotionID: p.ID, Name: p.Name, Status: p.Status, Priority: p.Priority, Value: p.Value,
					ByDay: make([]int, planner.Days), LeftOut: []Cause{}}
			}
		}
	}
	return out, nil
}

// leave counts a send that was left out.
func (e *Entry) leave(l planner.LeftOut) {
	e.Sends++
	i := slices.IndexFunc(e.LeftOut, func(c Cause) bool { return c.Rule == l.Rule })
	if i < 0 {
		i = len(e.LeftOut)
		e.LeftOut = append(e.LeftOut, Cause{Rule: l.Rule})
	}
	e.LeftOut[i].Sends++
	if l.Outranked {
		e.LeftOut[i].Outranked++
	}
}

func daysFrom(now clock.Milli, zone *time.Location) []int {
	days := make([]int, planner.Days)
	for i := range days {
		days[i] = clock.Day(now.Add(time.Duration(i)*24*time.Hour).Time(), zone)
	}
	return days
}
