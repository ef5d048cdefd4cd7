package main

import (
	"fmt"
	"strings"
	"time"
)

// inviteSteps are the terms of the demo's referral campaign.
var inviteSteps = map[string]any{
	"steps": []map[string]any{
		{"kind": "bought", "count": 1, "gift": map[string]any{"kind": "points", "points": 100}},
		{"kind": "bought", "count": 3, "gift": map[string]any{"kind": "goods", "name": "保温杯"}},
	},
	"caps":        map[string]any{"per_inviter_day": 2, "points": 10000},
	"leaderboard": map[string]any{"by": "bought"},
	"breaker":     map[string]any{"sample": 20, "keep_bp": 6000},
}

// bringFriends binds three friends to one inviter of the referral campaign and
// one to another.
func (s *story) bringFriends() ([]string, error) {
	friends := s.members[220:224]
	for i, friend := range friends {
		inviter, err := s.tokenOf(s.members[200+i/3])
		if err != nil {
			return nil, err
		}
		var code codeView
		if err := s.do(inviter, "POST", "/v1/codes", map[string]any{"program_id": s.program, "campaign_id": s.referral}, &code); err != nil {
			return nil, err
		}
		token, err := s.tokenOf(friend)
		if err != nil {
			return nil, err
		}
		if err := s.do(token, "POST", "/v1/codes/"+code.Code+"/bind", map[string]any{}, nil); err != nil {
			return nil, err
		}
	}
	return append([]string{}, friends...), nil
}

// reachSteps lets the worker count who came by the referral campaign's codes
// and bought.
func (s *story) reachSteps() error {
	s.step("Four of them came by codes of the invitation campaign: steps are reached, inviters ranked 邀请阶梯与榜单")
	if err := s.jump(5*time.Minute, "invitees are counted every five minutes"); err != nil {
		return err
	}
	var p struct {
		Bought int `json:"bought"`
		Steps  []struct {
			Step   int `json:"step"`
			Count  int `json:"count"`
			Have   int `json:"have"`
			Reward *struct {
				ID    string `json:"id"`
				State string `json:"state"`
			} `json:"reward"`
			Gift struct {
				Kind   string `json:"kind"`
				Points int    `json:"points"`
				Name   string `json:"name"`
			} `json:"gift"`
		} `json:"steps"`
	}
	token, err := s.tokenOf(s.members[200])
	if err != nil {
		return err
	}
	err = s.until("the invitees to be counted", func() (bool, error) {
		err := s.do(token, "GET", "/v1/campaigns/"+s.referral+"/progress", nil, &p)
		if err != nil || p.Bought < 3 || p.Steps[0].Reward == nil || p.Steps[1].Reward == nil {
			return false, err
		}
		return p.Steps[0].Reward.State == "given" && p.Steps[1].Reward.State == "ready", nil
	})
	if err != nil {
		return err
	}
	s.printf("    → GET /v1/campaigns/%s/progress\n", s.referral)
	for _, x := range p.Steps {
		gift := x.Gift.Name
		if x.Gift.Points > 0 {
			gift = fmt.Sprintf("%d points", x.Gift.Points)
		}
		s.printf("    ← step %d, %d who bought (has %d): %s, %s\n", x.Step, x.Count, x.Have, gift, x.Reward.State)
	}
	cup := p.Steps[1].Reward.ID
	var given struct{ State string }
	if err := s.show(s.marketer, "POST", "/v1/step-rewards/"+cup+"/hand-over", map[string]any{"note": "SF1234567890"}, &given, func() string { return "the cup is " + given.State }); err != nil {
		return err
	}
	return s.showBoard(token)
}

func (s *story) showBoard(token string) error {
	var board struct {
		Places []struct {
			Rank  int    `json:"rank"`
			Name  string `json:"name"`
			Count int    `json:"count"`
			Me    bool   `json:"me"`
		} `json:"places"`
	}
	if err := s.do(token, "GET", "/v1/campaigns/"+s.referral+"/leaderboard", nil, &board); err != nil {
		return err
	}
	var places []string
	for _, p := range board.Places {
		places = append(places, fmt.Sprintf("%d. %s %d", p.Rank, p.Name, p.Count))
	}
	s.printf("    ← leaderboard: %s\n", strings.Join(places, "   "))
	return nil
}

// showCalendar prints the month and the next with its campaigns.
func (s *story) showCalendar() error {
	s.step("The calendar: campaigns beside the days that matter 活动日历")
	var page struct {
		Days []struct {
			From  int    `json:"from_day"`
			NameZ string `json:"name_zh"`
			NameE string `json:"name_en"`
			Avoid bool   `json:"avoid"`
		} `json:"days"`
		Campaigns []struct {
			Name     string `json:"name"`
			Status   string `json:"status"`
			From     int    `json:"from_day"`
			To       int    `json:"to_day"`
			Sessions []any  `json:"sessions"`
		} `json:"campaigns"`
	}
	path := "/v1/calendar?from=20260301&to=20260410"
	if err := s.do(s.marketer, "GET", path, nil, &page); err != nil {
		return err
	}
	s.printf("    → GET %s\n", path)
	for _, d := range page.Days {
		avoid := ""
		if d.Avoid {
			avoid = "  (no cheerful promotion)"
		}
		s.printf("      %s  %s %s%s\n", dayText(d.From), d.NameZ, d.NameE, avoid)
	}
	for _, c := range page.Campaigns {
		sessions := ""
		if len(c.Sessions) > 0 {
			sessions = fmt.Sprintf(", %d sessions", len(c.Sessions))
		}
		s.printf("      %s – %s  %s, %s%s\n", dayText(c.From), dayText(c.To), c.Name, c.Status, sessions)
	}
	return nil
}

// dayText writes yyyymmdd as 03-08.
func dayText(day int) string { return fmt.Sprintf("%02d-%02d", day/100%100, day%100) }
