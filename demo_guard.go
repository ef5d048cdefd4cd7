package main

import (
	"fmt"
	"strings"
	"time"
)

// decisionView is the guard's answer for one group.
type decisionView struct {
	GroupID   string     `json:"group_id"`
	Outcome   string     `json:"outcome"`
	NotBefore *time.Time `json:"not_before"`
	Reasons   []struct {
		Rule string `json:"rule"`
		Text string `json:"text_en"`
	} `json:"reasons"`
}

// promote plans an ad into all three groups.
func (s *story) promote() error {
	s.step("The guard decides an ad for three groups: allow, defer or deny, with reasons 群护栏")
	now := s.clk.Now()
	send, err := s.newSend("牛奶拼团提醒", now, now.Add(6*time.Hour))
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
	send, err := s.newSend("龙井邀请有礼", now.Add(time.Hour), now.Add(25*time.Hour))
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

// showForecast prints the next 14 days of a group: o where an ad may be shown.
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
	s.printf("      %-8s the next 14 days %s, room for %d\n", name, days, f.Room)
	return nil
}

func (s *story) newSend(name string, from, to time.Time) (string, error) {
	var made idOf
	body := map[string]any{
		"campaign_id": s.team, "name": name, "text_zh": "广告：三人成团，鲜牛奶 12 盒 49.90 元。退订请联系群主。", "text_en": "Ad: fresh milk, 12 boxes, 49.90 in a team of three.",
		"groups": []string{s.young, s.healthy, s.tired}, "channel": "file",
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
	names := map[string]string{s.young: "young", s.healthy: "healthy", s.tired: "tired"}
	for _, d := range plan.Windows[0].Groups {
		why := make([]string, 0, len(d.Reasons))
		for _, r := range d.Reasons {
			why = append(why, r.Rule+" "+r.Text)
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
