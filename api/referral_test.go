package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

func TestPrograms(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer := h.keys[east][access.Marketer]
		rules := func(change string) string {
			return `{"name":"老带新","budget_fen":100,"rules":` + strings.Replace(someRules, `"every_paid_order"`, change, 1) + `}`
		}
		for _, c := range []struct{ body, code string }{
			{rules(`"share"`), "referral.share_reward"},
			{rules(`"signed_in"`), "not_yet"},
			{rules(`"every_paid_order","depth":2`), "referral.depth"},
			{rules(`"first_paid_order"`)[:1] + `"scope":"mine",` + rules(`"first_paid_order"`)[1:], "referral.scope"},
			{`{"name":"","rules":{}}`, "invalid"},
			{`{"name":"x","levels":3}`, "invalid"},
		} {
			if a := h.call(t, marketer, "POST /v1/programs", c.body, h.newKey()); a.status != 422 || a.problem().Code != c.code {
				t.Errorf("%s: got %d %s, want 422 %s", c.body, a.status, a.body, c.code)
			}
		}
		made := program(t, h)
		key := h.newKey()
		for _, replayed := range []string{"", "true"} {
			a := h.call(t, h.keys[east][access.Finance], "POST /v1/programs/"+made+"/budget", `{"amount_fen":500}`, key)
			var p struct {
				Budget int `json:"budget_fen"`
				Left   int `json:"budget_left_fen"`
			}
			if a.into(t, &p); a.status != 200 || p.Budget != 100_500 || p.Left != 100_500 || a.header.Get("Idempotency-Replayed") != replayed {
				t.Errorf("top-up: got %d %s", a.status, a.body)
			}
		}
		better := strings.Replace(someRules, "500", "900", 1)
		a := h.call(t, marketer, "POST /v1/programs/"+made+"/versions", `{"rules":`+better+`}`, h.newKey())
		var p struct {
			Number int `json:"rules_version"`
		}
		if a.into(t, &p); a.status != 201 || p.Number != 2 {
			t.Errorf("version: got %d %s", a.status, a.body)
		}
		var versions struct{ Items []struct{ Number int } }
		if a := h.call(t, marketer, "GET /v1/programs/"+made+"/versions", ""); a.status != 200 {
			t.Errorf("versions: got %d %s", a.status, a.body)
		} else if a.into(t, &versions); len(versions.Items) != 2 || versions.Items[0].Number != 2 {
			t.Errorf("versions: got %s", a.body)
		}
		for _, c := range []struct {
			move   string
			status int
			after  string
		}{
			{"resume", 409, ""}, {"pause", 200, "paused"}, {"resume", 200, "active"}, {"end", 200, "ended"}, {"pause", 409, ""},
		} {
			var p struct{ Status string }
			a := h.call(t, marketer, "POST /v1/programs/"+made+"/"+c.move, "")
			if a.status != c.status {
				t.Fatalf("%s: got %d %s, want %d", c.move, a.status, a.body, c.status)
			}
			if c.status == 200 {
				if a.into(t, &p); p.Status != c.after {
					t.Errorf("%s: got %q, want %q", c.move, p.Status, c.after)
				}
			}
		}
	})
}

