package review

import (
	"strconv"
	"strings"

	"siyu/internal/english"
	"siyu/internal/id"
)

// Rule names one rule. Names are stored and shown: they never change.
type Rule string

// The rules.
const (
	RuleBlocked      Rule = "blocked"
	RuleSamePerson   Rule = "same_person"
	RuleSameAccount  Rule = "same_account"
	RuleSameDevice   Rule = "same_device"
	RuleSameAddress  Rule = "same_address"
	RuleAccountCrowd Rule = "account_crowd"
	RuleDeviceCrowd  Rule = "device_crowd"
	RuleAddressCrowd Rule = "address_crowd"
	RuleCircle       Rule = "circle"
	RuleRing         Rule = "ring"
	RuleInviterDay   Rule = "inviter_day"
	RuleNetworkDay   Rule = "network_day"
	RuleLostInvitees Rule = "lost_invitees"
	RuleByHand       Rule = "by_hand" // a person stopped the reward; no policy has it
)

// Bounds of what rules look at.
const (
	membersNamed = 20  // most members one reason names
	lostLeast    = 10  // fewer invitees say nothing about an inviter
	lostFrom     = 30  // days after which an invitee counts as kept or lost
	lostUntil    = 120 // days after which he counts no more
)

// Act is what a rule does when it fires.
type Act string

// The acts, from the mildest.
const (
	ActOff    Act = "off"
	ActReview Act = "review"
	ActRefuse Act = "refuse"
)

// rule is a rule with its default, its bounds and how it sees. It fires when
// it sees more than its limit.
type rule struct {
	name            Rule
	act             Act
	limit, min, max int64
	refuses         bool // may a policy let it refuse without a human?
	see             func(*Facts) (observed int64, who []id.Member)
	zh, en          string
}

// rules is the whole table, in the order in which reasons are listed. Only
// what is certain refuses by default; a network never may, because offices and
// campuses share one.
var rules = []rule{
	{RuleBlocked, ActRefuse, 0, 0, 0, true, blocked,
		"邀请双方中有 {observed} 人在黑名单内", "{observed} of the two are on the blocklist"},
	{RuleSamePerson, ActRefuse, 0, 0, 0, true, shares(MarkPerson),
		"双方收款人的证件号相同，是同一个人", "both are paid under one identity number: one person"},
	{RuleSameAccount, ActReview, 0, 0, 0, true, shares(MarkAccount),
		"双方使用同一个收款账户", "both are paid to one account"},
	{RuleSameDevice, ActReview, 0, 0, 0, true, shares(MarkDevice),
		"双方使用过同一台设备", "both used one device"},
	{RuleSameAddress, ActReview, 0, 0, 0, true, shares(MarkAddress),
		"双方的收货地址相同", "both have goods sent to one address"},
	{RuleAccountCrowd, ActReview, 2, 1, 50, true, crowd(MarkAccount),
		"同一收款账户有 {observed} 名会员，超过 {limit} 名", "{observed} members are paid to one account; more than {limit}"},
	{RuleDeviceCrowd, ActReview, 3, 1, 50, true, crowd(MarkDevice),
		"同一台设备上出现过 {observed} 名会员，超过 {limit} 名", "{observed} members were seen on one device; more than {limit}"},
	{RuleAddressCrowd, ActReview, 5, 1, 100, true, crowd(MarkAddress),
		"同一收货地址有 {observed} 名会员，超过 {limit} 名", "{observed} members have goods sent to one address; more than {limit}"},
	{RuleCircle, ActReview, 0, 0, 0, true, circle,
		"邀请关系成环，一圈 {observed} 人", "the invitations run in a circle of {observed}"},
	{RuleRing, ActReview, 3, 2, 200, true, ring,
		"邀请人与其受邀人中有 {observed} 个账号由设备、地址或收款账户相连，超过 {limit} 个",
		"{observed} accounts around the inviter hang together by device, address or account; more than {limit}"},
	{RuleInviterDay, ActReview, 100, 1, 400, false, inviterDay,
		"邀请人 24 小时内邀请了 {observed} 人，超过 {limit} 人", "the inviter brought {observed} people within 24 hours; more than {limit}"},
	{RuleNetworkDay, ActReview, 20, 1, 400, false, networkDay,
		"24 小时内同一网络有 {observed} 名受邀人，超过 {limit} 名", "{observed} invitees of one network within 24 hours; more than {limit}"},
	{RuleLostInvitees, ActReview, 8000, 1000, 10000, false, lostInvitees,
		"满 30 天的受邀人中流失 {observed}‱，超过 {limit}‱", "{observed} of 10,000 invitees older than 30 days are gone; more than {limit}"},
}

// Reason is a rule that fired: what it saw, what it allows, and whom it saw.
// It is kept as that and put into words when it is read.
type Reason struct {
	Rule     Rule        `json:"rule"`
	Observed int64       `json:"observed"`
	Limit    int64       `json:"limit"`
	Members  []id.Member `json:"members"` // at most 20
}

// Text is the reason as a sentence: "en", else Chinese.
func (r Reason) Text(lang string) string {
	zh, en := "人工提出审核", "a person asked for a review"
	for _, known := range rules {
		if known.name == r.Rule {
			zh, en = known.zh, known.en
		}
	}
	fill := strings.NewReplacer("{observed}", strconv.FormatInt(r.Observed, 10), "{limit}", strconv.FormatInt(r.Limit, 10))
	if lang == "en" {
		return english.One(fill.Replace(en))
	}
	return fill.Replace(zh)
}
