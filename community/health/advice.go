package health

import "slices"

// Advice is something to do for a group, in plain words.
type Advice struct {
	Code string `json:"code"`
	Zh   string `json:"zh"`
	En   string `json:"en"`
}

// The advice, the most urgent first.
var (
	adviseReport = Advice{"report_activity", "先把群友互动接进来：没有数据，就不知道这个群好不好。",
		"Connect what members do first: without it nobody knows how this group is."}
	adviseRest = Advice{"rest_from_ads", "停发广告一周，先发内容、先聊天：大家已经烦了。",
		"No ads for a week; talk and give something first: members are tired of them."}
	adviseFall = Advice{"ask_what_happened", "活跃刚刚掉了一半：今天就在群里问问大家想要什么，别再发单。",
		"The group has just lost half of its talk: ask today what members want, and send no offer."}
	adviseRevive = Advice{"revive_or_end", "群已经没人说话：办一次回归活动，两周没起色就并群或体面解散。",
		"Nobody talks here any more: try one event to bring them back, and if two weeks change nothing, merge or end it."}
	adviseHold = Advice{"hold_interaction", "本周还没有一次像样的固定互动：定个时间，出个话题、游戏或竞猜。",
		"No interaction drew enough people this week: set a time for a topic, a game or a quiz."}
	adviseListen = Advice{"let_members_talk", "群里大多是您在说：少播报，多提问，请群友来回答。",
		"Most of the talk is yours: announce less, ask more, and let members answer."}
	adviseContent = Advice{"more_content", "广告比内容多：下一条广告之前，先发四条有用的内容。",
		"There are too many ads for the content: share four useful things before the next ad."}
	adviseHead = Advice{"spread_the_stage", "群太依赖一位达人：给其他群友安排话题和露脸的机会。",
		"The group hangs on one member: give others a topic and a stage."}
	adviseCore = Advice{"greet_core", "老群友和大客户正在沉默：挨个打个招呼，问问近况。",
		"Long-standing members and best buyers fall silent: greet them one by one."}
	advisePyramid = Advice{"name_roles", "群里缺角色：从名单里请一位热心群友做 KOC。",
		"Roles are missing: ask one of the candidates to become a KOC."}
	adviseSplit = Advice{"sub_groups", "超过 150 人：按兴趣分小组，大群只发大家都关心的事。",
		"There are more than 150 members: make sub-groups by interest, and keep this one for what concerns all."}
	adviseKeep = Advice{"keep_going", "群很健康：照现在的节奏做，今天夸一夸帮过别人的群友。",
		"This group is well: keep its rhythm, and praise somebody who helped another today."}
)

// advise says what to do next for a group, the most urgent first.
func advise(r Report) []Advice {
	var out []Advice
	say := func(when bool, a Advice) {
		if when {
			out = append(out, a)
		}
	}
	if r.Standing == nil || r.Standing.State == StateUnknown {
		return []Advice{adviseReport}
	}
	say(r.Standing.Fatigue > fatigueStop, adviseRest)
	say(r.misses("early_fall"), adviseFall)
	say(r.Standing.State == StateDead, adviseRevive)
	say(r.misses("monologue") || r.misses("host_share"), adviseListen)
	say(r.misses("weekly_interaction") || r.misses("topic_days") && r.Standing.State != StateHealthy, adviseHold)
	say(r.misses("ads_to_content"), adviseContent)
	say(r.Core.Alarm, adviseCore)
	say(r.Head.High, adviseHead)
	say(r.misses("pyramid"), advisePyramid)
	say(r.Tier == TierSplit && r.Standing.State != StateHealthy, adviseSplit)
	if len(out) == 0 {
		return []Advice{adviseKeep}
	}
	return out
}

// fatigueStop is the fatigue at which a group is left in peace.
const fatigueStop = 6_000

// misses says whether a figure is known and not what it should be.
func (r Report) misses(name string) bool {
	i := slices.IndexFunc(r.Metrics, func(m Metric) bool { return m.Name == name })
	return i >= 0 && r.Metrics[i].Meets != nil && !*r.Metrics[i].Meets
}
