package web

import (
	"siyu/campaign/exposure"
	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/money"
	"siyu/referral/insight"
)

// insightGallery is the figures of invitations, of many.
func insightGallery() []shown {
	at := clock.MilliOf(noon())
	f := insight.Figures{From: at - 90*24*3600*1000, To: at, Invitees: 1284, Bought: 611,
		Depths: []insight.Depth{{Depth: 1, Invitees: 903}, {Depth: 2, Invitees: 310}, {Depth: 3, Invitees: 71}},
		K:      insight.K{Invitees: 900, Brought: 387, Bps: new(int64(4300))}, Kept: insight.Kept{Invitees: 900, Kept: 412, Bps: new(int64(4577)), Rewards: 1_236_000, Cost: new(money.Amount(3000))},
		Heads:   insight.Heads{Inviters: 214, One: new(int64(3120)), Ten: new(int64(5841)), Warning: insight.WarnOne},
		Promise: insight.Promise{Due: 604, OnTime: 598, Late: 4, Open: 2, Bps: new(int64(9900))}}
	for n := range 9 {
		c := insight.Cohort{Week: 20260105 + n%4*7, Size: 160 - n*9}
		for w := range 8 - n%8 {
			c.Weeks = append(c.Weeks, insight.Retained{Of: c.Size, Bought: max(c.Size*(5-w)/6-n, 0)})
		}
		f.Cohorts = append(f.Cohorts, c)
	}
	var list []shown
	for _, x := range []struct{ lang, file string }{{langZH, "insight"}, {langEN, "insight_en"}} {
		p := insightPage{page: base(x.lang, "邀请分析")}
		p.show(f)
		for _, n := range []int64{401, 122, 86, 40} {
			p.Heads = append(p.Heads, chartBar{Name: "王*", N: n, Value: choose(x.lang, "%d 人 · 下单 %d · ¥%s", "%d · bought %d · ¥%s", n, n/2, "1280.00")})
		}
		scale(p.Heads)
		list = append(list, shown{x.file, "insight", p.page, p})
	}
	return list
}

// exposureGallery is how many ads people see, with a looser rule coming.
func exposureGallery() []shown {
	at := clock.MilliOf(noon())
	is := exposure.Shown{Mode: guard.ModeEnforce, Numbers: []exposure.Number{{Value: 7}, {Value: 7}, {Value: 5000}},
		Coming: []exposure.Coming{{EffectiveAt: at + 6*24*3600*1000, Mode: guard.ModeAdvise, Ceiling: 9, WindowDays: 7, ShareBP: 6000}},
		Counted: &exposure.Counted{AsOf: at - 1_500_000, Groups: 312, Ads: 871, Stays: 41_208, Members: 25_411, People: 30_219, Known: 28_104,
			Spread: "0:4808,1:6120,2:7004,3:5221,4:3610,5:1804,6:950,7:502,8:160,11:40"}}
	var list []shown
	for _, x := range []struct{ lang, file string }{{langZH, "exposure"}, {langEN, "exposure_en"}} {
		p := exposurePage{page: base(x.lang, "群友曝光"), Next: "/console/exposure?cursor=x"}
		p.show(is)
		for n, name := range []string{"望京邻里福利群", "三里屯好物群 · 二群，名字长到一行放不下的那一个", "西湖茶友群"} {
			s := exposure.Standing{GroupID: 1 << 40, Known: n < 2, Mode: guard.ModeEnforce, Members: 180, Over: 121 - 70*n, ShareBP: 6722 - 3889*n, CoverageBP: 9300}
			if n == 0 {
				s.Reasons = guard.Reasons{{Rule: guard.RuleExposure}}
			}
			p.Groups = append(p.Groups, exposedRowOf(x.lang, exposure.Listed{Standing: s, Name: name}))
		}
		list = append(list, shown{x.file, "exposure", p.page, p})
	}
	return list
}
