package web

import (
	"siyu/access"
	"siyu/campaign"
	"siyu/campaign/guard"
	"siyu/referral/settlement"
)

// pair is a word in both languages, with the tone it is shown in.
type pair struct{ zh, en, tone string }

func (p pair) in(lang string) string { return choose(lang, p.zh, p.en) }

// word looks a stored name up; one nobody has put into words shows as it is.
func word[K ~string](lang string, words map[K]pair, key K) (text, tone string) {
	w, ok := words[key]
	if !ok {
		return string(key), ""
	}
	return w.in(lang), w.tone
}

var roles = map[access.Role]pair{
	access.Admin: {"管理员", "Admin", ""}, access.Marketer: {"运营", "Marketer", ""}, access.Finance: {"财务", "Finance", ""},
	access.Cashier: {"出纳", "Cashier", ""}, access.GroupOwner: {"群主", "Group owner", ""},
}

func roleName(lang string, r access.Role) string { text, _ := word(lang, roles, r); return text }

var kinds = map[string]pair{
	"group_buy": {"拼团", "Group buy", ""}, "flash_sale": {"限时抢购", "Flash sale", ""}, "referral": {"邀请", "Referral", ""},
}

func kindName(lang, kind string) string { text, _ := word(lang, kinds, kind); return text }

var phases = map[campaign.Status]pair{
	campaign.StatusDraft: {"草稿", "draft", "dim"}, campaign.StatusScheduled: {"待开始", "scheduled", ""}, campaign.StatusRunning: {"进行中", "running", "good"},
	campaign.StatusPaused: {"已暂停", "paused", ""}, campaign.StatusEnded: {"已结束", "ended", "dim"}, campaign.StatusCancelled: {"已取消", "cancelled", "dim"},
}

func phaseName(lang string, s campaign.Status) (text, tone string) { return word(lang, phases, s) }

var presets = map[string]pair{
	"interest": {"兴趣群", "interest", ""}, "retail": {"电商快消群", "retail", ""}, "benefit": {"门店福利群", "benefit", ""}, "flash": {"快闪群", "flash", ""},
	"course": {"课程群", "course", ""}, "chain": {"社区接龙群", "chain", ""}, "core": {"核心群", "core", ""}, "service": {"售后群", "service", ""},
}

func presetName(lang, preset string) string { text, _ := word(lang, presets, preset); return text }

var outcomes = map[guard.Outcome]pair{
	guard.OutcomeAllow: {"放行", "allowed", "good"}, guard.OutcomeDefer: {"推迟", "deferred", ""}, guard.OutcomeDeny: {"不发", "refused", "dim"},
	guard.OutcomeLate: {"迟到", "late", ""}, guard.OutcomeUnplanned: {"手工补记", "by hand", ""}, guard.OutcomeTaken: {"让位", "gave way", "dim"},
	guard.OutcomeDigest: {"并入合集", "in a digest", "good"},
}

func outcomeName(lang string, o guard.Outcome) (text, tone string) { return word(lang, outcomes, o) }

var settled = map[settlement.Status]pair{
	settlement.StatusOpen: {"待关账", "open", ""}, settlement.StatusClosing: {"关账中", "closing", ""}, settlement.StatusSealing: {"封存中", "sealing", ""},
	settlement.StatusClosed: {"待审核", "closed", ""}, settlement.StatusReviewed: {"待付款", "reviewed", ""}, settlement.StatusPaid: {"已付款", "paid", "good"},
	settlement.StatusRejected: {"已驳回", "rejected", "dim"}, settlement.StatusDiscarded: {"已作废", "discarded", "dim"},
}

func settledName(lang string, s settlement.Status) (text, tone string) { return word(lang, settled, s) }
