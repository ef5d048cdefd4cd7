package review_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/referral/review"
)

const (
	inviter = id.Member(1)
	invitee = id.Member(2)
	hour    = clock.Milli(60 * 60 * 1000)
	day     = 24 * hour
	now     = 200 * day
)

// plain is an invitation about which nothing is known.
func plain() review.Facts {
	return review.Facts{Now: now, BoundAt: now - 7*day, Inviter: inviter, Invitee: invitee,
		Invitations: []review.Invitation{{Inviter: inviter, Invitee: invitee, At: now - 7*day}}}
}

// with adds marks to the facts.
func with(kind review.MarkKind, hash string, members ...id.Member) func(*review.Facts) {
	return func(f *review.Facts) {
		for _, m := range members {
			f.Marks = append(f.Marks, review.Mark{Member: m, Kind: kind, Hash: hash})
		}
	}
}

// brought adds n invitees 100, 101, … of the inviter, this far apart.
func brought(n int, from, step clock.Milli) func(*review.Facts) {
	return func(f *review.Facts) {
		for i := range n {
			f.Invitations = append(f.Invitations, review.Invitation{Inviter: inviter, Invitee: id.Member(100 + i), At: from + clock.Milli(i)*step})
		}
	}
}

func members(from, n int) []id.Member {
	out := make([]id.Member, n)
	for i := range out {
		out[i] = id.Member(from + i)
	}
	return out
}

