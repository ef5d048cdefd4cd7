package promotion

import (
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/guard"
	"siyu/campaign/material"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral"
)

// TestAfterDigest sends a digest of two campaigns: the main ad and its second
// line are one campaign's, the first line is another's. What codes brought
// counts by campaign and once; who left, left after all three.
func TestAfterDigest(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		program, err := h.Referral.CreateProgram(bg, referral.ProgramIn{Name: "老带新", Budget: 1_000_000, Rules: referral.RulesIn{
			Trigger: referral.TriggerEveryPaidOrder, Rewards: []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 500}},
		}})
		h.check(err)
		tea := h.Run(campaigntest.Sale{Hours: 24 * 10, Program: program})
		fruit := h.Run(campaigntest.Sale{Hours: 24 * 10, Program: program})
		g, m := h.had(), h.Members(9)
		h.inGroup(g, -48*time.Hour, m[:5]...)
		code := map[id.Campaign]referral.Code{}
		for _, c := range []campaign.Campaign{tea, fruit} {
			made, err := h.Referral.CreateCode(bg, referral.CodeIn{InviterID: m[0], ProgramID: program, CampaignID: c.ID, GroupID: g})
			h.check(err)
			list, err := h.Referral.CodesByID(bg, []id.Code{made})
			h.check(err)
			code[c.ID] = list[0]
		}
		buys := func(c campaign.Campaign, who id.Member) {
			t.Helper()
			h.Referral.Touch(code[c.ID].ID, who)
			h.check(h.Referral.Flush(bg))
			_, err := h.Referral.Bind(bg, referral.Bind{Code: code[c.ID].Code, Invitee: who})
			h.check(err)
			h.Pay(h.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: who}).ID)
		}
		plan := func(c campaign.Campaign, priority int) id.Promotion {
			h.offer = c
			return h.late(OnNoSlotDigest, 9900, priority, g)
		}
		main, line := plan(tea, 3), plan(fruit, 2)
		shelf := &material.Service{DB: db}
		shown, err := shelf.Create(bg, material.In{Name: "春茶", Kind: material.KindText, Sponsor: "有鲜超市", Variants: []material.Content{{TextZH: "明前"}}})
		h.check(err)
		h.check(shelf.Approve(database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 2}), shown, 0))
		second, err := h.s.Create(bg, In{CampaignID: tea.ID, Name: "春茶", MaterialID: shown, Groups: []id.Group{g}, Channel: "file", OnNoSlot: OnNoSlotDigest, Priority: 1, Value: 9900,
			Windows: []guard.Window{{From: h.now(), To: h.now().Add(3 * time.Hour)}}})
		h.check(err)
		h.approveAll(main, line, second)
		h.Drain(3 * time.Hour)
		h.Drain(19 * time.Hour)
		slot := h.sends(main)[g].SlotID
		_, err = h.s.Guard.Confirm(bg, slot, 0)
		h.check(err)
		db.Clock.Jump(time.Minute)
		buys(tea, m[5])
		buys(fruit, m[6])
		buys(fruit, m[7])
		db.Clock.Jump(time.Minute)
		h.leave(g, m[1])

		is := func(when string, p id.Promotion, lineNo int, want After) {
			t.Helper()
			r := h.report(p)
			if len(r.Shown) != 1 || r.Shown[0].LineNo != lineNo || r.Shown[0].SharedWith != 2 || r.Shown[0].SlotID != slot || r.After != want || r.Shown[0].After != want {
				t.Errorf("%s, line %d: got %+v, %+v; want %+v", when, lineNo, r.Shown, r.After, want)
			}
			if r.Reach.Reached != 5 || r.Reach.Repeated != 0 || r.Total.Digest != 1 {
				t.Errorf("%s, line %d: it reached %+v, %+v", when, lineNo, r.Reach, r.Total)
			}
		}
		three := func(when string) {
			t.Helper()
			is(when, main, 0, After{Scans: 1, Bindings: 1, Orders: 1, Paid: 1, Net: 9900, Members: 5, LeftShared: 1})
			is(when, line, 1, After{Scans: 2, Bindings: 2, Orders: 2, Paid: 2, Net: 2 * 9900, Members: 5, LeftShared: 1})
			is(when, second, 2, After{Members: 5, LeftShared: 1})
		}
		three("after the digest")

		db.Clock.Jump(time.Minute)
		// Another ad of the second campaign: what follows is that one's.
		_, err = h.s.Guard.PostByHand(bg, g, fruit.ID, 0)
		h.check(err)
		db.Clock.Jump(time.Minute)
		buys(fruit, m[8])
		three("after another ad")
		db.Clock.Jump(25 * time.Hour)
		h.leave(g, m[2])
		three("a day later")
		if v := h.report(second).Variants; len(v) != 1 || v[0].VariantNo != 1 || v[0].Shown != 1 {
			t.Errorf("the line's variant: got %+v", v)
		}
	})
}
