package referral

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/money"
)

// Side is who is rewarded.
type Side string

// The sides: the two of an invitation, and those who are paid a fee.
const (
	SideInviter    Side = "inviter"
	SideInvitee    Side = "invitee"
	SideOpener     Side = "opener"      // of a team that formed
	SideGroupOwner Side = "group_owner" // of the group that the order's code names
	SideKOC        Side = "koc"         // the inviter, if he is a KOC of that group
)

// Mode is how a reward is computed.
type Mode string

// The modes.
const (
	ModeFixed   Mode = "fixed"
	ModePercent Mode = "percent"
)

// Rules say who gets what when. A stored version never changes.
type Rules struct {
	Trigger              Trigger   `json:"trigger"`
	Terms                Terms     `json:"terms,omitzero"`
	Rewards              []Promise `json:"rewards"`
	InviterHasOrdered    bool      `json:"inviter_has_completed_order"`
	HoldDaysAfterReceipt int       `json:"hold_days_after_receipt"`
	HoldDaysAfterPayment int       `json:"hold_days_after_payment"`
	AttributionDays      int       `json:"attribution_days"`

	Attribution Attribution `json:"attribution,omitzero"`
	Inviters    Inviters    `json:"inviters,omitempty"`

	Caps       []Cap `json:"caps,omitempty"`
	BudgetFull Full  `json:"budget_full,omitempty"` // none is skip
}

// RulesIn are rules as a marketer writes them; what is left out has a default.
type RulesIn struct {
	Trigger              Trigger   `json:"trigger"`
	Terms                Terms     `json:"terms"`
	Rewards              []Promise `json:"rewards"`
	InviterHasOrdered    *bool     `json:"inviter_has_completed_order"`
	HoldDaysAfterReceipt *int      `json:"hold_days_after_receipt"`
	HoldDaysAfterPayment *int      `json:"hold_days_after_payment"`
	AttributionDays      *int      `json:"attribution_days"`
	Depth                int       `json:"depth"`

	Attribution Attribution `json:"attribution"`
	Inviters    Inviters    `json:"inviters"`

	Caps       []Cap `json:"caps"`
	BudgetFull Full  `json:"budget_full"`
}

// Rules fills the defaults in.
func (in RulesIn) Rules() Rules {
	rewards := make([]Promise, len(in.Rewards))
	for i, p := range in.Rewards {
		rewards[i] = p.stored()
	}
	return Rules{
		Trigger: in.Trigger, Terms: in.Terms, Rewards: rewards,
		InviterHasOrdered:    or(in.InviterHasOrdered, true),
		HoldDaysAfterReceipt: or(in.HoldDaysAfterReceipt, 7),
		HoldDaysAfterPayment: or(in.HoldDaysAfterPayment, 15),
		AttributionDays:      or(in.AttributionDays, 30),
		Attribution:          in.Attribution.stored(),
		Inviters:             in.Inviters,
		Caps:                 in.Caps,
		BudgetFull:           in.BudgetFull,
	}
}

func or[T any](v *T, def T) T {
	if v == nil {
		return def
	}
	return *v
}

// shares are ways of writing "pay for a share".
var shares = map[Trigger]bool{"share": true, "share_event": true, "forward": true, "shared": true}

var ruleName = regexp.MustCompile(`^[a-z0-9_]{1,24}$`)

// Validate names everything wrong with the rules. What the platform or the law
// forbids has a refusal of its own, with the reason.
func (in RulesIn) Validate() error {
	switch {
	case shares[in.Trigger]:
		return ErrShareReward.Field("rules.trigger", "share_reward", ErrShareReward.ZH, ErrShareReward.EN)
	case in.Depth > 1:
		return ErrDepth.Field("rules.depth", "depth", ErrDepth.ZH, ErrDepth.EN)
	case in.Trigger != "" && !slices.Contains(triggers(), string(in.Trigger)):
		return notYet("rules.trigger", triggers()...)
	}
	for i, p := range in.Rewards {
		if p.Mode != "" && p.Mode != ModeFixed && p.Mode != ModePercent {
			return notYet(fmt.Sprintf("rules.rewards[%d].mode", i), string(ModeFixed), string(ModePercent))
		}
	}
	var c fault.Check
	r := in.Rules()
	r.checkTrigger(&c)
	c.That(len(r.Rewards) >= 1 && len(r.Rewards) <= 8, "rules.rewards", "range", "请填写 1 到 8 条奖励", "give 1 to 8 rewards")
	c.Range(int64(r.HoldDaysAfterReceipt), "rules.hold_days_after_receipt", 0, 180)
	c.Range(int64(r.HoldDaysAfterPayment), "rules.hold_days_after_payment", 0, 365)
	c.Range(int64(r.AttributionDays), "rules.attribution_days", 1, 365)
	c.Range(int64(in.Depth), "rules.depth", 0, 1)
	in.Attribution.check(&c)
	in.Inviters.check(&c)
	checkCaps(&c, in.Caps)
	in.BudgetFull.check(&c, "rules.budget_full")
	names := map[string]bool{}
	var rates money.Bps
	for i, p := range r.Rewards {
		p.check(&c, fmt.Sprintf("rules.rewards[%d].", i))
		r.checkFee(&c, p, fmt.Sprintf("rules.rewards[%d].", i))
		c.That(!names[p.Rule], fmt.Sprintf("rules.rewards[%d].rule", i), "duplicate", "规则名称不能重复", "names of rules must differ")
		names[p.Rule] = true
		if p.pays() == money.CNY {
			rates += p.top()
		}
	}
	c.That(rates <= money.Whole, "rules.rewards", "range", "各比例之和不能超过 10000", "the rates sum to more than 10000")
	return c.Err()
}

func notYet(field string, may ...string) error {
	return fault.NotYet.Field(field, "not_yet", "目前支持 "+strings.Join(may, "、"), "supported now: "+strings.Join(may, ", "))
}

// Digest names the rules: SHA-256 over their canonical JSON.
func (r Rules) Digest() (text, digest string) {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings, numbers and booleans only
	}
	sum := sha256.Sum256(b)
	return string(b), hex.EncodeToString(sum[:])
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// maturesUnreceived is when a reward matures while nobody reports the goods
// received.
func (r Rules) maturesUnreceived(paid clock.Milli) clock.Milli {
	return paid.Add(days(r.HoldDaysAfterPayment))
}

// maturesReceived is when it matures once they are.
func (r Rules) maturesReceived(received clock.Milli) clock.Milli {
	return received.Add(days(r.HoldDaysAfterReceipt))
}

// promise is the promise of that name.
func (r Rules) promise(rule string) Promise {
	for _, p := range r.Rewards {
		if p.Rule == rule {
			return p
		}
	}
	return Promise{}
}
