package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/referral"
	"siyu/referral/review"
)

// TestConsoleReviews: two members on one phone are stopped, shown with the
// reason and the tree, found by one person and released by another.
func TestConsoleReviews(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		run := h.run("flash_sale", "限时抢购", `{}`)
		code := h.code(run)
		h.signedIn(h.wang).get("/me").is(t, 200)
		member := h.member("李雷", "m-li")
		li := h.signedIn(member)
		form := li.get("/i/"+code).form(t, "/i/"+code+"/claim")
		form.Set("item", run.Items[0].ID.String())
		form.Set("qty", "1")
		h.pay(orderOf(t, li.post("/i/"+code+"/claim", form)), 8800)
		for _, m := range []id.Member{h.wang, member} {
			h.s.Review.Sight(m, review.Seen{Device: "one phone"})
		}
		must(t, h.s.Review.Flush(h.system))
		reg := task.NewRegistry()
		h.s.Referral.Register(reg)
		h.s.Review.Register(reg)
		must(t, task.Drain(h.system, db, reg))

		h.phone().get("/console/reviews").is(t, http.StatusSeeOther)
		h.consoleOf(h.staffKey(access.GroupOwner)).get("/console/reviews").is(t, http.StatusForbidden)
		finder := h.consoleOf(h.staffKey(access.Marketer))
		finder.get("/console").is(t, 200).has(t, `href="/console/reviews"`)
		queue := finder.get("/console/reviews").is(t, 200)
		queue.has(t, "双方使用过同一台设备", "王*", "李*", `<svg class="tree"`, `class="n-this"`, "邀请奖", "新人礼", "建议放行", "¥8.00")
		queue.lacks(t, "李雷", "王小明", "%!", " style=", "超期", ">放行<")
		var rewards []string
		for _, part := range strings.Split(queue.body, `action="/console/rewards/`)[1:] {
			rid, _, _ := strings.Cut(part, "/")
			rewards = append(rewards, rid)
		}
		if len(rewards) != 2 {
			t.Fatalf("rewards on the page: %v", rewards)
		}
		say := func(p *phone, reward, act, word string) answer {
			t.Helper()
			form := p.get("/console/reviews").form(t, "/console/rewards/"+reward+"/"+act)
			form.Set("word", word)
			form.Set("note", "电话核实过")
			return p.post("/console/rewards/"+reward+"/"+act, form)
		}
		finder.post("/console/rewards/"+rewards[0]+"/review", url.Values{"word": {"pass"}, "note": {"x"}}).is(t, http.StatusForbidden)
		for _, r := range rewards {
			say(finder, r, "review", "pass").is(t, http.StatusSeeOther)
		}
		finder.get("/console/reviews").has(t, "建议放行", "等另一位同事决定", "电话核实过")
		decider := h.consoleOf(h.staffKey(access.Finance))
		decider.get("/console/reviews?lang=en").has(t, "A colleague", "Suggests to release", "Release", "both used one device")
		decider.get("/console/reviews?lang=zh")
		say(decider, rewards[0], "decide", "pass").is(t, http.StatusSeeOther)
		say(decider, rewards[1], "decide", "refuse").is(t, http.StatusSeeOther)
		decider.get("/console/reviews").has(t, "没有待审核的奖励")

		db.Clock.Jump(16 * 24 * time.Hour)
		must(t, task.Drain(h.system, db, reg))
		list, err := h.s.Referral.ListRewards(h.system, referral.RewardFilter{}, database.Page{})
		must(t, err)
		got := map[string]referral.RewardState{}
		for _, r := range list.Items {
			got[r.ID.String()] = r.State
		}
		want := map[string]referral.RewardState{rewards[0]: referral.RewardCleared, rewards[1]: referral.RewardVoided}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestDrawTree: the invitee and those a rule named are drawn before the rest,
// nobody twice, and no more than fit.
func TestDrawTree(t *testing.T) {
	tree := referral.Tree{MemberID: 1, InvitedBy: []referral.Edge{{MemberID: 9}}}
	for m := range id.Member(50) {
		tree.Invited.Items = append(tree.Invited.Items, referral.Edge{MemberID: 100 + m}, referral.Edge{MemberID: 100 + m})
	}
	v := drawTree(langZH, tree, 149, map[id.Member]bool{148: true, 9: true}, nil)
	tones := map[string]int{}
	at := map[[2]int]string{}
	for _, n := range v.Nodes {
		tones[n.Tone]++
		if other, taken := at[[2]int{n.X, n.Y}]; taken || n.X < n.R || n.X > fieldWidth-n.R || n.Y > v.Height-n.R {
			t.Errorf("%s is drawn on %s or outside", n.Title, other)
		}
		at[[2]int{n.X, n.Y}] = n.Title
	}
	if diff := cmp.Diff(map[string]int{"root": 1, "this": 1, "mark": 2, "plain": treeDrawn - 2}, tones); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(v.More, "14") || !strings.Contains(v.Title, "50") {
		t.Errorf("says %q, %q", v.Title, v.More)
	}
}

func sampleReviews() reviewsPage {
	now := noon()
	tree := referral.Tree{MemberID: 1, InvitedBy: []referral.Edge{{MemberID: 9}}}
	marked := map[id.Member]bool{}
	for m := range id.Member(22) {
		tree.Invited.Items = append(tree.Invited.Items, referral.Edge{MemberID: 100 + m})
		marked[100+m] = m%3 == 0
	}
	return reviewsPage{page: base(langZH, "奖励审核"), Next: "/console/reviews?cursor=x", Cards: []reviewCard{
		{Order: 99 << 40, Inviter: "王*", Invitee: "李*", Since: now.Add(-100 * time.Hour), Overdue: true,
			Reasons: []string{"同一台设备上出现过 4 名会员，超过 3 名", "邀请人与其受邀人中有 8 个账号由设备、地址或收款账户相连，超过 3 个"}, Tree: drawTree(langZH, tree, 105, marked, nil),
			Rewards: []reviewRow{{ID: 1 << 40, What: "邀请奖", Who: "王*", Amount: 800, Found: "建议取消", Note: "四个号都在一台手机上登录", FoundAt: now, Decides: true},
				{ID: 2 << 40, What: "新人礼", Who: "李*", Amount: 500, Found: "建议取消", Note: "同上", FoundAt: now, Own: true, Decides: true}}},
		{Order: 98 << 40, Inviter: "赵*", Invitee: "孙*", Since: now.Add(-2 * time.Hour), Reasons: []string{"双方的收货地址相同"},
			Tree:    drawTree(langZH, referral.Tree{MemberID: 2, Invited: database.Paged[referral.Edge]{Items: []referral.Edge{{MemberID: 7}}}}, 7, map[id.Member]bool{2: true}, nil),
			Rewards: []reviewRow{{ID: 3 << 40, What: "邀请奖", Who: "赵*", Amount: 800}}},
	}}
}
