package main

import "fmt"

// people are who acts in the demo, by their keys and ids.
type people struct {
	admin, marketer, checker, mall, owner string // API keys
	preparer, reviewer, cashier           string
	ownerID                               string
	members                               []string
}

// things are what they work on.
type things struct {
	brand, region, store  string
	young, healthy, tired string
	imported              string
	program               string
	flash, team, referral string
	flashItem, teamItem   string
	code                  codeView
	orders                []string
	settlement            settlementView
	firstSend, secondSend string
	formed                string // a team
}

type codeView struct {
	ID   string `json:"id"`
	Code string `json:"code"`
	URL  string `json:"url"`
}

// idOf reads the one thing most answers are wanted for.
type idOf struct {
	ID string `json:"id"`
}

// found opens the brand: units, staff, keys.
func (s *story) found() error {
	s.step("The brand opens: units, staff and their keys 组织与员工")
	key, err := s.firstKey()
	if err != nil {
		return err
	}
	s.admin = key
	s.printf("    $ siyu access add --name 陈静 --role admin --unit 青禾优选\n    %s…\n", key[:16])
	var units struct{ Items []idOf }
	if err := s.do(s.admin, "GET", "/v1/units", nil, &units); err != nil {
		return err
	}
	s.brand = units.Items[0].ID
	for _, u := range []struct {
		name   string
		parent *string
		into   *string
	}{{"华东大区", &s.brand, &s.region}, {"上海徐汇店", &s.region, &s.store}} {
		var made idOf
		body := map[string]any{"parent_id": *u.parent, "name": u.name}
		if err := s.show(s.admin, "POST", "/v1/units", body, &made, func() string { return made.ID }); err != nil {
			return err
		}
		*u.into = made.ID
	}
	return s.hire()
}

// hire adds the staff, three of them for the money.
func (s *story) hire() error {
	for _, p := range []struct {
		name, role string
		key        *string
	}{
		{"林晓", "marketer", &s.marketer}, {"赵敏", "marketer", &s.checker}, {"商城接口", "mall", &s.mall},
		{"孙丽", "group_owner", &s.owner}, {"周洁", "finance", &s.preparer}, {"吴刚", "finance", &s.reviewer}, {"郑爽", "cashier", &s.cashier},
	} {
		var staff idOf
		if err := s.do(s.admin, "POST", "/v1/staff", map[string]any{"unit_id": s.brand, "name": p.name, "role": p.role}, &staff); err != nil {
			return err
		}
		var made struct{ Key string }
		if err := s.do(s.admin, "POST", "/v1/api-keys", map[string]any{"staff_id": staff.ID, "name": "demo"}, &made); err != nil {
			return err
		}
		*p.key = made.Key
		if p.role == "group_owner" {
			s.ownerID = staff.ID
		}
	}
	s.printf("    ← 7 colleagues, each with a key of the least role: 2 marketers, mall, group owner, 2 finance, cashier\n")
	return nil
}

const (
	surnames = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"
	given    = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉梅红建文辉力云飞雪晨曦思雨欣怡子涵梓轩浩然诗琪佳宁"
)

// memberName is the n-th of the demo's real-looking names.
func memberName(n int) string {
	s, g := []rune(surnames), []rune(given)
	name := string(s[n*7%len(s)]) + string(g[n*13%len(g)])
	if n%3 != 0 {
		name += string(g[(n*29+5)%len(g)])
	}
	return name
}

// invitePeople brings 300 members and the four groups.
func (s *story) invitePeople() error {
	s.step("300 members and four chat groups: a young, a healthy, a tired and an imported one 会员与社群")
	rows := make([]map[string]any, 300)
	for i := range rows {
		rows[i] = map[string]any{
			"name": memberName(i), "unit_id": s.store,
			"identities": []map[string]string{{"kind": "mall", "value": fmt.Sprintf("m%05d", 10001+i)}},
		}
	}
	var made struct {
		Results []struct {
			ID string `json:"member_id"`
		} `json:"results"`
	}
	err := s.show(s.mall, "PUT", "/v1/members", map[string]any{"members": rows}, &made, func() string {
		return fmt.Sprintf("%d members, the first %s", len(made.Results), made.Results[0].ID)
	})
	if err != nil {
		return err
	}
	for _, r := range made.Results {
		s.members = append(s.members, r.ID)
	}
	return s.makeGroups()
}
