package guard_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/community/health"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// TestAnySequenceHolds plays sequences of reserving, starting, confirming in
// time, late or in the past, releasing, posting by hand, changing policy,
// permits, silences, health and jumping clocks, and lets Verify count again.
func TestAnySequenceHolds(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		// A platform's cap, and a key moment each Monday of the year.
		s := &guard.Service{DB: db, Platform: guard.PlatformWeek, Moments: func(*database.Query, int, int) (list []guard.Moment, ok bool, err error) {
			for day := clock.MilliOf(dbtest.Start.Add(-60 * 24 * time.Hour)); len(list) < 52; day = day.Add(7 * 24 * time.Hour) {
				n := clock.Day(day.Time(), time.UTC)
				list = append(list, guard.Moment{FromDay: n, ToDay: n})
			}
			return list, true, nil
		}}
		addUnits(t, db)
		rapid.Check(t, func(r *rapid.T) {
			h := &player{t: r, tb: t, db: db, s: s}
			presets := []community.Preset{community.PresetRetail, community.PresetBenefit, community.PresetChain, community.PresetCourse, community.PresetInterest}
			h.group = newGroup(t, db, rapid.SampledFrom(presets).Draw(r, "preset"))
			r.Repeat(map[string]func(*rapid.T){
				"reserve": h.reserve, "start": h.start, "confirm": h.confirm, "release": h.release,
				"by hand": h.byHand, "take": h.take, "policy": h.policy, "layer": h.layer, "clock": h.clock, "permit": h.permit, "revoke": h.revoke, "silence": h.silence, "health": h.health,
			})
			proofs, err := guard.Verify(bg, db)
			if err != nil {
				r.Fatal(err)
			}
			for _, broken := range proofs[0].Broken {
				if strings.Contains(broken, h.group.String()) { // not an earlier game's
					r.Fatal(broken)
				}
			}
		})
	})
}

type player struct {
	t     *rapid.T
	tb    testing.TB
	db    *database.DB
	s     *guard.Service
	group id.Group
	next  id.Promotion
	slots []id.Slot
	given []id.Permit
}

// refused stops the game on anything but a refusal.
func refused(r *rapid.T, err error) {
	if _, ok := fault.As(err); err != nil && !ok {
		r.Fatal(err)
	}
	if errors.Is(err, fault.Internal) || errors.Is(err, fault.Unavailable) {
		r.Fatal(err)
	}
}

func minutes(r *rapid.T, lo, hi int) time.Duration {
	return time.Duration(rapid.IntRange(lo, hi).Draw(r, "minutes")) * time.Minute
}

func (p *player) reserve(r *rapid.T) {
	from := now(p.db).Add(minutes(r, -60, 3*24*60))
	p.next++
	ask := guard.Ask{Promotion: id.Promotion(int64(p.group)) + p.next, Groups: []id.Group{p.group}, Window: guard.Window{From: from, To: from.Add(minutes(r, 1, 2*24*60))}}
	as, err := p.s.Reserve(bg, ask, nothing)
	refused(r, err)
	if len(as) == 1 && as[0].SlotID != 0 {
		p.slots = append(p.slots, as[0].SlotID)
	}
}

// take asks in the place of what other promotions hold.
func (p *player) take(r *rapid.T) {
	from := now(p.db).Add(minutes(r, 0, 24*60))
	p.next++
	ask := guard.Ask{Promotion: id.Promotion(int64(p.group)) + p.next, Groups: []id.Group{p.group}, Window: guard.Window{From: from, To: from.Add(minutes(r, 1, 24*60))}}
	as, err := p.s.TakeOver(bg, ask, anyLoses(1), keeps)
	refused(r, err)
	if len(as) == 1 {
		p.slots = append(p.slots, as[0].SlotID)
	}
}

func (p *player) pick(r *rapid.T) id.Slot {
	if len(p.slots) == 0 {
		r.Skip("no slot yet")
	}
	return rapid.SampledFrom(p.slots).Draw(r, "slot")
}

func (p *player) start(r *rapid.T) {
	slot := p.pick(r)
	refused(r, p.db.Tx(bg, func(tx *database.Tx) error { _, err := p.s.StartTx(tx, slot); return err }))
}

func (p *player) confirm(r *rapid.T) {
	_, err := p.s.Confirm(bg, p.pick(r), now(p.db).Add(-minutes(r, 0, 600)))
	refused(r, err)
}

func (p *player) release(r *rapid.T) {
	_, err := p.s.Release(bg, p.pick(r), guard.ReleaseNotSent, nil)
	refused(r, err)
}

func (p *player) byHand(r *rapid.T) {
	_, err := p.s.PostByHand(bg, p.group, 0, now(p.db).Add(-minutes(r, 0, 2*24*60)))
	refused(r, err)
}

