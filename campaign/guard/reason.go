package guard

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"siyu/internal/english"
)

// Rule names one rule. Names are stored and shown: they never change.
type Rule string

// The rules. Those of the policy begin with G, those of the charter with C.
const (
	RuleClosed       Rule = "G2.closed"
	RuleOwner        Rule = "G2.owner"
	RuleEnd          Rule = "G2.end"
	RuleSilence      Rule = "S"
	RuleWarmUp       Rule = "G3"
	RuleIntake       Rule = "G4"
	RuleQuiet        Rule = "G5"
	RuleGap          Rule = "G6"
	RuleGapAdvance   Rule = "G6.advance"
	RuleRest         Rule = "G6.pass"
	RuleDay          Rule = "G7.day"
	RuleWeek         Rule = "G7.week"
	RuleWeekSliding  Rule = "G7.7x24h"
	RuleMonth        Rule = "G7.month"
	RuleMonthSliding Rule = "G7.30x24h"
	RuleLife         Rule = "G7.life"

	RuleCharterEnded   Rule = "C.ended"
	RuleCharterQuiet   Rule = "C.quiet"
	RuleCharterDay     Rule = "C.day"
	RuleCharterWeek    Rule = "C.week"
	RuleCharterSliding Rule = "C.7x24h"

	RuleMoment  Rule = "G8"
	RuleCourse  Rule = "G8.course"
	RuleContent Rule = "G9"
	RuleWeekly  Rule = "G10"
	RuleHealth  Rule = "G11"
	RuleFatigue Rule = "G12"
	RuleMain    Rule = "G13"

	// RuleMourning is of the calendar's days on which cheerful promotion is out
	// of place. It advises until the brand, a unit or a group enforces it.
	RuleMourning Rule = "M"

	RulePlatform Rule = "G14"

	// RulePlan is noted by the room that plans: the group's slots are for
	// others, or its moment comes later.
	RulePlan Rule = "plan"

	// RuleTaken is noted on an ask whose slot a promotion of higher priority took.
	RuleTaken Rule = "preempt"

	// RuleHoldout is noted where a promotion shows a group nothing, to compare
	// the others with it.
	RuleHoldout Rule = "holdout"

	// RuleExposure is noted where a group is left out because most of its
	// members see enough ads in all their groups together. RuleExposureCeiling
	// states how many are enough.
	RuleExposure        Rule = "exposure"
	RuleExposureCeiling Rule = "exposure.ceiling"

	// RuleDigest is noted on an ad that goes along in another's slot, as a line
	// of a digest.
	RuleDigest Rule = "digest"

	// RuleWindow is noted on a late slot: shown outside its window; and on an ask
	// whose slot was over before the channel took its ad.
	RuleWindow Rule = "window"
)

// Unknown is what was observed where nothing measures it.
const Unknown = -1

// Reason is a rule with what was observed and what is allowed. It is kept as
// these three and put into words when it is read.
type Reason struct {
	Rule     Rule
	Observed int64
	Limit    int64
}

// Reasons is a list of them; JSON shows none as an empty list.
type Reasons []Reason

// MarshalJSON never shows null.
func (l Reasons) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]Reason(l))
}

// MarshalJSON adds the sentence in both languages.
func (r Reason) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Rule     Rule   `json:"rule"`
		Observed int64  `json:"observed"`
		Limit    int64  `json:"limit"`
		ZH       string `json:"text_zh"`
		EN       string `json:"text_en"`
	}{r.Rule, r.Observed, r.Limit, r.Text("zh"), r.Text("en")})
}

// Text is the reason as a sentence: "en", else Chinese.
func (r Reason) Text(lang string) string {
	s, ok := sentences[r.Rule]
	if m, measured := measured[r.Rule]; measured && r.Observed != Unknown {
		s = m
	}
	if !ok {
		return string(r.Rule)
	}
	observed, limit := s.words(r.Observed), s.words(r.Limit)
	if lang == "en" {
		return english.One(strings.NewReplacer("{observed}", observed, "{limit}", limit).Replace(s.en))
	}
	return strings.NewReplacer("{observed}", observed, "{limit}", limit).Replace(s.zh)
}

