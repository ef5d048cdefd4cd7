package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"siyu/internal/english"
)

// makeGroups brings three groups of a hundred that Siyu knows from now on and
// one that lived before.
func (s *story) makeGroups() error {
	now := s.clk.Now()
	for i, g := range []struct {
		name, preset string
		age          time.Duration
		into         *string
	}{
		{"徐汇新品尝鲜群", "interest", 24 * time.Hour, &s.young},
		{"徐汇邻里优选群", "retail", 90 * 24 * time.Hour, &s.healthy},
		{"徐汇老客福利群", "interest", 400 * 24 * time.Hour, &s.tired},
	} {
		var made idOf
		body := map[string]any{"name": g.name, "preset": g.preset, "unit_id": s.store, "owner_id": s.ownerID, "born_at": now.Add(-g.age).Format(time.RFC3339)}
		if err := s.show(s.marketer, "POST", "/v1/groups", body, &made, func() string { return made.ID }); err != nil {
			return err
		}
		*g.into = made.ID
		joined := now.Add(-min(g.age, 60*24*time.Hour)).Format(time.RFC3339)
		list := make([]map[string]any, 100)
		for n := range list {
			list[n] = map[string]any{"member_id": s.members[i*100+n], "role": "member", "joined_at": joined}
		}
		if err := s.do(s.marketer, "PUT", "/v1/groups/"+made.ID+"/memberships", map[string]any{"memberships": list}, nil); err != nil {
			return err
		}
	}
	if err := s.tire(); err != nil {
		return err
	}
	return s.importGroup()
}

// tire reports what happened in the healthy and in the tired group: three weeks
// of talk in both, and in the tired one an ad posted by hand four days ago and
// three members who left that evening.
func (s *story) tire() error {
	now := s.clk.Now()
	ad := now.Add(-4 * 24 * time.Hour)
	if err := s.do(s.owner, "POST", "/v1/groups/"+s.tired+"/ads", map[string]any{"at": ad.Format(time.RFC3339)}, nil); err != nil {
		return err
	}
	left := make([]map[string]any, 3)
	for n := range left {
		left[n] = map[string]any{"member_id": s.members[297+n], "left_at": ad.Add(3 * time.Hour).Format(time.RFC3339)}
	}
	if err := s.do(s.marketer, "PUT", "/v1/groups/"+s.tired+"/memberships", map[string]any{"memberships": left}, nil); err != nil {
		return err
	}
	told, err := s.talk(21)
	if err != nil {
		return err
	}
	if err := s.jump(5*time.Minute, "groups are counted and judged every five minutes"); err != nil {
		return err
	}
	var healthy, tired judgement
	err = s.until("the groups to be judged", func() (bool, error) {
		if err := s.do(s.marketer, "GET", "/v1/groups/"+s.healthy+"/health", nil, &healthy); err != nil {
			return false, err
		}
		err := s.do(s.marketer, "GET", "/v1/groups/"+s.tired+"/health", nil, &tired)
		return tired.Standing.Fatigue > 0 && tired.Standing.State != "unknown" && healthy.Standing.State != "unknown", err
	})
	s.printf("    ← 100 members each; their %d things done in three weeks are counted day by day: the healthy group is %s\n", told, healthy.Standing.State)
	s.printf("    ← in the tired group 3 left within a day of the last ad: fatigue %d %%, and no ad above 30 %%, though its talk is %s\n", tired.Standing.Fatigue/100, tired.Standing.State)
	return err
}

// judgement is what the demo reads of a group's health.
type judgement struct {
	Standing struct {
		State   string `json:"state"`
		Fatigue int    `json:"fatigue"`
	} `json:"standing"`
}

// talk reports what members of the healthy and the tired group did in the last
// days, as the mall or a chat archive does, and says how much it was.
func (s *story) talk(days int) (told int, err error) {
	now := s.clk.Now()
	for _, g := range []struct {
		id    string
		first int // of its members
	}{{s.healthy, 100}, {s.tired, 200}} {
		for ago := days; ago > 0; ago-- {
			at := now.AddDate(0, 0, -ago)
			day := make([]map[string]any, 24)
			for n := range day {
				kind := "topic_join"
				if n < 4 {
					kind = "ugc_post"
				}
				day[n] = map[string]any{"event_id": fmt.Sprintf("%s-%d", at.Format("0102"), n), "member_id": s.members[g.first+(ago*5+n)%97], "kind": kind, "at": at.Format(time.RFC3339)}
			}
			if err := s.do(s.mall, "POST", "/v1/groups/"+g.id+"/activity", map[string]any{"events": day}, nil); err != nil {
				return told, err
			}
			told += len(day)
		}
	}
	return told, nil
}

// importGroup brings a group and what it was sent before, from the files that
// other systems write.
func (s *story) importGroup() error {
	born := s.clk.Now().AddDate(-1, 0, 0).In(shanghai)
	groups := "群ID,群名,群类型,建群时间,群主,组织\n" +
		fmt.Sprintf("wr-0417,徐汇宝妈交流群,interest,%s,%s,%s\n", born.Format("2006-01-02 15:04"), s.ownerID, s.store)
	var sends strings.Builder
	sends.WriteString("群,时间,event,数量\n")
	for _, ago := range []int{1, 12, 20} {
		fmt.Fprintf(&sends, "wr-0417,%s,send,1\n", s.clk.Now().In(shanghai).AddDate(0, 0, -ago).Format("2006-01-02 15:04"))
	}
	for _, f := range []struct{ kind, text string }{{"groups", groups}, {"sends", sends.String()}} {
		if err := s.bringIn(f.kind, f.text); err != nil {
			return err
		}
	}
	var list struct {
		Items []struct {
			ID         string `json:"id"`
			ExternalID string `json:"external_id"`
		} `json:"items"`
	}
	if err := s.do(s.marketer, "GET", "/v1/groups", nil, &list); err != nil {
		return err
	}
	for _, g := range list.Items {
		if g.ExternalID == "wr-0417" {
			s.imported = g.ID
		}
	}
	var policy struct {
		Mode string `json:"mode"`
	}
	err := s.do(s.marketer, "GET", "/v1/groups/"+s.imported+"/ad-policy", nil, &policy)
	s.printf("    ← %s lived before Siyu knew it: mode %s, observed for 14 days from its first ad\n", s.imported, policy.Mode)
	return err
}

func (s *story) bringIn(kind, text string) error {
	s.printf("    $ siyu import %s %s.csv\n", kind, kind)
	var m importView
	if err := s.as(s.marketer).upload(s.ctx, http.MethodPost, "/v1/imports?kind="+kind, "text/csv", []byte(text), &m); err != nil {
		return err
	}
	err := s.until("the file to be worked", func() (bool, error) {
		err := s.do(s.marketer, "GET", "/v1/imports/"+m.ID, nil, &m)
		return m.Status == "done", err
	})
	if err == nil && m.Refused > 0 {
		err = fmt.Errorf("%s: line %d, %s: %s", kind, m.Bad[0].Line, m.Bad[0].Why.Field, m.Bad[0].Why.EN)
	}
	s.printf("    ← %s\n", english.One(fmt.Sprintf("%d lines, %d new, %d refused", m.Total, m.Made, m.Refused)))
	return err
}
