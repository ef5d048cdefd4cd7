package insight_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/insight"
)

const day = 24 * time.Hour

// born is the Monday, 10:00 in Shanghai, on which the invitations were made.
var born = clock.MilliOf(dbtest.Start)

func TestCountAtItsEdges(t *testing.T) {
	month := born.Add(30 * day)
	bound := func(change func(x *insight.Invitation)) []insight.Invitation {
		x := insight.Invitation{Invitee: 2, Inviter: 1, BoundAt: born, Depth: 1}
		change(&x)
		return []insight.Invitation{x}
	}
	none := func(*insight.Invitation) {}
	reward := func(cleared clock.Milli, net money.Amount) func(x *insight.Invitation) {
		return func(x *insight.Invitation) {
			x.Rewards = []insight.Promised{{Net: net, MaturesAt: born.Add(10 * day), ClearedAt: cleared}}
		}
	}
	t.Run("K", func(t *testing.T) {
		brought := bound(func(x *insight.Invitation) {
			x.Brought = []clock.Milli{born - 1, born, month - 1, month}
		})
		for at, want := range map[clock.Milli]insight.K{month - 1: {}, month: {Invitees: 1, Brought: 2, Bps: new(int64(20_000))}} {
			if diff := cmp.Diff(want, insight.Count(brought, at).K); diff != "" {
				t.Errorf("at %d: %s", at-month, diff)
			}
		}
	})
	t.Run("kept", func(t *testing.T) {
		for name, c := range map[string]struct {
			change func(x *insight.Invitation)
			at     clock.Milli
			want   insight.Kept
		}{
			"too young":               {func(x *insight.Invitation) { x.Stayed = true }, month - 1, insight.Kept{}},
			"in a group":              {func(x *insight.Invitation) { x.Stayed = true }, month, insight.Kept{Invitees: 1, Kept: 1, Bps: new(int64(10_000)), Cost: new(money.Amount(0))}},
			"one order":               {func(x *insight.Invitation) { x.Paid = []clock.Milli{born} }, month, insight.Kept{Invitees: 1, Bps: new(int64(0))}},
			"two orders":              {func(x *insight.Invitation) { x.Paid = []clock.Milli{born, month - 1} }, month, insight.Kept{Invitees: 1, Kept: 1, Bps: new(int64(10_000)), Cost: new(money.Amount(0))}},
			"the second a day late":   {func(x *insight.Invitation) { x.Paid = []clock.Milli{born, month} }, month, insight.Kept{Invitees: 1, Bps: new(int64(0))}},
			"what nobody kept costs":  {reward(0, 700), month, insight.Kept{Invitees: 1, Bps: new(int64(0)), Rewards: 700}},
			"what the one kept costs": {func(x *insight.Invitation) { reward(0, 700)(x); x.Stayed = true }, month, insight.Kept{Invitees: 1, Kept: 1, Bps: new(int64(10_000)), Rewards: 700, Cost: new(money.Amount(700))}},
		} {
			if diff := cmp.Diff(c.want, insight.Count(bound(c.change), c.at).Kept); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
	t.Run("promise", func(t *testing.T) {
		last := born.Add(11 * day)
		for name, c := range map[string]struct {
			change func(x *insight.Invitation)
			at     clock.Milli
			want   insight.Promise
		}{
			"not due":                {reward(0, 500), last - 1, insight.Promise{}},
			"overdue":                {reward(0, 500), last, insight.Promise{Due: 1, Open: 1, Bps: new(int64(0))}},
			"on its last moment":     {reward(last, 500), last, insight.Promise{Due: 1, OnTime: 1, Bps: new(int64(10_000))}},
			"late":                   {reward(last+1, 500), last + 1, insight.Promise{Due: 1, Late: 1, Bps: new(int64(0))}},
			"taken back before":      {reward(0, 0), last, insight.Promise{}},
			"cleared and taken back": {reward(born.Add(10*day), 0), last, insight.Promise{Due: 1, OnTime: 1, Bps: new(int64(10_000))}},
		} {
			if diff := cmp.Diff(c.want, insight.Count(bound(c.change), c.at).Promise); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
	t.Run("cohorts", func(t *testing.T) {
		paid := bound(func(x *insight.Invitation) {
			x.Paid = []clock.Milli{born.Add(7*day - time.Millisecond), born.Add(14 * day)}
		})
		got := insight.Count(paid, born.Add(21*day)).Cohorts
		want := make([]insight.Retained, 8)
		want[0], want[1], want[2] = insight.Retained{Of: 1, Bought: 1}, insight.Retained{Of: 1}, insight.Retained{Of: 1, Bought: 1}
		if diff := cmp.Diff([]insight.Cohort{{Week: 20260302, Size: 1, Weeks: want}}, got); diff != "" {
			t.Error(diff)
		}
		sunday := bound(func(x *insight.Invitation) { x.BoundAt = born.Add(-11 * time.Hour) }) // 23:00 on Sunday
		if got := insight.Count(sunday, born).Cohorts[0].Week; got != 20260223 {
			t.Errorf("a Sunday night is of the week of %d, want 20260223", got)
		}
	})
	t.Run("heads", func(t *testing.T) {
		brought := func(counts ...int) []insight.Invitation {
			var list []insight.Invitation
			for i, n := range counts {
				for range n {
					list = append(list, insight.Invitation{Invitee: id.Member(1000 + len(list)), Inviter: id.Member(i + 1), BoundAt: born})
				}
			}
			return list
		}
		twenty := func(head, rest int) []int {
			counts := make([]int, 20)
			for i := range counts {
				if counts[i] = rest; i < 10 {
					counts[i] = head
				}
			}
			return counts
		}
		for name, c := range map[string]struct {
			counts []int
			want   insight.Warning
		}{
			"nobody":                      {nil, insight.WarnNone},
			"one of few":                  {[]int{49}, insight.WarnNone},
			"one of fifty":                {[]int{15, 7, 7, 7, 7, 7}, insight.WarnOne},
			"just under three tenths":     {[]int{29, 24, 24, 24}, insight.WarnNone},
			"ten of twenty":               {twenty(3, 2), insight.WarnTen},
			"all alike":                   {twenty(2, 2), insight.WarnNone},
			"ten of nineteen are no mass": {twenty(3, 1)[:19], insight.WarnNone},
		} {
			if got := insight.Count(brought(c.counts...), born).Heads; got.Warning != c.want {
				t.Errorf("%s: got %+v, want %q", name, got, c.want)
			}
		}
	})
	t.Run("of nobody nothing is known", func(t *testing.T) {
		f := insight.Count(nil, born)
		if f.K.Bps != nil || f.Kept.Bps != nil || f.Kept.Cost != nil || f.Promise.Bps != nil || f.Heads.One != nil || f.Heads.Ten != nil || f.Heads.Inviters != 0 {
			t.Errorf("got %+v", f)
		}
		young := insight.Count(bound(reward(0, 500)), born)
		if young.K.Bps != nil || young.Kept.Bps != nil || young.Promise.Bps != nil || *young.Heads.One != 10_000 {
			t.Errorf("one who is a moment old: got %+v", young)
		}
		said, err := json.Marshal(young)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`"k_bp":null`, `"kept_bp":null`, `"cost_per_kept_fen":null`, `"on_time_bp":null`} {
			if !strings.Contains(string(said), want) {
				t.Errorf("%s lacks %s", said, want)
			}
		}
	})
	if f := insight.Count(bound(none), born); f.Invitees != 1 || f.Bought != 0 || f.Depths[0] != (insight.Depth{Depth: 1, Invitees: 1}) {
		t.Errorf("one: %+v", f)
	}
}
