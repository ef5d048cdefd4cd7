package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// decisionView is the guard's answer for one group.
type decisionView struct {
	GroupID   string       `json:"group_id"`
	Outcome   string       `json:"outcome"`
	NotBefore *time.Time   `json:"not_before"`
	Reasons   []reasonView `json:"reasons"`
	Advice    []reasonView `json:"advice"`
}

type reasonView struct {
	Rule     string `json:"rule"`
	Observed int64  `json:"observed"`
	Text     string `json:"text_en"`
}

// promote plans an ad into all four groups.
func (s *story) promote() error {
	s.step("The guard decides an ad for four groups: allow, defer or deny, with reasons 群护栏")
	now := s.clk.Now()
	send, err := s.newSend("牛奶拼团提醒", 100, now, now.Add(6*time.Hour))
	s.firstSend = send
	if err != nil {
		return err
	}
	if err := s.showPlan(send); err != nil {
		return err
	}
	if err := s.refused(s.marketer, "POST", "/v1/promotions/"+send+"/approve", map[string]any{}, "promotion.same_staff"); err != nil {
		return err
	}
	if err := s.do(s.checker, "POST", "/v1/promotions/"+send+"/approve", map[string]any{}, nil); err != nil {
		return err
	}
	slot, err := s.slotOf(send, s.healthy)
	if err != nil {
		return err
	}
	s.printf("    ← approved by a second marketer; the window opens and the file channel hands the send to the group's owner\n")
	body := map[string]any{}
	return s.show(s.owner, "POST", "/v1/slots/"+slot+"/confirm", body, nil, func() string { return "the owner posted it: the slot counts from now" })
}

// promoteAgain asks for the same group too soon.
func (s *story) promoteAgain() error {
	s.step("The next ad for the healthy group comes too soon: deferred to the exact minute 自动延后")
	now := s.clk.Now()
	send, err := s.newSend("龙井邀请有礼", 100, now.Add(time.Hour), now.Add(25*time.Hour))
	s.secondSend = send
	if err != nil {
		return err
	}
	if err := s.showPlan(send); err != nil {
		return err
	}
	for _, g := range []struct{ name, id string }{{"young", s.young}, {"healthy", s.healthy}} {
		if err := s.showForecast(g.name, g.id); err != nil {
			return err
		}
	}
	return nil
}

// showForecast prints the next 14 days of a group.
func (s *story) showForecast(name, group string) error {
	var f struct {
		Room int `json:"room"`
		Days []struct {
			Open bool `json:"open"`
		} `json:"days"`
	}
	if err := s.do(s.marketer, "GET", "/v1/guard/forecast?group_id="+group, nil, &f); err != nil {
		return err
	}
	days := ""
	for _, d := range f.Days {
		days += map[bool]string{true: "o", false: "-"}[d.Open]
	}
	s.printf("      %-8s the next 14 days %s, o where an ad may be shown: room for %d\n", name, days, f.Room)
	return nil
}

