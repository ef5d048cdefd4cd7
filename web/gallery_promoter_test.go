package web

import (
	"time"

	"siyu/referral/promoter"
)

// promoterGallery is the promoter's page: as somebody new sees it, and with a
// level and what the next one wants.
func promoterGallery() []shown {
	fresh := promoterPage{page: base(langZH, "推广员"), Program: "prg_0000000000001"}
	fresh.State, fresh.Tone = standing(langZH, promoter.None)
	list := []shown{{"promoter_new", "promoter", fresh.page, fresh}}
	for lang, file := range map[string]string{langZH: "promoter", langEN: "promoter_en"} {
		p := promoterPage{page: base(lang, "推广员"), Level: choose(lang, "银牌推广员", "Silver"), Next: choose(lang, "金牌推广员", "Gold"), Since: noon().Add(-90 * 24 * time.Hour)}
		p.State, p.Tone = standing(lang, promoter.Approved)
		p.Wants = wants(lang, promoter.Condition{All: []promoter.Condition{
			{Fact: promoter.FactInviteesKept, AtLeast: 10},
			{Any: []promoter.Condition{{Fact: promoter.FactOwnOrders, AtLeast: 3}, {Fact: promoter.FactReward, AtLeast: 50_000}}},
		}}, promoter.Facts{InviteesKept: 7, OwnOrders: 3, Reward: 31_250}, 0)
		for i, act := range []promoter.Act{promoter.Apply, promoter.Refuse, promoter.Apply, promoter.Approve} {
			m := promoterMove{What: moved(lang, act), When: noon().Add(time.Duration(i-9) * 30 * time.Hour)}
			if act == promoter.Refuse {
				m.Reason = choose(lang, "资料不全，请补充门店", "say which store you belong to")
			}
			p.Moves = append(p.Moves, m)
		}
		list = append(list, shown{file, "promoter", p.page, p})
	}
	return list
}
