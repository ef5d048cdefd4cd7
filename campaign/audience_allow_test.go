package campaign

import (
	"errors"
	"testing"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/id"
)

func TestAllows(t *testing.T) {
	now := clock.Milli(1_000_000_000_000)
	ago := func(d int) clock.Milli { return now.Add(-days(d)) }
	f := Facts{
		Groups: []id.Group{1, 2}, Standings: []community.Standing{{Group: 1, Role: community.RoleMember}, {Group: 2, Role: community.RoleKOC}},
		Units: []id.Unit{5}, Tags: []id.Tag{7, 8}, FirstSeen: ago(10),
		Bought: []Purchase{{"苹果", 3, ago(20)}},
	}
	paid, invited, blocked := f, f, f
	paid.Paid, invited.Invited, blocked.Blocked = true, true, true
	for name, c := range map[string]struct {
		a    Audience
		f    Facts
		want error
	}{
		"empty is everybody":              {Audience{}, Facts{}, nil},
		"any of the groups":               {Audience{Groups: []id.Group{9, 2}}, f, nil},
		"none of the groups":              {Audience{Groups: []id.Group{9}}, f, ErrAudience},
		"role in any group":               {Audience{Roles: []community.Role{community.RoleKOC}}, f, nil},
		"role in another group":           {Audience{Groups: []id.Group{1}, Roles: []community.Role{community.RoleKOC}}, f, ErrRole},
		"role in this group":              {Audience{Groups: []id.Group{1, 2}, Roles: []community.Role{community.RoleKOC, community.RoleKOL}}, f, nil},
		"any of the tags":                 {Audience{TagsAny: []id.Tag{9, 8}}, f, nil},
		"none of the tags":                {Audience{TagsAny: []id.Tag{9}}, f, ErrTags},
		"all of the tags":                 {Audience{TagsAll: []id.Tag{7, 8}}, f, nil},
		"not all of the tags":             {Audience{TagsAll: []id.Tag{7, 9}}, f, ErrTags},
		"any and all are both asked":      {Audience{TagsAny: []id.Tag{7}, TagsAll: []id.Tag{9}}, f, ErrTags},
		"in the unit":                     {Audience{Units: []id.Unit{4, 5}}, f, nil},
		"in another unit":                 {Audience{Units: []id.Unit{4}}, f, ErrUnits},
		"first seen that day":             {Audience{NewSince: ago(10)}, f, nil},
		"first seen before":               {Audience{NewSince: ago(10) + 1}, f, ErrNewOnly},
		"paid before":                     {Audience{NewSince: ago(10)}, paid, ErrNewOnly},
		"invited":                         {Audience{Invited: true}, invited, nil},
		"not invited":                     {Audience{Invited: true}, f, ErrInvited},
		"bought the product":              {Audience{Bought: &Bought{SKUs: []string{"苹果"}, Days: 20}}, f, nil},
		"bought it too long ago":          {Audience{Bought: &Bought{SKUs: []string{"苹果"}, Days: 19}}, f, ErrBuyers},
		"bought in the campaign":          {Audience{Bought: &Bought{SKUs: []string{"梨"}, Campaigns: []id.Campaign{3}, Days: 30}}, f, nil},
		"bought something else":           {Audience{Bought: &Bought{SKUs: []string{"梨"}, Days: 30}}, f, ErrBuyers},
		"an exclusion wins":               {Audience{TagsAny: []id.Tag{7}, ExcludeTags: []id.Tag{8}}, f, ErrExcluded},
		"an exclusion of others":          {Audience{ExcludeTags: []id.Tag{9}}, f, nil},
		"on the blocklist":                {Audience{Groups: []id.Group{1}, Blocklist: true}, blocked, ErrBlocked},
		"the blocklist is not asked for":  {Audience{Groups: []id.Group{1}}, blocked, nil},
		"every kind must be met":          {Audience{Groups: []id.Group{1}, TagsAny: []id.Tag{7}, Units: []id.Unit{4}}, f, ErrUnits},
		"every kind is met":               {Audience{Groups: []id.Group{1}, TagsAny: []id.Tag{7}, Units: []id.Unit{5}}, f, nil},
		"early entries are no membership": {Audience{TagsAny: []id.Tag{9}, Early: []Early{{Tags: []id.Tag{7}, From: 1}}}, f, ErrTags},
	} {
		ok, why := Allows(c.a, c.f, now)
		if ok != (c.want == nil) || !ok && !errors.Is(why, c.want) {
			t.Errorf("%s: got %v, %v, want %v", name, ok, why, c.want)
		}
		if !ok && (why.Text("zh") == "" || why.Text("en") == "") {
			t.Errorf("%s: %s has no text", name, why.Code)
		}
	}
}

