package guard

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// Observed is what enforcing its policy would have kept from a group that is
// only advised: the report before the switch.
type Observed struct {
	GroupID      id.Group       `json:"group_id"`
	Mode         Mode           `json:"mode"`
	ObserveUntil clock.Milli    `json:"observe_until"`
	Since        clock.Milli    `json:"since_at"`
	Ads          int            `json:"ads"`  // let through
	Kept         int            `json:"kept"` // of them, those that enforcing would have kept
	Rules        []ObservedRule `json:"rules"`
}

// ObservedRule is how many ads a rule would have kept, with the newest as an
// example.
type ObservedRule struct {
	Ads int `json:"ads"`
	Reason
}

// MarshalJSON puts the count beside the reason and its sentences.
func (r ObservedRule) MarshalJSON() ([]byte, error) {
	reason, err := r.Reason.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return append(fmt.Appendf(nil, `{"ads":%d,`, r.Ads), reason[1:]...), nil
}

// observedMost is how many decisions one report reads.
const observedMost = 1000

// Observe reports the last 14 days of a group the actor may see.
func (s *Service) Observe(ctx context.Context, g id.Group) (Observed, error) {
	policy, err := s.FindAdPolicy(ctx, g)
	if err != nil {
		return Observed{}, err
	}
	out := Observed{GroupID: g, Mode: policy.Mode, ObserveUntil: policy.ObserveUntil, Since: s.now().Add(-observeFor), Rules: []ObservedRule{}}
	var rows []record
	err = s.DB.Read(ctx).Raw("SELECT "+recordColumns+" FROM decisions WHERE group_id = ? AND outcome = ? AND decided_at >= ? ORDER BY id DESC LIMIT ?",
		g, OutcomeAllow, out.Since, observedMost).Scan(&rows).Error
	if err != nil {
		return out, fmt.Errorf("guard: observed %s: %w", g, err)
	}
	for _, r := range rows {
		out.Ads++
		if r.Mode == ModeAdvise && out.add(decode(r.Advice), policy.Rules) {
			out.Kept++
		}
	}
	return out, nil
}

// enforcedAtOnce are the rules that enforcing makes refuse. The others go on
// advising until enough is known of a group. What a policy says of a rule itself
// wins over both.
var enforcedAtOnce = []Rule{
	RuleWarmUp, RuleCourse, RuleQuiet, RuleGap, RuleGapAdvance, RuleRest, RuleDay, RuleWeek, RuleWeekSliding, RuleMonth, RuleMonthSliding, RuleLife, RuleFatigue,
}

func (o *Observed) add(advice []Reason, rules map[Rule]Mode) (kept bool) {
	for _, a := range advice {
		family, _, _ := strings.Cut(string(a.Rule), ".")
		own, has := rules[Rule(family)]
		if a.Observed == Unknown || has && own != ModeEnforce || !has && !slices.Contains(enforcedAtOnce, a.Rule) {
			continue
		}
		kept = true
		i := slices.IndexFunc(o.Rules, func(r ObservedRule) bool { return r.Rule == a.Rule })
		if i < 0 {
			o.Rules = append(o.Rules, ObservedRule{0, a})
			i = len(o.Rules) - 1
		}
		o.Rules[i].Ads++
	}
	return kept
}

// EnforceIn names the groups whose observation is over.
type EnforceIn struct {
	Groups []id.Group `json:"groups"`
}

// Validate checks the form.
func (in EnforceIn) Validate() error {
	var c fault.Check
	c.Range(int64(len(in.Groups)), "groups", 1, chunk)
	c.That(!slices.Contains(in.Groups, 0), "groups", "required", "群编号不能为空", "a group id is missing")
	return c.Err()
}

