package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

const monthly = `{"trigger":"month_end","rewards":[{"rule":"koc","to":"koc","mode":"fixed","amount_fen":5000}]}`

func monthlyProgram(t *testing.T, h *house) string {
	return h.make(t, access.Marketer, "POST /v1/programs", `{"name":"KOC 月末奖励","budget_fen":100000,"rules":`+monthly+`}`)
}

// proposalOf is a proposal for a group of the group owner's, by the marketer.
func proposalOf(t *testing.T, h *house) string {
	t.Helper()
	var in referral.KOCProposalIn
	var m id.Member
	for to, text := range map[interface{ UnmarshalText([]byte) error }]string{
		&in.ProgramID: monthlyProgram(t, h), &in.GroupID: groupOf(t, h), &m: member1(t, h),
	} {
		if err := to.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	me, err := h.Access.Authenticate(bg, h.keys[east][access.Marketer])
	if err != nil {
		t.Fatal(err)
	}
	in.Day, in.People = 20260331, []referral.KOCLine{{MemberID: m, KOCFacts: referral.KOCFacts{Score: 80}}}
	made, err := h.Referral.ProposeKOC(database.WithActor(bg, me), in)
	if err != nil {
		t.Fatal(err)
	}
	return made.String()
}

// starOf makes a group in which one member did more than the two others every
// day for a month, and counts it.
func starOf(t *testing.T, h *house) (group, star string) {
	t.Helper()
	now := h.DB.Clock.Now()
	marketer := h.keys[east][access.Marketer]
	group = h.make(t, access.Marketer, "POST /v1/groups", fmt.Sprintf(`{"name":"跑步群","born_at":%q}`, now.AddDate(0, 0, -60).Format(time.RFC3339)))
	m := []string{member1(t, h), member1(t, h), member1(t, h)}
	var in []string
	for _, x := range m {
		in = append(in, fmt.Sprintf(`{"member_id":%q,"joined_at":%q}`, x, now.AddDate(0, 0, -50).Format(time.RFC3339)))
	}
	h.batch(t, marketer, "PUT /v1/groups/"+group+"/memberships", `{"memberships":[`+strings.Join(in, ",")+`]}`)
	var events, days []string
	for i := 1; i <= 30; i++ {
		at := now.AddDate(0, 0, -i)
		days = append(days, fmt.Sprint(clock.Day(at, shanghaiZone(t))))
		for k, event := range []string{`"kind":"checkin"`, `"kind":"ugc_post"`, fmt.Sprintf(`"kind":"helpful_answer","to_member_id":%q`, m[1+i%2])} {
			events = append(events, fmt.Sprintf(`{"event_id":"%d-%d","member_id":%q,%s,"at":%q}`, i, k, m[0], event, at.Format(time.RFC3339)))
		}
	}
	h.batch(t, marketer, "POST /v1/groups/"+group+"/activity", `{"events":[`+strings.Join(events, ",")+`],"complete_days":[`+strings.Join(days, ",")+`]}`)
	if err := h.Health.RollUp(bg); err != nil {
		t.Fatal(err)
	}
	return group, m[0]
}

func shanghaiZone(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// TestKOCProposals: whom the work list names is proposed by one and paid by the
// word of another, once for group and month; nobody can be typed in.
func TestKOCProposals(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer, finance := h.keys[east][access.Marketer], h.keys[east][access.Finance]
		group, star := starOf(t, h)
		prg := monthlyProgram(t, h)
		body := fmt.Sprintf(`{"program_id":%q,"group_id":%q}`, prg, group)
		if got := h.call(t, marketer, "POST /v1/koc-proposals", fmt.Sprintf(`{"program_id":%q,"group_id":%q}`, program(t, h), group), h.newKey()); got.problem().Code != "referral.not_monthly" {
			t.Errorf("by a program for orders: got %d %s", got.status, got.body)
		}
		var p referral.KOCProposal
		got := h.call(t, marketer, "POST /v1/koc-proposals", body, h.newKey())
		if got.into(t, &p); got.status != http.StatusCreated || len(p.Lines) != 1 || p.Lines[0].MemberID.String() != star || p.Lines[0].Score < 70 || p.Cost != 5000 {
			t.Fatalf("proposed: got %d %s", got.status, got.body)
		}
		if want := clock.Day(h.DB.Clock.Now().AddDate(0, 0, -1), shanghaiZone(t)); p.Day != want || p.Month != want/100 {
			t.Errorf("as of %d for %d, want %d", p.Day, p.Month, want)
		}
		if got := h.call(t, marketer, "POST /v1/koc-proposals", body, h.newKey()); got.problem().Code != "referral.no_candidates" {
			t.Errorf("once more: got %d %s", got.status, got.body)
		}
		at := "POST /v1/koc-proposals/" + p.ID.String()
		if got := h.call(t, marketer, at+"/approve", "", h.newKey()); got.status != http.StatusForbidden || got.problem().Code != "referral.same_person" {
			t.Errorf("by the same person: got %d %s", got.status, got.body)
		}
		if got := h.call(t, finance, at+"/refuse", `{"reason":"金额待定"}`); got.status != http.StatusOK {
			t.Errorf("refuse: got %d %s", got.status, got.body)
		}
		got = h.call(t, marketer, "POST /v1/koc-proposals", body, h.newKey())
		if got.into(t, &p); got.status != http.StatusCreated {
			t.Fatalf("again after the refusal: got %d %s", got.status, got.body)
		}
		key := h.newKey()
		for range 2 { // the second is a replay
			got = h.call(t, finance, "POST /v1/koc-proposals/"+p.ID.String()+"/approve", "", key)
			if got.into(t, &p); got.status != http.StatusOK || p.Status != referral.KOCApproved || len(p.Lines[0].RewardIDs) != 1 {
				t.Fatalf("approve: got %d %s", got.status, got.body)
			}
		}
		var r referral.Reward
		h.call(t, finance, "GET /v1/rewards/"+p.Lines[0].RewardIDs[0].String(), "").into(t, &r)
		if r.Side != referral.SideKOC || r.Amount != 5000 || r.BeneficiaryID.String() != star || r.Review != referral.ReviewDue {
			t.Errorf("reward: got %+v", r)
		}
		if got := h.call(t, marketer, "POST /v1/codes/batch", fmt.Sprintf(`{"codes":[{"program_id":%q,"inviter_id":%q}]}`, prg, star)); got.status/100 == 2 {
			t.Errorf("a code of a program without invitations: got %d %s", got.status, got.body)
		}
		var list struct{ Items []referral.KOCProposal }
		h.call(t, finance, "GET /v1/koc-proposals?status=approved&group_id="+group, "").into(t, &list)
		if len(list.Items) != 1 || list.Items[0].ID != p.ID {
			t.Errorf("list: got %+v", list.Items)
		}
	})
}