func TestCodeRoutes(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		code := codeOf(t, h)
		marketer := h.keys[east][access.Marketer]
		picture := h.call(t, marketer, "GET /v1/codes/"+code+"/qr.png?module=4", "")
		if picture.status != 200 || picture.header.Get("Content-Type") != "image/png" || picture.header.Get("ETag") == "" {
			t.Fatalf("picture: got %d %v", picture.status, picture.header)
		}
		again := h.call(t, marketer, "GET /v1/codes/"+code+"/qr.png?module=4", "", "If-None-Match: "+picture.header.Get("ETag"))
		if again.status != http.StatusNotModified || len(again.body) != 0 {
			t.Errorf("picture again: got %d, %d bytes", again.status, len(again.body))
		}
		vector := h.call(t, marketer, "GET /v1/codes/"+code+"/qr.svg", "")
		if vector.status != 200 || vector.header.Get("Content-Type") != "image/svg+xml" || !strings.HasPrefix(string(vector.body), "<svg ") {
			t.Errorf("vector: got %d %v", vector.status, vector.header)
		}
		if other := h.call(t, h.keys[west][access.Marketer], "GET /v1/codes/"+code+"/qr.svg", ""); other.status != 404 {
			t.Errorf("vector from elsewhere: got %d", other.status)
		}
		for _, wrong := range []string{"0", "1.5", "999"} {
			if a := h.call(t, marketer, "GET /v1/codes/"+code+"/qr.png?module="+wrong, ""); a.status != 422 {
				t.Errorf("module %s: got %d", wrong, a.status)
			}
		}
		t.Run("the mall binds, and reads who invited whom", func(t *testing.T) {
			m := member1(t, h)
			body := fmt.Sprintf(`{"invitee_id":%q}`, m)
			if a := h.call(t, h.keys[east][access.Mall], "POST /v1/codes/"+code+"/bind", body, h.newKey()); a.status != 201 {
				t.Fatalf("bind: got %d %s", a.status, a.body)
			}
			var tree struct {
				InvitedBy []struct{ State string } `json:"invited_by"`
			}
			a := h.call(t, marketer, "GET /v1/referrals/tree?member_id="+m, "")
			if a.into(t, &tree); len(tree.InvitedBy) != 1 || tree.InvitedBy[0].State != "live" {
				t.Errorf("tree: got %d %s", a.status, a.body)
			}
			if a := h.call(t, h.keys[west][access.Marketer], "GET /v1/referrals/tree?member_id="+m, ""); a.status != 404 {
				t.Errorf("tree from elsewhere: got %d", a.status)
			}
			if a := h.call(t, tokenOf(t, h, member1(t, h)), "GET /v1/referrals/tree?member_id="+m, ""); a.status != 404 {
				t.Errorf("somebody else's tree: got %d", a.status)
			}
		})
		t.Run("a place must exist", func(t *testing.T) {
			body := fmt.Sprintf(`{"program_id":%q,"inviter_id":%q,"campaign_id":"cmp_0000000000007"}`, program(t, h), member1(t, h))
			if a := h.call(t, marketer, "POST /v1/codes", body, h.newKey()); a.status != 422 || len(a.problem().Fields) != 1 {
				t.Errorf("got %d %s", a.status, a.body)
			}
		})
		t.Run("many at once", func(t *testing.T) {
			prg, a, b := program(t, h), member1(t, h), member1(t, h)
			body := fmt.Sprintf(`{"codes":[{"program_id":%q,"inviter_id":%q},{"program_id":%q,"inviter_id":%q}]}`, prg, a, prg, b)
			first, second := h.call(t, marketer, "POST /v1/codes/batch", body), h.call(t, marketer, "POST /v1/codes/batch", body)
			if first.status != 201 || string(first.body) != string(second.body) {
				t.Errorf("got %d %s, again %s", first.status, first.body, second.body)
			}
		})
		t.Run("a job makes codes, shows how far it is, and hands them out as a file", func(t *testing.T) {
			body := fmt.Sprintf(`{"program_id":%q,"members":[%q,%q],"channel":"card","cost_fen":80}`, program(t, h), member1(t, h), member1(t, h))
			key := h.newKey()
			a := h.call(t, marketer, "POST /v1/codes/batches", body, key)
			again := h.call(t, marketer, "POST /v1/codes/batches", body, key)
			if a.status != 202 || string(again.body) != string(a.body) || again.header.Get("Idempotency-Replayed") != "true" {
				t.Fatalf("got %d %s, again %d %s", a.status, a.body, again.status, again.body)
			}
			at := a.header.Get("Location")
			if early := h.call(t, marketer, "GET "+at+"/codes.csv", ""); early.status != 409 || early.problem().Params["done"] != 0.0 {
				t.Errorf("early: got %d %s", early.status, early.body)
			}
			drainReferral(t, h)
			var b struct {
				Status     string
				Done, Made int
			}
			if h.call(t, marketer, "GET "+at, "").into(t, &b); b.Status != "done" || b.Done != 2 || b.Made != 2 {
				t.Errorf("job: got %+v", b)
			}
			file := h.call(t, marketer, "GET "+at+"/codes.csv", "")
			lines := strings.Split(strings.TrimSpace(string(file.body)), "\n")
			if file.status != 200 || len(lines) != 3 || !strings.HasSuffix(lines[2], ",card,80,") {
				t.Errorf("file: got %d %s", file.status, file.body)
			}
			if a := h.call(t, marketer, "POST /v1/codes/batches", `{"program_id":"prg_0000000000007","members":["mem_0000000000007"]}`, h.newKey()); a.status != 422 {
				t.Errorf("no program: got %d %s", a.status, a.body)
			}
		})
		t.Run("a rotated code leads on, and is rotated once", func(t *testing.T) {
			old, key := codeOf(t, h), h.newKey()
			a := h.call(t, marketer, "POST /v1/codes/"+old+"/rotate", `{"cost_fen":30}`, key)
			again := h.call(t, marketer, "POST /v1/codes/"+old+"/rotate", `{"cost_fen":30}`, key)
			var next struct {
				ID, Code string
				Cost     int `json:"cost_fen"`
			}
			if a.into(t, &next); a.status != 201 || next.Code == old || next.Cost != 30 || string(again.body) != string(a.body) {
				t.Fatalf("got %d %s, again %d %s", a.status, a.body, again.status, again.body)
			}
			if a := h.call(t, marketer, "GET /v1/codes/"+old, ""); !strings.Contains(string(a.body), `"status":"rotated"`) || !strings.Contains(string(a.body), `"successor_id":"`+next.ID+`"`) {
				t.Errorf("the old one: got %d %s", a.status, a.body)
			}
			if a := h.call(t, marketer, "POST /v1/codes/"+old+"/rotate", `{}`, h.newKey()); a.status != 409 || a.problem().Params["state"] != "rotated" {
				t.Errorf("another: got %d %s", a.status, a.body)
			}
		})
		t.Run("a code's funnel counts its scans, bindings and orders", func(t *testing.T) {
			prg := program(t, h)
			c, item := campaignOf(t, h, "flash_sale", prg)
			inviter, invitee, other := member1(t, h), member1(t, h), member1(t, h)
			code := h.makeAs(t, tokenOf(t, h, inviter), "POST /v1/codes", fmt.Sprintf(`{"program_id":%q,"campaign_id":%q}`, prg, c))
			found, err := h.Referral.FindCode(bg, code)
			if err != nil {
				t.Fatal(err)
			}
			for _, visitor := range []id.Member{7, 7, 8} {
				h.Referral.Touch(found.ID, visitor)
			}
			if err := h.Referral.Flush(bg); err != nil {
				t.Fatal(err)
			}
			for _, m := range []string{invitee, other} {
				token := tokenOf(t, h, m)
				if got := h.call(t, token, "POST /v1/codes/"+code+"/bind", `{}`, h.newKey()); got.status != 201 {
					t.Fatalf("bind: got %d %s", got.status, got.body)
				}
				order := h.makeAs(t, token, "POST /v1/campaigns/"+c+"/claims", fmt.Sprintf(`{"item_id":%q,"qty":1}`, item))
				if m == other {
					continue
				}
				pay := h.call(t, h.keys[east][access.Mall], "POST /v1/orders/"+order+"/payments",
					fmt.Sprintf(`{"provider":"mall","payment_no":%q,"goods_fen":9900,"amount_fen":9900}`, order), h.newKey())
				if pay.status/100 != 2 {
					t.Fatalf("pay: got %d %s", pay.status, pay.body)
				}
			}
			want := fmt.Sprintf(`{"code_id":%q,"touches":3,"bindings":2,"orders":2,"paid":1,"refunded":0,"conversion_bps":3333,"cost_fen":0,"gross_fen":9900,"refunded_fen":0,"visitors":2}`, found.ID)
			for _, who := range []string{marketer, tokenOf(t, h, inviter)} {
				if a := h.call(t, who, "GET /v1/codes/"+code+"/funnel", ""); strings.TrimSpace(string(a.body)) != want {
					t.Errorf("got %d %s, want %s", a.status, a.body, want)
				}
			}
			if a := h.call(t, tokenOf(t, h, invitee), "GET /v1/codes/"+code+"/funnel", ""); a.status != 404 {
				t.Errorf("somebody else's: got %d", a.status)
			}
		})
		t.Run("revoke names the state the second time", func(t *testing.T) {
			if a := h.call(t, marketer, "POST /v1/codes/"+code+"/revoke", "{}"); a.status != 200 {
				t.Fatalf("got %d %s", a.status, a.body)
			}
			if a := h.call(t, marketer, "POST /v1/codes/"+code+"/revoke", "{}"); a.status != 409 || a.problem().Params["state"] != "revoked" {
				t.Errorf("got %d %s", a.status, a.body)
			}
		})
	})
}