// Enforce is the one switch after observing: groups that were advised are held
// to their policies from now on. It says how many were; those that enforce
// already, or whose policy is off, stay as they are.
func (s *Service) Enforce(ctx context.Context, in EnforceIn) (int, error) {
	groups := slices.Clone(in.Groups)
	slices.Sort(groups)
	groups = slices.Compact(groups)
	if err := s.prepare(ctx, groups); err != nil {
		return 0, err
	}
	switched := 0
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		if err := seeAll(tx, groups); err != nil {
			return err
		}
		guards, err := lockGuards(tx, groups)
		if err != nil {
			return err
		}
		all, err := s.load(tx.DB, question{groups: groups, now: tx.Now})
		if err != nil {
			return err
		}
		var told groupsTold
		var versions []layer
		switched = 0
		for _, g := range groups {
			was := guards[g].at(all[g].laws.coming, tx.Now)
			if was.Mode != ModeAdvise {
				continue
			}
			is := was
			is.Mode, is.ObserveUntil, is.Version, is.HeldVersion = ModeEnforce, 0, was.Version+1, 0
			if err := writeHeld(tx, is, was.Version); err != nil {
				return err
			}
			if len(all[g].laws.coming) > 0 {
				if err := announce(tx, layer{GroupID: g}, 0, nil); err != nil {
					return err
				}
			}
			versions = append(versions, layer{GroupID: g, Version: is.Version, Preset: is.Preset, Mode: is.Mode, settings: is.settings})
			switched, told.Groups = switched+1, append(told.Groups, g)
			if err := database.AuditTx(tx, "guard.enforce", g, map[string]Mode{"mode": ModeAdvise}, map[string]Mode{"mode": ModeEnforce}); err != nil {
				return err
			}
		}
		if switched == 0 {
			return nil
		}
		if err := writeLayers(tx, versions); err != nil {
			return err
		}
		return webhook.PublishTx(tx, EventGroupsEnforce, told)
	})
	return switched, err
}

// Ways are the three ways on after a refusal: the next free moment, content
// instead of an ad, and groups that are free now.
type Ways struct {
	GroupID   id.Group    `json:"group_id"`
	Now       Decision    `json:"now"`
	NextAt    clock.Milli `json:"next_at"` // 0: none in 14 days
	ContentZH string      `json:"content_zh"`
	ContentEN string      `json:"content_en"`
	Free      []id.Group  `json:"free_groups"`
}

// What may be sent where an ad may not.
const (
	contentZH = "去掉价格、购买链接和券码，作为内容发出（如用法、答疑、话题），或并入下一条推广的合集"
	contentEN = "send it as content, without price, link or coupon (how to use it, answers, a topic), or as part of the next ad's digest"
)

// The groups looked at for being free, and the most that are named.
const (
	waysLook = 200
	waysMost = 10
)

// FindWays says what else there is for an ad of two hours that a group the
// actor may see cannot take.
func (s *Service) FindWays(ctx context.Context, g id.Group, others []id.Group) (Ways, error) {
	now := s.now()
	at := Window{now, now.Add(forecastAd)}
	q := question{groups: []id.Group{g}, window: Window{now, now.Add(ForecastDays * day)}, now: now}
	all, err := s.load(s.DB.Read(ctx), q)
	if err != nil {
		return Ways{}, err
	}
	k := all[g]
	if k.group.ID == 0 || !k.group.SeenBy(database.ActorOf(ctx)) {
		return Ways{}, fault.NotFound
	}
	out := Ways{GroupID: g, Now: k.decide(at, now), ContentZH: contentZH, ContentEN: contentEN, Free: []id.Group{}}
	promises, err := k.promises(s.DB.Read(ctx), now)
	if err != nil {
		return Ways{}, err
	}
	days, _ := Foresee(k.policy, k.state, now, promises...)
	for _, d := range days {
		if d.Open {
			out.NextAt = d.FirstAt
			break
		}
	}
	others = slices.DeleteFunc(slices.Clone(others), func(o id.Group) bool { return o == g })
	answers, err := s.Check(ctx, Trial{Groups: others[:min(len(others), waysLook)], Windows: []Window{at}})
	if err != nil || len(answers) == 0 {
		return out, err
	}
	for _, a := range answers[0] {
		if a.Outcome == OutcomeAllow && len(out.Free) < waysMost {
			out.Free = append(out.Free, a.GroupID)
		}
	}
	return out, nil
}
