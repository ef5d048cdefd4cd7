package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
)

// TestInvite walks a step over HTTP: progress and place of the member, goods
// handed over once, cash refused with the law, a breaker that has not tripped.
func TestInvite(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		c := inviteOf(t, h)
		inviter, token := invited(t, h, c)
		marketer := h.keys[east][access.Marketer]
		var p struct {
			Bought int `json:"bought"`
			Steps  []struct {
				Have   int `json:"have"`
				Reward struct {
					ID    string `json:"id"`
					State string `json:"state"`
				} `json:"reward"`
			} `json:"steps"`
		}
		got := h.call(t, token, "GET /v1/campaigns/"+c+"/progress", "")
		if got.into(t, &p); got.status != 200 || p.Bought != 1 || p.Steps[0].Have != 1 || p.Steps[0].Reward.State != "ready" {
			t.Fatalf("progress: got %d %s", got.status, got.body)
		}
		var b struct {
			Own struct {
				Rank int    `json:"rank"`
				Name string `json:"name"`
			} `json:"own"`
		}
		got = h.call(t, token, "GET /v1/campaigns/"+c+"/leaderboard?limit=100", "")
		if got.into(t, &b); got.status != 200 || b.Own.Rank != 1 || b.Own.Name != "王*" {
			t.Errorf("leaderboard: got %d %s", got.status, got.body)
		}
		if got := h.call(t, token, "GET /v1/campaigns/"+c+"/leaderboard?limit=101", ""); got.status != 422 {
			t.Errorf("101 places: got %d", got.status)
		}
		key, hand := h.newKey(), "POST /v1/step-rewards/"+p.Steps[0].Reward.ID+"/hand-over"
		for _, want := range []string{"", "true"} {
			got := h.call(t, marketer, hand, `{"note":"SF1"}`, key)
			if got.status != 200 || got.header.Get("Idempotency-Replayed") != want || !strings.Contains(string(got.body), `"given"`) {
				t.Errorf("hand-over: got %d %s", got.status, got.body)
			}
		}
		if got := h.call(t, marketer, hand, `{}`, h.newKey()); got.problem().Code != "invite.reward_state" {
			t.Errorf("handed over twice: got %d %s", got.status, got.body)
		}
		if got := h.call(t, token, "GET /v1/members/"+inviter+"/step-rewards?state=given", ""); got.status != 200 || !strings.Contains(string(got.body), p.Steps[0].Reward.ID) {
			t.Errorf("own rewards: got %d %s", got.status, got.body)
		}
		if got := h.call(t, tokenOf(t, h, member1(t, h)), "GET /v1/members/"+inviter+"/step-rewards", ""); got.status != 404 {
			t.Errorf("another's rewards: got %d", got.status)
		}
		if got := h.call(t, marketer, "POST /v1/campaigns/"+c+"/breaker/resume", `{"reason":"已核实"}`, h.newKey()); got.problem().Code != "invite.not_tripped" {
			t.Errorf("resume: got %d %s", got.status, got.body)
		}
		cash := `{"kind":"referral","name":"现金","starts_at":"2026-03-02T10:00:00+08:00","ends_at":"2026-03-09T10:00:00+08:00","rules":{"steps":[{"kind":%q,"count":3,"gift":{"kind":%q,"points":0}}]}}`
		if got := h.call(t, marketer, "POST /v1/campaigns", fmt.Sprintf(cash, "stayed", "cash"), h.newKey()); got.status != 422 || !strings.Contains(string(got.body), "pyramid") {
			t.Errorf("cash: got %d %s", got.status, got.body)
		}
		if got := h.call(t, marketer, "POST /v1/campaigns", fmt.Sprintf(cash, "checked_in", "points"), h.newKey()); got.status != 422 || got.problem().Code != "not_yet" {
			t.Errorf("check-ins: got %d %s", got.status, got.body)
		}
		lost := strings.Replace(fmt.Sprintf(cash, "stayed", "coupon"), `"points":0`, `"coupon_id":"cpn_0000000000007"`, 1)
		draft := h.make(t, access.Marketer, "POST /v1/campaigns", lost)
		if got := h.call(t, marketer, "POST /v1/campaigns/"+draft+"/publish", "{}"); !strings.Contains(string(got.body), "coupon_id") {
			t.Errorf("a coupon that is not there: got %d %s", got.status, got.body)
		}
	})
}