type sentence struct {
	zh, en string
	words  func(int64) string
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// tenths turns n parts, per to the unit, into a number with at most one digit
// after the point.
func tenths(n, per int64) string {
	t := n * 10 / per
	if t%10 == 0 {
		return number(t / 10)
	}
	return fmt.Sprintf("%d.%d", t/10, t%10)
}

func hoursAsDays(n int64) string    { return tenths(n, 24) }
func minutesAsHours(n int64) string { return tenths(n, 60) }
func hundredths(n int64) string     { return tenths(n, 100) }

var sentences = map[Rule]sentence{
	RuleClosed:       {"群不存在或已关闭", "the group does not exist or is closed", number},
	RuleOwner:        {"群还没有负责人", "nobody answers for the group", number},
	RuleEnd:          {"群已计划结束，发送时间晚了 {observed} 天", "the group is planned to end {observed} days before; no ad after that", hoursAsDays},
	RuleSilence:      {"已一键静默，还有 {observed} 小时", "silenced for another {observed} hours", minutesAsHours},
	RuleWarmUp:       {"建群才 {observed} 天，满 {limit} 天再发推广", "the group is {observed} days old; ads begin at {limit} days", hoursAsDays},
	RuleIntake:       {"48 小时内新进 {observed} 人，超过全群的一成（{limit} 人），最后一人进群满 24 小时再发推广", "{observed} people came within 48 hours, more than a tenth of the group ({limit}); ads wait for 24 hours after the last", number},
	RuleQuiet:        {"{observed} 在群的免打扰时段，{limit} 之后再发", "{observed} is in the group's quiet hours; send after {limit}", hhmm},
	RuleGap:          {"离最近一条推广 {observed} 小时，至少隔 {limit} 小时", "{observed} hours from the nearest ad; at least {limit} hours are kept", minutesAsHours},
	RuleGapAdvance:   {"离预支的推广 {observed} 小时，至少隔 {limit} 小时", "{observed} hours since an ad taken in advance; at least {limit} hours are kept", minutesAsHours},
	RuleRest:         {"通行证结束 {observed} 小时，须静默 {limit} 小时", "{observed} hours since a pass ended; {limit} hours are silent", minutesAsHours},
	RuleDay:          {"当天已占 {observed} 条，每天最多 {limit} 条", "{observed} ads hold that day; at most {limit} a day", number},
	RuleWeek:         {"当周已占 {observed} 条，每周最多 {limit} 条", "{observed} ads hold that week; at most {limit} a week", number},
	RuleWeekSliding:  {"连续 7 天内已占 {observed} 条，最多 {limit} 条", "{observed} ads hold within 7 days; at most {limit}", number},
	RuleMonth:        {"当月已占 {observed} 条，每月最多 {limit} 条", "{observed} ads hold that month; at most {limit} a month", number},
	RuleMonthSliding: {"连续 30 天内已占 {observed} 条，最多 {limit} 条", "{observed} ads hold within 30 days; at most {limit}", number},
	RuleLife:         {"本群累计已占 {observed} 条，最多 {limit} 条", "{observed} ads hold over the group's life; at most {limit}", number},

	RuleCharterEnded:   {"群约定已到期 {observed} 天，不再发推广", "the charter ended {observed} days ago; no more ads", hoursAsDays},
	RuleCharterQuiet:   {"{observed} 在群约定的免打扰时段，{limit} 之后再发", "{observed} is in the quiet hours the charter promises; send after {limit}", hhmm},
	RuleCharterDay:     {"当天已占 {observed} 条，群约定每天最多 {limit} 条", "{observed} ads hold that day; the charter promises at most {limit} a day", number},
	RuleCharterWeek:    {"当周已占 {observed} 条，群约定每周最多 {limit} 条", "{observed} ads hold that week; the charter promises at most {limit} a week", number},
	RuleCharterSliding: {"连续 7 天内已占 {observed} 条，群约定每周最多 {limit} 条", "{observed} ads hold within 7 days; the charter promises at most {limit} a week", number},

	RuleMoment:  {"建议在重要节点前 {limit} 天内再宣发(暂无节点数据)", "advice: advertise within {limit} days of a key moment (no moments known yet)", number},
	RuleCourse:  {"课程群建议过了 {limit}% 再发推广(还没有填结束时间)", "advice: a course's ads come after {limit} % of it (its end is not known)", number},
	RuleContent: {"建议每条推广配至少 {limit} 条内容(暂无内容数据)", "advice: at least {limit} pieces of content per ad (no content data yet)", number},
	RuleWeekly:  {"建议每周至少 {limit} 次固定互动(暂无互动数据)", "advice: at least {limit} fixed interactions a week (no interaction data yet)", number},
	RuleHealth:  {"建议先看群活跃度(暂无活跃数据)", "advice: look at the group's health first (no activity data yet)", number},

	RuleMourning: {"今天是悼念日等不宜促销的日子，还有 {observed} 小时", "a day of mourning, on which promotion is out of place, for another {observed} hours", minutesAsHours},

	RuleFatigue: {"群已疲劳，离上一条推广 {observed} 小时，须隔 {limit} 小时", "the group is tired: {observed} hours since the last ad, {limit} hours are kept", minutesAsHours},
	RuleMain:    {"当天已有其他活动的 {observed} 条推广，建议每天只主推一个", "advice: {observed} ads of other campaigns hold that day; one main ad a day is enough", number},

	RulePlatform: {"平台对本群的限额已占 {observed} 条，留足服务通知后最多 {limit} 条", "{observed} ads hold of what the platform lets into the group; at most {limit}, service notices apart", number},

	RulePlan:    {"本群的名额留给更有价值的推送计划", "the group's slots go to promotions that are worth more", number},
	RuleTaken:   {"名额让给了优先级更高的推送计划，发送还没有开始", "the slot went to a promotion of higher priority; sending had not begun", number},
	RuleHoldout: {"本群是这次推送的对照群，不发推广", "the group is held out of this promotion, to compare with", number},
	RuleWindow:  {"不在推送名额的时段内", "outside the slot's window", number},

	RuleDigest: {"并入合集发出：{observed} 条推广合成一条，只占一个名额，最多 {limit} 条", "went out as a line of a digest: {observed} ads in one message and one slot, {limit} at most", number},

	RuleExposure:        {"群友在各群一共看到多少推广，暂时没有数据", "how many ads its members see in all their groups is not known", hundredths},
	RuleExposureCeiling: {"上限：一个人 {limit} 天内在各群一共看到 {observed} 条", "the ceiling: {observed} ads for one person within {limit} days, all groups together", number},
}

// measured are the sentences of rules on health and exposure where their
// inputs are known.
var measured = map[Rule]sentence{
	RuleExposure: {"本群 {observed}% 的群友在各群一共看到的推广已到上限，超过 {limit}% 的群先不发", "{observed} % of the members see as many ads as they may in all their groups; a group above {limit} % is left out for now", hundredths},

	RuleMoment:  {"不在重要节点前后，离另一条日常推广 {observed} 天，须隔 {limit} 天", "no key moment is near, and another ad without one is {observed} days away; {limit} are kept", number},
	RuleCourse:  {"课程才过 {observed}%，满 {limit}% 后的最后几天才发推广", "{observed} % of the course is over; its ads come in the last days, after {limit} %", number},
	RuleContent: {"7 天内有 {observed} 条内容，算上这一条推广须有 {limit} 条", "{observed} pieces of content in 7 days; with this ad there are to be {limit}", number},
	RuleWeekly:  {"最近 7 天没有固定互动，请先办一次", "no fixed interaction in the last 7 days; hold one first", number},
	RuleHealth:  {"按群的活跃度，这段时间最多 {limit} 条，已占 {observed} 条", "by the group's health at most {limit} in that time; {observed} hold", number},
}

// encode writes reasons as rule:observed:limit, joined by semicolons.
func encode(list []Reason) string {
	if len(list) == 0 {
		return ""
	}
	b := make([]byte, 0, len(list)*24)
	for i, r := range list {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(append(b, r.Rule...), ':')
		b = append(strconv.AppendInt(b, r.Observed, 10), ':')
		b = strconv.AppendInt(b, r.Limit, 10)
	}
	return string(b)
}

// decode reads what encode wrote.
func decode(s string) []Reason {
	list := []Reason{}
	for part := range strings.SplitSeq(s, ";") {
		f := strings.Split(part, ":")
		if len(f) != 3 {
			continue
		}
		observed, _ := strconv.ParseInt(f[1], 10, 64)
		limit, _ := strconv.ParseInt(f[2], 10, 64)
		list = append(list, Reason{Rule(f[0]), observed, limit})
	}
	return list
}