func TestEarly(t *testing.T) {
	a := Audience{Early: []Early{{Tags: []id.Tag{1}, From: 100}, {Tags: []id.Tag{2}, Groups: []id.Group{3}, From: 200}}}
	for name, c := range map[string]struct {
		f    Facts
		now  clock.Milli
		want bool
	}{
		"first tier":            {Facts{Tags: []id.Tag{1}}, 100, true},
		"first tier too soon":   {Facts{Tags: []id.Tag{1}}, 99, false},
		"second tier too soon":  {Facts{Tags: []id.Tag{2}}, 199, false},
		"second tier":           {Facts{Tags: []id.Tag{2}}, 200, true},
		"second tier by group":  {Facts{Groups: []id.Group{3}}, 200, true},
		"the better tier wins":  {Facts{Tags: []id.Tag{1, 2}}, 100, true},
		"neither tag nor group": {Facts{Tags: []id.Tag{9}, Groups: []id.Group{1}}, 300, false},
	} {
		if got := a.lets(c.f, c.now); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	c := Campaign{Status: StatusScheduled, StartsAt: 300, EndsAt: 400, Audience: a}
	for now, want := range map[clock.Milli]Status{99: StatusScheduled, 100: StatusRunning, 300: StatusRunning, 400: StatusEnded} {
		if got := c.stage(now); got != want {
			t.Errorf("at %d: got %s, want %s", int64(now), got, want)
		}
	}
}

func TestWidens(t *testing.T) {
	g := func(n ...id.Group) Audience { return Audience{Groups: n} }
	for name, c := range map[string]struct {
		from, to Audience
		want     bool
	}{
		"the same":              {g(1), g(1), true},
		"one more group":        {g(1), g(1, 2), true},
		"one less group":        {g(1, 2), g(1), false},
		"everybody":             {g(1), Audience{}, true},
		"groups where none":     {Audience{}, g(1), false},
		"one more of all tags":  {Audience{TagsAll: []id.Tag{1}}, Audience{TagsAll: []id.Tag{1, 2}}, false},
		"one less of all tags":  {Audience{TagsAll: []id.Tag{1, 2}}, Audience{TagsAll: []id.Tag{1}}, true},
		"one more exclusion":    {Audience{ExcludeTags: []id.Tag{1}}, Audience{ExcludeTags: []id.Tag{1, 2}}, false},
		"no exclusion":          {Audience{ExcludeTags: []id.Tag{1}}, Audience{}, true},
		"a kind more":           {g(1), Audience{Groups: []id.Group{1}, Blocklist: true}, false},
		"new since earlier":     {Audience{NewSince: 9}, Audience{NewSince: 8}, true},
		"new since later":       {Audience{NewSince: 8}, Audience{NewSince: 9}, false},
		"longer ago":            {Audience{Bought: &Bought{SKUs: []string{"a"}, Days: 3}}, Audience{Bought: &Bought{SKUs: []string{"a"}, Days: 4}}, true},
		"less long ago":         {Audience{Bought: &Bought{SKUs: []string{"a"}, Days: 3}}, Audience{Bought: &Bought{SKUs: []string{"a", "b"}, Days: 2}}, false},
		"early no later":        {Audience{Early: []Early{{Tags: []id.Tag{1}, From: 9}}}, Audience{Early: []Early{{Tags: []id.Tag{1, 2}, From: 8}}}, true},
		"early later":           {Audience{Early: []Early{{Tags: []id.Tag{1}, From: 9}}}, Audience{Early: []Early{{Tags: []id.Tag{1}, From: 10}}}, false},
		"early taken away":      {Audience{Early: []Early{{Tags: []id.Tag{1}, From: 9}}}, Audience{}, false},
		"nobody must be bidden": {Audience{Invited: true}, Audience{}, true},
	} {
		if got := widens(c.from, c.to); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// TestAskOfGroups holds that campaigns without an audience, with groups alone
// or with bindings, which orders carry anyway, send no statement more.
func TestAskOfGroups(t *testing.T) {
	var k ask
	for _, a := range []Audience{{}, {Groups: []id.Group{1, 2}}, {Groups: []id.Group{1}, Invited: true}} {
		k.add(a)
	}
	if n := len(k.reads([]id.Member{1}, 1, map[id.Member]*Facts{})); !k.empty() || n != 0 {
		t.Errorf("got %+v with %d reads, want none", k, n)
	}
	k.add(Audience{TagsAny: []id.Tag{1}, Blocklist: true})
	if n := len(k.reads([]id.Member{1}, 1, map[id.Member]*Facts{})); n != 2 {
		t.Errorf("tags and the blocklist: got %d reads, want those two", n)
	}
	if (ask{}).covers(k) || !k.covers(ask{}) || !k.covers(k) {
		t.Error("what was read must cover what is asked")
	}
}
