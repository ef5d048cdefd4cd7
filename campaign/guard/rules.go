package guard

import (
	"maps"
	"slices"
	"strings"

	"siyu/internal/fault"
)

// RuleMode is how strictly one rule is kept, where a group says so itself.
type RuleMode struct {
	Rule Rule // without what follows a dot: G7 is all its caps
	Mode Mode
}

// ownRules are the rules whose mode a group may set. The charter, silences and
// G2 hold always.
var ownRules = []string{"G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10", "G11", "G12", "G13", string(RuleMourning)}

// modeIn is the rule's own mode, or "".
func modeIn(list []RuleMode, r Rule) Mode {
	for _, m := range list {
		if rest, ok := strings.CutPrefix(string(r), string(m.Rule)); ok && (rest == "" || rest[0] == '.') {
			return m.Mode
		}
	}
	return ""
}

// enforced is the policy that a slot is held to: without the numbers of rules
// that the group has switched off or made advice.
func (p Policy) enforced() Policy {
	loose := func(r Rule) bool { m := modeIn(p.Rules, r); return m == ModeOff || m == ModeAdvise }
	if loose(RuleWarmUp) {
		p.WarmUp = 0
	}
	if loose(RuleQuiet) {
		p.Quiet = Quiet{}
	}
	if loose(RuleGap) {
		p.Gap = 0
	}
	if loose(RuleDay) {
		p.Day, p.Week, p.Month, p.Life = Unlimited, Unlimited, Unlimited, Unlimited
	}
	return p
}

// refuses says whether a rule that the preset enforces, or not, refuses.
func (p *Policy) refuses(r Rule, preset bool) bool {
	if m := modeIn(p.Rules, r); m != "" {
		preset = m == ModeEnforce
	}
	return p.Mode == ModeEnforce && preset
}

// checkRules refuses modes of rules that have none of their own.
func checkRules(c *fault.Check, rules map[Rule]Mode) {
	for _, r := range slices.Sorted(maps.Keys(rules)) {
		c.OneOf(string(r), "rules", ownRules...)
		c.OneOf(string(rules[r]), "rules."+string(r), string(ModeOff), string(ModeAdvise), string(ModeEnforce))
	}
}

// encodeRules and decodeRules are how they are stored.
func encodeRules(rules map[Rule]Mode) string {
	parts := make([]string, 0, len(rules))
	for _, r := range slices.Sorted(maps.Keys(rules)) {
		parts = append(parts, string(r)+":"+string(rules[r]))
	}
	return strings.Join(parts, ",")
}

func decodeRules(text string) (list []RuleMode) {
	for part := range strings.SplitSeq(text, ",") {
		if rule, mode, ok := strings.Cut(part, ":"); ok {
			list = append(list, RuleMode{Rule(rule), Mode(mode)})
		}
	}
	return list
}