func TestAssess(t *testing.T) {
	bound := now - 7*day
	for _, c := range []struct {
		name string
		see  []func(*review.Facts)
		want []review.Reason
		is   review.Outcome
	}{
		{"nothing is known", nil, nil, review.OutcomePass},
		{"one is on the blocklist", []func(*review.Facts){func(f *review.Facts) { f.Blocked = []id.Member{invitee} }},
			[]review.Reason{{Rule: "blocked", Observed: 1, Members: []id.Member{invitee}}}, review.OutcomeRefuse},
		{"one identity number", []func(*review.Facts){with(review.MarkPerson, "7", inviter, invitee)},
			[]review.Reason{{Rule: "same_person", Observed: 1, Members: []id.Member{inviter, invitee}}}, review.OutcomeRefuse},
		{"one account", []func(*review.Facts){with(review.MarkAccount, "a", inviter, invitee)},
			[]review.Reason{{Rule: "same_account", Observed: 1, Members: []id.Member{inviter, invitee}}}, review.OutcomeReview},
		{"two devices in common", []func(*review.Facts){with(review.MarkDevice, "d", inviter, invitee), with(review.MarkDevice, "e", inviter, invitee)},
			[]review.Reason{{Rule: "same_device", Observed: 2, Members: []id.Member{inviter, invitee}}}, review.OutcomeReview},
		{"one address", []func(*review.Facts){with(review.MarkAddress, "x", inviter, invitee)},
			[]review.Reason{{Rule: "same_address", Observed: 1, Members: []id.Member{inviter, invitee}}}, review.OutcomeReview},
		{"one network says nothing", []func(*review.Facts){with(review.MarkNetwork, "n", inviter, invitee)}, nil, review.OutcomePass},
		{"three on a device are a family", []func(*review.Facts){with(review.MarkDevice, "d", invitee, 11, 12)}, nil, review.OutcomePass},
		{"four on a device are a crowd", []func(*review.Facts){with(review.MarkDevice, "d", invitee, 11, 12, 13)},
			[]review.Reason{{Rule: "device_crowd", Observed: 4, Limit: 3, Members: []id.Member{invitee, 11, 12, 13}}}, review.OutcomeReview},
		{"three on the inviter's account", []func(*review.Facts){with(review.MarkAccount, "a", inviter, 11, 12)},
			[]review.Reason{{Rule: "account_crowd", Observed: 3, Limit: 2, Members: []id.Member{inviter, 11, 12}}}, review.OutcomeReview},
		{"six at an address", []func(*review.Facts){with(review.MarkAddress, "x", members(2, 6)...)},
			[]review.Reason{{Rule: "address_crowd", Observed: 6, Limit: 5, Members: members(2, 6)}}, review.OutcomeReview},
		{"a circle of three, the shortest way", []func(*review.Facts){func(f *review.Facts) {
			f.Invitations = append(f.Invitations, review.Invitation{Inviter: 5, Invitee: inviter}, review.Invitation{Inviter: invitee, Invitee: 5},
				review.Invitation{Inviter: 6, Invitee: 5}, review.Invitation{Inviter: invitee, Invitee: 6})
		}}, []review.Reason{{Rule: "circle", Observed: 3, Members: []id.Member{invitee, 5, inviter}}}, review.OutcomeReview},
		{"a line above is no circle", []func(*review.Facts){func(f *review.Facts) {
			f.Invitations = append(f.Invitations, review.Invitation{Inviter: 5, Invitee: inviter}, review.Invitation{Inviter: inviter, Invitee: 5})
		}}, nil, review.OutcomePass},
		{"accounts that hang together in a chain", []func(*review.Facts){brought(3, now-60*day, 2*day),
			with(review.MarkDevice, "d", invitee, 100), with(review.MarkAddress, "x", 100, 101), with(review.MarkAccount, "a", 101, 102)},
			[]review.Reason{{Rule: "ring", Observed: 4, Limit: 3, Members: []id.Member{invitee, 100, 101, 102}}}, review.OutcomeReview},
		{"a ring the invitee is not part of", []func(*review.Facts){brought(4, now-60*day, 2*day), with(review.MarkAddress, "x", 100, 101, 102, 103)},
			nil, review.OutcomePass},
		{"a hundred in a day", []func(*review.Facts){brought(99, bound-10*hour, hour/5)}, nil, review.OutcomePass},
		{"a hundred and one in a day", []func(*review.Facts){brought(100, bound-10*hour, hour/5)},
			[]review.Reason{{Rule: "inviter_day", Observed: 101, Limit: 100, Members: members(100, 20)}}, review.OutcomeReview},
		{"a hundred and one in two days", []func(*review.Facts){brought(100, bound-20*hour, hour*2/5)}, nil, review.OutcomePass},
		{"twenty-one of one network in a day", []func(*review.Facts){brought(20, bound+hour, hour), with(review.MarkNetwork, "n", append(members(100, 20), invitee)...)},
			[]review.Reason{{Rule: "network_day", Observed: 21, Limit: 20, Members: append([]id.Member{invitee}, members(100, 19)...)}}, review.OutcomeReview},
		{"twenty-one of two networks", []func(*review.Facts){brought(20, bound+hour, hour), with(review.MarkNetwork, "n", append(members(100, 19), invitee)...),
			with(review.MarkNetwork, "m", members(119, 1)...)}, nil, review.OutcomePass},
		{"nine of ten invitees gone", []func(*review.Facts){brought(10, now-60*day, day), func(f *review.Facts) { f.Kept = map[id.Member]bool{100: true} }},
			[]review.Reason{{Rule: "lost_invitees", Observed: 9000, Limit: 8000, Members: members(101, 9)}}, review.OutcomeReview},
		{"nine of nine say too little", []func(*review.Facts){brought(9, now-60*day, day)}, nil, review.OutcomePass},
		{"the sternest names the outcome", []func(*review.Facts){with(review.MarkPerson, "7", inviter, invitee), with(review.MarkDevice, "d", inviter, invitee)},
			[]review.Reason{{Rule: "same_person", Observed: 1, Members: []id.Member{inviter, invitee}}, {Rule: "same_device", Observed: 1, Members: []id.Member{inviter, invitee}}},
			review.OutcomeRefuse},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := plain()
			for _, see := range c.see {
				see(&f)
			}
			if c.want == nil {
				c.want = []review.Reason{}
			}
			got := review.Assess(review.DefaultPolicy(), f)
			if diff := cmp.Diff(review.Assessment{Outcome: c.is, Policy: 1, Reasons: c.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAssessByPolicy(t *testing.T) {
	f := plain()
	with(review.MarkDevice, "d", inviter, invitee)(&f)
	for act, want := range map[review.Act]review.Outcome{
		review.ActOff: review.OutcomePass, review.ActReview: review.OutcomeReview, review.ActRefuse: review.OutcomeRefuse,
	} {
		p := review.DefaultPolicy()
		p.Rules[review.RuleSameDevice] = review.Setting{Act: act}
		if got := review.Assess(p, f).Outcome; got != want {
			t.Errorf("%s: got %s, want %s", act, got, want)
		}
	}
}

// TestReasonsAreWorded: each rule has a sentence of its own in both languages,
// with its numbers filled in.
func TestReasonsAreWorded(t *testing.T) {
	said := map[string]review.Rule{}
	for rule := range review.DefaultPolicy().Rules {
		r := review.Reason{Rule: rule, Observed: 41, Limit: 17}
		for _, lang := range []string{"zh", "en"} {
			text := r.Text(lang)
			if other, taken := said[text]; taken || strings.ContainsAny(text, "{}") {
				t.Errorf("%s in %s says %q like %q", rule, lang, text, other)
			}
			said[text] = rule
		}
	}
}