// TestRewardToWallet walks from a paid order to what the member sees.
func TestRewardToWallet(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		finance := h.keys[east][access.Finance]
		reward := rewardOf(t, h)
		var r struct {
			Beneficiary string `json:"beneficiary_id"`
			State       string `json:"state"`
		}
		h.call(t, finance, "GET /v1/rewards/"+reward, "").into(t, &r)
		if r.State != "pending" {
			t.Fatalf("state: got %q", r.State)
		}
		h.DB.Clock.Jump(15 * 24 * 3600e9)
		tasks := task.NewRegistry()
		h.Referral.Register(tasks)
		if err := task.Drain(database.WithActor(bg, database.Actor{}), h.DB, tasks); err != nil {
			t.Fatal(err)
		}
		own := tokenOf(t, h, r.Beneficiary)
		for _, who := range []string{own, finance} {
			var seen struct {
				Items []struct {
					State, Reason string
					Amount        int64
				}
				Sums struct {
					Available int64 `json:"available_fen"`
				}
			}
			a := h.call(t, who, "GET /v1/members/"+r.Beneficiary+"/rewards", "")
			if a.into(t, &seen); a.status != 200 || len(seen.Items) != 1 || seen.Items[0].State != "available" || seen.Items[0].Reason != "unsettled" || seen.Items[0].Amount != 500 || seen.Sums.Available != 500 {
				t.Errorf("as he sees it: got %d %s", a.status, a.body)
			}
			a = h.call(t, who, "GET /v1/members/"+r.Beneficiary+"/wallet", "")
			if a.status != 200 || !strings.Contains(string(a.body), `{"stage":"payable","currency":"CNY","amount_fen":500}`) {
				t.Errorf("wallet: got %d %s", a.status, a.body)
			}
			if a := h.call(t, who, "GET /v1/members/"+r.Beneficiary+"/wallet/entries?limit=1", ""); a.status != 200 || !strings.Contains(string(a.body), "reward_clear") {
				t.Errorf("entries: got %d %s", a.status, a.body)
			}
		}
		if a := h.call(t, own, "GET /v1/rewards?state=cleared", ""); a.status != 200 || !strings.Contains(string(a.body), reward) {
			t.Errorf("own rewards: got %d %s", a.status, a.body)
		}
		if a := h.call(t, finance, "GET /v1/rewards?state=lost", ""); a.status != 422 {
			t.Errorf("unknown state: got %d", a.status)
		}
		if a := h.call(t, tokenOf(t, h, member1(t, h)), "GET /v1/members/"+r.Beneficiary+"/wallet", ""); a.status != 404 {
			t.Errorf("somebody else's wallet: got %d", a.status)
		}
		key := h.newKey()
		for _, replayed := range []string{"", "true"} {
			a := h.call(t, finance, "POST /v1/rewards/"+reward+"/void", `{"reason":"自买自推"}`, key)
			if a.into(t, &r); a.status != 200 || r.State != "clawed_back" || a.header.Get("Idempotency-Replayed") != replayed {
				t.Errorf("void: got %d %s", a.status, a.body)
			}
		}
	})
}