// showPlanned lets a second ad want the same groups and shows who gets which
// day, and why the other goes without.
func (s *story) showPlanned() error {
	s.step("Two ads want the same groups: the plan gives each slot to what is worth more 推送排期")
	now := s.clk.Now()
	richer, err := s.newSend("红富士早市", 300, now.Add(time.Hour), now.Add(25*time.Hour))
	if err != nil {
		return err
	}
	for _, send := range []string{s.secondSend, richer} {
		if err := s.do(s.checker, "POST", "/v1/promotions/"+send+"/approve", map[string]any{}, nil); err != nil {
			return err
		}
	}
	var plan struct {
		Days       []int `json:"days"`
		Promotions []struct {
			Name    string `json:"name"`
			Value   int64  `json:"value_fen"`
			Sends   int    `json:"sends"`
			Placed  int    `json:"placed"`
			ByDay   []int  `json:"by_day"`
			LeftOut []struct {
				Rule      string `json:"rule"`
				Sends     int    `json:"sends"`
				Outranked int    `json:"outranked"`
			} `json:"left_out"`
		} `json:"promotions"`
	}
	if err := s.show(s.marketer, "GET", "/v1/promotions/calendar", nil, &plan, func() string {
		return "approved by a second marketer; ads on each of the next 14 days, and which rules leave groups out (G3 too young, G6 too soon, G12 tired, C the charter):"
	}); err != nil {
		return err
	}
	for _, p := range plan.Promotions {
		if p.Sends == 0 {
			continue
		}
		days, why := "", make([]string, 0, len(p.LeftOut))
		for _, n := range p.ByDay {
			days += strconv.Itoa(n)
		}
		for _, l := range p.LeftOut {
			why = append(why, fmt.Sprintf("%d × %s", l.Sends, l.Rule))
			if l.Outranked > 0 {
				why[len(why)-1] += fmt.Sprintf(" (%d outranked)", l.Outranked)
			}
		}
		s.printf("      %s  worth %s yuan a group: %s, %d of %d groups; left out: %s\n", p.Name, yuan(p.Value), days, p.Placed, p.Sends, strings.Join(why, ", "))
	}
	return nil
}

// newSend plans an ad into the four groups, worth so many fen in each.
func (s *story) newSend(name string, value int64, from, to time.Time) (string, error) {
	var made idOf
	body := map[string]any{
		"campaign_id": s.team, "name": name, "text_zh": "广告：三人成团，鲜牛奶 12 盒 49.90 元。退订请联系群主。", "text_en": "Ad: fresh milk, 12 boxes, 49.90 in a team of three.",
		"groups": []string{s.young, s.healthy, s.tired, s.imported}, "channel": "file", "value_fen": value,
		"windows": []map[string]string{{"from_at": from.Format(time.RFC3339), "to_at": to.Format(time.RFC3339)}},
	}
	err := s.show(s.marketer, "POST", "/v1/promotions", body, &made, func() string { return made.ID })
	return made.ID, err
}

func (s *story) showPlan(send string) error {
	var plan struct {
		Windows []struct {
			Groups []decisionView `json:"groups"`
		} `json:"windows"`
	}
	if err := s.do(s.marketer, "GET", "/v1/promotions/"+send+"/plan", nil, &plan); err != nil {
		return err
	}
	names := map[string]string{s.young: "young", s.healthy: "healthy", s.tired: "tired", s.imported: "imported"}
	for _, d := range plan.Windows[0].Groups {
		var why []string
		for _, r := range d.Reasons {
			why = append(why, r.Rule+" "+r.Text)
		}
		for _, r := range d.Advice {
			if r.Observed >= 0 { // what is unknown is no advice
				why = append(why, "advice "+r.Rule+" "+r.Text)
			}
		}
		when := ""
		if d.NotBefore != nil && !d.NotBefore.IsZero() {
			when = " not before " + d.NotBefore.In(shanghai).Format("Mon 01-02 15:04")
		}
		s.printf("      %-8s %-6s%s  %s\n", names[d.GroupID], d.Outcome, when, strings.Join(why, "; "))
	}
	return nil
}

// slotOf waits for the slot of a send in a group to be handed over.
func (s *story) slotOf(send, group string) (slot string, err error) {
	err = s.until("the window to open", func() (bool, error) {
		var list struct {
			Items []struct {
				ID        string     `json:"id"`
				GroupID   string     `json:"group_id"`
				StartedAt *time.Time `json:"started_at"`
			} `json:"items"`
		}
		if err := s.do(s.marketer, "GET", "/v1/slots?promotion_id="+send, nil, &list); err != nil {
			return false, err
		}
		for _, x := range list.Items {
			if x.GroupID == group && x.StartedAt != nil {
				slot = x.ID
				return true, nil
			}
		}
		return false, nil
	})
	if err == nil && slot == "" {
		err = fmt.Errorf("no slot of %s in %s", send, group)
	}
	return slot, err
}
