package invite_test

import (
	"encoding/json"
	"strings"
	"testing"

	"siyu/campaign"
	"siyu/campaign/invite"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/fault"
)

func TestRules(t *testing.T) {
	for name, x := range map[string]struct{ rules, code, field string }{
		"none":               {``, "", ""},
		"a board alone":      {`{"leaderboard":{"by":"bought"}}`, "", ""},
		"steps of two kinds": {`{"steps":[{"kind":"stayed","count":3,"gift":{"kind":"points","points":5}},{"kind":"bought","count":1,"gift":{"kind":"goods","name":"保温杯"}}]}`, "", ""},
		"cash":               {`{"steps":[{"kind":"stayed","count":3,"gift":{"kind":"cash"}}]}`, "cash", "rules.steps[0].gift.kind"},
		"an amount":          {`{"steps":[{"kind":"stayed","count":3,"gift":{"kind":"cash","amount_fen":100}}]}`, "format", "rules"},
		"check-ins":          {`{"steps":[{"kind":"checked_in","count":3,"gift":{"kind":"points","points":5}}]}`, "not_yet", "rules.steps"},
		"the same count":     {pointsTwice(3, 3), "not_rising", "rules.steps[1].count"},
		"a falling count":    {pointsTwice(3, 2), "not_rising", "rules.steps[1].count"},
		"no coupon":          {`{"steps":[{"kind":"stayed","count":3,"gift":{"kind":"coupon"}}]}`, "gift", "rules.steps[0].gift.coupon_id"},
		"points and a name":  {`{"steps":[{"kind":"stayed","count":3,"gift":{"kind":"points","points":5,"name":"杯"}}]}`, "gift", "rules.steps[0].gift.name"},
		"a small sample":     {`{"leaderboard":{"by":"stayed"},"breaker":{"sample":4,"keep_bp":5000}}`, "range", "rules.breaker.sample"},
		"nothing to count":   {`{"stay_days":3}`, "required", "rules.steps"},
		"another field":      {`{"levels":2}`, "format", "rules"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := invite.Kind().Rules(json.RawMessage(x.rules))
			f, is := fault.As(err)
			switch {
			case x.code == "" && err != nil:
				t.Errorf("got %v", err)
			case x.code != "" && (!is || f.Fields[0].Code != x.code || f.Fields[0].Name != x.field):
				t.Errorf("got %v, want %s at %s", err, x.code, x.field)
			case x.code == "cash" && !strings.Contains(f.Fields[0].EN, "pyramid"):
				t.Errorf("the reason is missing: %s", f.Fields[0].EN)
			}
		})
	}
	full, err := invite.Kind().Rules(json.RawMessage(pointsTwice(1, 2)))
	if err != nil || !strings.Contains(string(full), `"stay_days":7`) || !strings.Contains(string(full), `"valid_days":365`) {
		t.Errorf("defaults: got %s, %v", full, err)
	}
}

func pointsTwice(a, b int) string {
	x, _ := json.Marshal([]int{a, b})
	return `{"steps":[{"kind":"stayed","count":` + string(x[1]) + `,"gift":{"kind":"points","points":5}},{"kind":"stayed","count":` + string(x[3]) + `,"gift":{"kind":"points","points":5}}]}`
}

func TestJudge(t *testing.T) {
	const day, week = clock.Milli(86_400_000), clock.Milli(7 * 86_400_000)
	const bound, end = 100 * day, 110 * day
	in := func(from, left clock.Milli) community.Membership {
		return community.Membership{GroupID: 1, JoinedAt: from, LeftAt: left}
	}
	paid := func(at clock.Milli, refunded bool) campaign.Paid {
		return campaign.Paid{PaidAt: at, Refunded: refunded}
	}
	for name, x := range map[string]struct {
		stays  []community.Membership
		orders []campaign.Paid
		group  bool
		now    clock.Milli
		want   invite.Verdict
	}{
		"nothing":                   {now: end, want: invite.Verdict{Outcome: "open"}},
		"in, a moment too short":    {stays: []community.Membership{in(bound, 0)}, now: bound + week - 1, want: invite.Verdict{StaysAt: bound + week, Outcome: "open"}},
		"in for a week":             {stays: []community.Membership{in(bound, 0)}, now: bound + week, want: invite.Verdict{Stayed: true, StaysAt: bound + week, Outcome: "kept"}},
		"left just after":           {stays: []community.Membership{in(bound, bound+week)}, now: end, want: invite.Verdict{Stayed: true, StaysAt: bound + week, Outcome: "kept"}},
		"left just before":          {stays: []community.Membership{in(bound, bound+week-1)}, now: end, want: invite.Verdict{Outcome: "lost"}},
		"was in long before":        {stays: []community.Membership{in(bound-day, 0)}, now: end, want: invite.Verdict{Outcome: "open"}},
		"joined at the end":         {stays: []community.Membership{in(end, 0)}, now: end + week, want: invite.Verdict{Outcome: "open"}},
		"another group":             {stays: []community.Membership{in(bound, 0)}, group: true, now: end, want: invite.Verdict{Outcome: "open"}},
		"left one, stayed in other": {stays: []community.Membership{in(bound, bound+day), in(bound+day, 0)}, now: end, want: invite.Verdict{Stayed: true, StaysAt: bound + day + week, Outcome: "kept"}},
		"bought":                    {orders: []campaign.Paid{paid(bound, false)}, now: bound + day, want: invite.Verdict{Bought: true, BoughtAt: bound, Outcome: "open"}},
		"bought a week ago":         {orders: []campaign.Paid{paid(bound, false)}, now: bound + week, want: invite.Verdict{Bought: true, BoughtAt: bound, Outcome: "kept"}},
		"refunded":                  {orders: []campaign.Paid{paid(bound, true)}, now: bound + day, want: invite.Verdict{Outcome: "lost"}},
		"refunded and bought again": {orders: []campaign.Paid{paid(bound, true), paid(bound+day, false)}, now: bound + day, want: invite.Verdict{Bought: true, BoughtAt: bound + day, Outcome: "open"}},
		"had bought before":         {orders: []campaign.Paid{paid(bound-1, false), paid(bound+day, false)}, now: end, want: invite.Verdict{Outcome: "open"}},
		"bought after the end":      {orders: []campaign.Paid{paid(end, false)}, now: end + day, want: invite.Verdict{Outcome: "open"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := invite.Deeds{BoundAt: bound, Until: end + 90*day, Stays: x.stays, Orders: x.orders}
			if x.group {
				d.Group = 2
			}
			if got := invite.Judge(d, 7, end, x.now); got != x.want {
				t.Errorf("got %+v, want %+v", got, x.want)
			}
		})
	}
}

func TestBreaker_trips(t *testing.T) {
	b := invite.Breaker{Sample: 10, KeepRate: 5000}
	for _, x := range []struct {
		kept, judged int
		want         bool
	}{{0, 9, false}, {5, 10, false}, {4, 10, true}} {
		if got := b.Trips(x.kept, x.judged); got != x.want {
			t.Errorf("%d of %d: got %v", x.kept, x.judged, got)
		}
	}
}

func TestMasked(t *testing.T) {
	for name, want := range map[string]string{"王小明": "王*", "": "*", "A": "A*"} {
		if got := invite.Masked(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