// TestInviteResumes: a campaign whose invitees left stops giving, says so, and
// goes on once somebody looked.
func TestInviteResumes(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer := h.keys[east][access.Marketer]
		now := clock.MilliOf(h.DB.Clock.Now())
		prg := program(t, h)
		c := h.make(t, access.Marketer, "POST /v1/campaigns", fmt.Sprintf(
			`{"kind":"referral","name":"邀请有礼","program_id":%q,"starts_at":%q,"ends_at":%q,"rules":{"steps":[{"kind":"stayed","count":5,"gift":{"kind":"goods","name":"保温杯"}}],"breaker":{"sample":5,"keep_bp":5000}}}`,
			prg, now, now.Add(24*time.Hour)))
		h.want(t, 200, marketer, "POST /v1/campaigns/"+c+"/publish", "{}")
		inviter, g := member1(t, h), groupOf(t, h)
		code := h.makeAs(t, tokenOf(t, h, inviter), "POST /v1/codes", fmt.Sprintf(`{"program_id":%q,"campaign_id":%q}`, prg, c))
		var friends []string
		for range 5 {
			f := member1(t, h)
			friends = append(friends, f)
			h.want(t, 201, tokenOf(t, h, f), "POST /v1/codes/"+code+"/bind", `{}`)
			h.want(t, 200, marketer, "PUT /v1/groups/"+g+"/memberships", fmt.Sprintf(`{"memberships":[{"member_id":%q,"role":"member"}]}`, f))
		}
		h.DB.Clock.Jump(time.Minute)
		for _, f := range friends {
			h.want(t, 200, marketer, "PUT /v1/groups/"+g+"/memberships",
				fmt.Sprintf(`{"memberships":[{"member_id":%q,"role":"member","left_at":%q}]}`, f, clock.MilliOf(h.DB.Clock.Now())))
		}
		if err := h.Invite.Measure(bg, 0); err != nil {
			t.Fatal(err)
		}
		var run struct {
			Status string `json:"status"`
			Sample int    `json:"sample"`
			Kept   int    `json:"kept"`
		}
		at := "/v1/campaigns/" + c + "/breaker"
		if h.want(t, 200, marketer, "GET "+at, "").into(t, &run); run.Status != "tripped" || run.Sample != 5 || run.Kept != 0 {
			t.Fatalf("five who left: got %+v", run)
		}
		h.want(t, 422, marketer, "POST "+at+"/resume", `{}`)
		h.want(t, 200, marketer, "POST "+at+"/resume", `{"reason":"群主误操作"}`)
		if err := h.Invite.Measure(bg, 0); err != nil {
			t.Fatal(err)
		}
		if h.want(t, 200, marketer, "GET "+at, "").into(t, &run); run.Status != "open" || run.Sample != 0 {
			t.Errorf("resumed: got %+v", run)
		}
	})
}

// inviteOf is a running referral campaign with a step and a leaderboard.
func inviteOf(t *testing.T, h *house) string {
	t.Helper()
	now := clock.MilliOf(h.DB.Clock.Now())
	c := h.make(t, access.Marketer, "POST /v1/campaigns", fmt.Sprintf(
		`{"kind":"referral","name":"邀请有礼","program_id":%q,"starts_at":%q,"ends_at":%q,"rules":{"leaderboard":{"by":"bought"},"steps":[{"kind":"bought","count":1,"gift":{"kind":"goods","name":"保温杯"}}]}}`,
		program(t, h), now, now.Add(24*time.Hour)))
	if got := h.call(t, h.keys[east][access.Marketer], "POST /v1/campaigns/"+c+"/publish", "{}"); got.status != 200 {
		t.Fatalf("publish: got %d %s", got.status, got.body)
	}
	return c
}

// invited brings one friend who buys, and measures: the inviter's token.
func invited(t *testing.T, h *house, c string) (inviter, token string) {
	t.Helper()
	var run struct {
		Program string `json:"program_id"`
	}
	h.call(t, h.keys[east][access.Marketer], "GET /v1/campaigns/"+c, "").into(t, &run)
	inviter = member1(t, h)
	token = tokenOf(t, h, inviter)
	code := h.makeAs(t, token, "POST /v1/codes", fmt.Sprintf(`{"program_id":%q,"campaign_id":%q}`, run.Program, c))
	friend := tokenOf(t, h, member1(t, h))
	if got := h.call(t, friend, "POST /v1/codes/"+code+"/bind", `{}`, h.newKey()); got.status/100 != 2 {
		t.Fatalf("bind: got %d %s", got.status, got.body)
	}
	sale, item := campaignOf(t, h, "flash_sale", "")
	order := h.makeAs(t, friend, "POST /v1/campaigns/"+sale+"/claims", fmt.Sprintf(`{"item_id":%q,"qty":1}`, item))
	pay := h.call(t, h.keys[east][access.Mall], "POST /v1/orders/"+order+"/payments",
		fmt.Sprintf(`{"provider":"mall","payment_no":%q,"goods_fen":9900,"amount_fen":9900}`, order), h.newKey())
	if pay.status/100 != 2 {
		t.Fatalf("pay: got %d %s", pay.status, pay.body)
	}
	if err := h.Invite.Measure(bg, 0); err != nil {
		t.Fatal(err)
	}
	return inviter, token
}

func stepRewardOf(t *testing.T, h *house) string {
	t.Helper()
	c := inviteOf(t, h)
	invited(t, h, c)
	var list struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	got := h.call(t, h.keys[east][access.Marketer], "GET /v1/campaigns/"+c+"/step-rewards", "")
	if got.into(t, &list); len(list.Items) != 1 {
		t.Fatalf("no reward: got %d %s", got.status, got.body)
	}
	return list.Items[0].ID
}
