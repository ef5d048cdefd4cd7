package web

import (
	"fmt"
	"strings"

	"siyu/community/health"
)

// healthChart is a group's last days in a field 360 by 100: a bar for each
// day's rate, a line for its mean of seven days, a strip for its state. Of an
// unknown day there is nothing to draw.
type healthChart struct {
	Bars     []healthBar
	Strip    []healthBar
	Lines    []string // points, broken where the mean is unknown
	Fifth    int      // how high a rate of a fifth lies
	Top      string
	From, To string
}

type healthBar struct {
	X, Y, Width, Height int
	Class, Title        string
}

const (
	healthDrawn = 90
	healthEach  = 4
	healthHigh  = 100
)

func drawHealth(lang string, list []health.Judgement) *healthChart {
	if len(list) == 0 {
		return nil
	}
	list = list[max(0, len(list)-healthDrawn):]
	most := 2_500 // so that a fifth always lies in the field
	for _, j := range list {
		most = max(most, int(j.Rate), int(j.DAR))
	}
	high := func(rate int) int { return healthHigh - rate*healthHigh/most }
	c := &healthChart{Fifth: high(2_000), Top: amountOf(most, health.UnitBP), From: dayOf(list[0].Day), To: dayOf(list[len(list)-1].Day)}
	var line []string
	end := func() {
		if len(line) > 1 {
			c.Lines = append(c.Lines, strings.Join(line, " "))
		}
		line = nil
	}
	for i, j := range list {
		x := (healthDrawn - len(list) + i) * healthEach
		state, _ := word(lang, healthStates, j.State)
		title := dayOf(j.Day) + " " + state
		if j.Rate != health.Unknown {
			title += " " + amountOf(int(j.Rate), health.UnitBP)
			c.Bars = append(c.Bars, healthBar{x, high(int(j.Rate)), healthEach - 1, healthHigh - high(int(j.Rate)), "", title})
		}
		c.Strip = append(c.Strip, healthBar{x, healthHigh + 4, healthEach, 6, "h-" + string(j.State), title})
		if j.DAR == health.Unknown {
			end()
			continue
		}
		line = append(line, fmt.Sprintf("%d,%d", x+healthEach/2, high(int(j.DAR))))
	}
	end()
	return c
}

var healthStates = map[health.State]pair{
	health.StateHealthy: {"健康", "healthy", "good"}, health.StateWarm: {"温热", "warm", ""}, health.StateCooling: {"变冷", "cooling", ""},
	health.StateQuiet: {"沉寂", "quiet", "dim"}, health.StateDead: {"死群", "dead", "warn"}, health.StateUnknown: {"未知", "unknown", "dim"},
}

var healthReasons = map[health.Reason]pair{
	health.ReasonNotReported: {"上报的天数不到一半", "fewer than half of the days were reported", ""}, health.ReasonNoMembers: {"没有群友名单", "nobody was reported to be in it", ""},
	health.ReasonNoAds: {"近期没有广告", "no ad of late", ""}, health.ReasonNobody: {"没有相应的人", "nobody it could be a share of", ""}, health.ReasonYoung: {"群还太新", "the group is too young", ""}, health.ReasonFew: {"订单太少", "too few orders", ""},
}

var healthNames = map[string]pair{
	"dar": {"日活率（7 天均值）", "Active a day, mean of 7", ""}, "topic_days": {"7 天里有像样话题的天数", "Days of 7 with a topic", ""},
	"weekly_interaction": {"上周固定互动", "Interaction last week", ""}, "host_share": {"群主发言占比（14 天）", "Hosts' share of talk, 14 days", ""},
	"ads_to_content": {"广告与内容之比（7 天）", "Ads to content, 7 days", ""}, "fatigue": {"广告疲劳度", "Tired of ads", ""}, "early_fall": {"广告后活跃跌幅", "Fall after an ad", ""},
	"size_days": {"人数达标的天数（90 天）", "Days of the right size, of 90", ""}, "monologue": {"群主互动占比（30 天）", "Hosts' part, 30 days", ""},
	"head_cr1": {"头部一人占比", "Share of the most active", ""}, "head_hhi": {"集中度", "Concentration", ""}, "head_loo": {"没有他还剩多少活跃", "Left without him", ""},
	"pyramid": {"角色金字塔", "Pyramid of roles", ""}, "ice_broken": {"有两位以上聊伴的群友", "Members with two partners", ""}, "core_silence": {"核心群友沉默占比", "Silent core", ""},
	"entry_gate": {"经门槛入群占比（30 天）", "Joined through a gate, 30 days", ""}, "invited_kept": {"受邀群友一周留存", "Invited and stayed a week", ""}, "invited_spoke": {"受邀群友一周内开口", "Invited and spoke within a week", ""}, "head_sales": {"头部一人带来的成交占比", "Sales brought by one", ""},
	"size": {"满 90 天时人数", "Members on day 90", ""}, "size_most": {"人数不超过", "Members at most", ""}, "early_rate_days": {"前 30 天日活达标天数", "Lively days of the first 30", ""},
	"managers": {"管理者", "Managers", ""}, "kols": {"KOL", "KOLs", ""}, "kocs": {"KOC", "KOCs", ""}, "checkin_share": {"坚持打卡的群友", "Members who keep checking in", ""},
	"incentives_a_month": {"每月激励", "Incentives a month", ""}, "violations_a_month": {"每月违规", "Violations a month", ""}, "on_topic": {"切题占比", "On topic", ""},
}
