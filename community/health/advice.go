package health

import (
	"slices"

	"siyu/internal/id"
)

// Advice is something to do for a group, in plain words. Link is the console's
// page where it is done, if there is one.
type Advice struct {
	Code string `json:"code"`
	Zh   string `json:"zh"`
	En   string `json:"en"`
	Link string `json:"link,omitempty"`
}

// at is the advice with the page of a group where it is done.
func (a Advice) at(group id.Group, page string) Advice {
	a.Link = "/console/groups/" + group.String() + "/" + page
	return a
}

// The advice, the most urgent first.
var (
	adviseReport = Advice{Code: "report_activity", Zh: "先把群友互动接进来：没有数据，就不知道这个群好不好。",
		En: "Connect what members do first: without it nobody knows how this group is."}
	adviseRest = Advice{Code: "rest_from_ads", Zh: "停发广告一周，先发内容、先聊天：大家已经烦了。",
		En: "No ads for a week; talk and give something first: members are tired of them."}
	adviseFall = Advice{Code: "ask_what_happened", Zh: "活跃刚刚掉了一半：今天就在群里问问大家想要什么，别再发单。",
		En: "The group has just lost half of its talk: ask today what members want, and send no offer."}
	adviseRevive = Advice{Code: "revive_or_end", Zh: "群已经没人说话：办一次回归活动，两周没起色就并群或体面解散。",
		En: "Nobody talks here any more: try one event to bring them back, and if two weeks change nothing, merge or end it."}
	adviseHold = Advice{Code: "hold_interaction", Zh: "本周还没有一次像样的固定互动：定个时间，出个话题、游戏或竞猜。",
		En: "No interaction drew enough people this week: set a time for a topic, a game or a quiz."}
	adviseListen = Advice{Code: "let_members_talk", Zh: "群里大多是您在说：少播报，多提问，请群友来回答。",
		En: "Most of the talk is yours: announce less, ask more, and let members answer."}
	adviseContent = Advice{Code: "more_content", Zh: "广告比内容多：下一条广告之前，先发四条有用的内容。",
		En: "There are too many ads for the content: share four useful things before the next ad."}
	adviseHead = Advice{Code: "spread_the_stage", Zh: "群太依赖一位达人：给其他群友安排话题和露脸的机会。",
		En: "The group hangs on one member: give others a topic and a stage."}
	adviseCore = Advice{Code: "greet_core", Zh: "老群友和大客户正在沉默：挨个打个招呼，问问近况。",
		En: "Long-standing members and best buyers fall silent: greet them one by one."}
	advisePyramid = Advice{Code: "name_roles", Zh: "群里缺角色：从名单里请一位热心群友做 KOC。",
		En: "Roles are missing: ask one of the candidates to become a KOC."}
	adviseSplit = Advice{Code: "sub_groups", Zh: "超过 150 人：按谁和谁常来往分成小组，大群只发大家都关心的事。",
		En: "There are more than 150 members: make sub-groups of those who talk to each other, and keep this one for what concerns all."}
	adviseKeep = Advice{Code: "keep_going", Zh: "群很健康：照现在的节奏做，今天夸一夸帮过别人的群友。",
		En: "This group is well: keep its rhythm, and praise somebody who helped another today."}
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
	say(r.Head.High || r.Sales.High, adviseHead)
	say(r.misses("pyramid"), advisePyramid)
	say(r.Tier == TierSplit && r.Standing.State != StateHealthy, adviseSplit.at(r.GroupID, "split"))
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