// drawSettings draws what a layer of policy may set.
func drawSettings(r *rapid.T) guard.SettingsIn {
	number := func(name string, lo, hi int) *int {
		if rapid.IntRange(0, 3).Draw(r, name+" is unset") == 0 {
			return nil
		}
		n := rapid.IntRange(lo, hi).Draw(r, name)
		return &n
	}
	in := guard.SettingsIn{GapHours: number("gap", 1, 40), AdsPerDay: number("day", 0, 4), AdsPerWeek: number("week", 0, 8)}
	if in.QuietFrom = number("quiet from", 0, 1439); in.QuietFrom != nil {
		to := (*in.QuietFrom + rapid.IntRange(guard.QuietMinutesMin, 20*60).Draw(r, "quiet for")) % 1440
		in.QuietTo = &to
	}
	for _, rule := range []guard.Rule{"G5", "G6", "G7", "G8", "G11", "G12"} {
		if m := rapid.SampledFrom([]guard.Mode{"", "", "", guard.ModeOff, guard.ModeAdvise, guard.ModeEnforce}).Draw(r, string(rule)); m != "" {
			if in.Rules == nil {
				in.Rules = map[guard.Rule]guard.Mode{}
			}
			in.Rules[rule] = m
		}
	}
	return in
}

func (p *player) policy(r *rapid.T) {
	was, err := p.s.FindAdPolicy(bg, p.group)
	refused(r, err)
	in := guard.AdPolicyIn{
		Preset:     guard.Preset(rapid.SampledFrom(guard.PresetNames).Draw(r, "preset")),
		Mode:       rapid.SampledFrom([]guard.Mode{guard.ModeOff, guard.ModeAdvise, guard.ModeEnforce, guard.ModeEnforce}).Draw(r, "mode"),
		SettingsIn: drawSettings(r),
	}
	_, err = p.s.SetAdPolicy(bg, p.group, in, was.Version)
	refused(r, err)
}

// layer edits the policy of the brand, the group's unit or the one above it.
func (p *player) layer(r *rapid.T) {
	unit := rapid.SampledFrom([]id.Unit{0, 1, 2}).Draw(r, "unit")
	preset := guard.Preset(rapid.SampledFrom(guard.PresetNames).Draw(r, "of"))
	was, err := p.s.FindLayerPolicy(bg, unit, preset)
	refused(r, err)
	_, err = p.s.SetLayerPolicy(bg, unit, preset, drawSettings(r), was.Version)
	refused(r, err)
}

func (p *player) clock(r *rapid.T) { p.db.Clock.Jump(minutes(r, -600, 3*24*60)) }

// permit asks for one of any kind and has it approved by somebody else.
func (p *player) permit(r *rapid.T) {
	kind := rapid.SampledFrom([]guard.PermitKind{guard.PermitOverride, guard.PermitPass, guard.PermitAdvance}).Draw(r, "kind")
	from := now(p.db).Add(minutes(r, 0, 24*60))
	in := guard.PermitIn{Kind: kind, Groups: []id.Group{p.group}, Reason: "大促", From: from, To: from.Add(minutes(r, 60, 24*60))}
	if kind == guard.PermitOverride {
		in.PromotionID = id.Promotion(int64(p.group)) + p.next + 1 // the next one
	}
	made, err := p.s.AskPermit(asks, in)
	if err != nil {
		refused(r, err)
		return
	}
	if err := p.s.ApprovePermit(asks, made); !errors.Is(err, guard.ErrSameStaff) {
		r.Fatalf("who asked approves: got %v", err)
	}
	refused(r, p.s.ApprovePermit(approves, made))
	p.given = append(p.given, made)
}

func (p *player) revoke(r *rapid.T) {
	if len(p.given) == 0 {
		r.Skip("no permit yet")
	}
	refused(r, p.s.RevokePermit(approves, rapid.SampledFrom(p.given).Draw(r, "permit"), guard.RevokeIn{}))
}

func (p *player) silence(r *rapid.T) {
	in := guard.SilenceIn{Scope: guard.ScopeGroup, GroupID: p.group, Reason: "停电", Until: now(p.db).Add(minutes(r, 1, 600))}
	refused(r, p.db.Tx(bg, func(tx *database.Tx) error { _, err := p.s.SilenceTx(tx, in); return err }))
}

// health judges the group anew.
func (p *player) health(r *rapid.T) {
	state := rapid.SampledFrom([]health.State{health.StateHealthy, health.StateWarm, health.StateCooling, health.StateQuiet, health.StateDead}).Draw(r, "state")
	judged(p.tb, p.db, p.group, state, rapid.SampledFrom([]int{0, 7_000}).Draw(r, "coverage"), rapid.SampledFrom([]int{-1, 3_000, 6_000}).Draw(r, "fatigue"))
}
