package invite_test

import (
	"cmp"
	"slices"
	"time"

	"siyu/campaign/invite"
	"siyu/internal/clock"
	"siyu/internal/id"
)

// stepsBook is a campaign with steps as its rules say it: who brought whom,
// who stays in the group, who bought, and what that was worth when measured.
type stepsBook struct {
	now, starts, ends clock.Milli
	people            []guest
	orders            []*bought
	scores            []int // inviters in the order they were first counted
	rewards           []*stepReward
	days              map[dayOf]int
	caps              invite.Caps
	given             int64 // rewards and points that count against the caps
	points            int64
	paused, ended     bool // by hand
	closed            bool
	off               int64 // the error planted in a cap
}

// guest is a person: whom he became, who brought him, when he was in the group.
type guest struct {
	id           id.Member
	code         string
	into         int
	bonds        []*bond
	joined, left clock.Milli
	points       int64
	reached      [3]bool
}

type bond struct {
	inviter   int
	at, until clock.Milli
	void      bool
	stayed    bool // as measured
}

type bought struct {
	who      int
	at       clock.Milli
	refunded bool
}

type stepReward struct {
	who, step int
	state     invite.RewardState
	reason    invite.Reason
	points    int64
	next      clock.Milli
}

type dayOf struct{ who, day int }

const (
	stay   = 2 * 24 * time.Hour
	lapse  = 30 * 24 * time.Hour
	leeway = 10 * time.Minute
)

// worth are the steps: whom they count, how many, and how many points they give
// after how long.
var worth = [3]struct {
	buyers bool
	count  int
	points int64
	hold   time.Duration
}{{false, 1, 50, 0}, {true, 1, 30, 24 * time.Hour}, {false, 2, 70, 0}}

func (b *stepsBook) root(who int) int {
	for b.people[who].into != who {
		who = b.people[who].into
	}
	return who
}

// stays says when the person has stayed long enough for the bond, 0 for never.
func (b *stepsBook) stays(who int, in *bond) clock.Milli {
	p := b.people[who]
	enough := p.joined.Add(stay)
	if p.joined == 0 || p.joined < in.at.Add(-leeway) || p.joined >= min(in.until, b.ends) || p.left != 0 && p.left < enough {
		return 0
	}
	return enough
}

// buys says whether the person's first order was paid within the bond, and one
// is not refunded.
func (b *stepsBook) buys(who int, in *bond) bool {
	var mine []*bought
	for _, o := range b.orders {
		if b.root(o.who) == who {
			mine = append(mine, o)
		}
	}
	slices.SortStableFunc(mine, func(x, y *bought) int { return cmp.Compare(x.at, y.at) })
	return len(mine) > 0 && mine[0].at >= in.at &&
		slices.ContainsFunc(mine, func(o *bought) bool { return o.at < min(in.until, b.ends) && !o.refunded })
}

// speaking is the bond by which the person counts: his first that stands.
func (b *stepsBook) speaking(who int) *bond {
	for _, x := range b.people[who].bonds {
		if !x.void && x.at >= b.starts && x.at < b.ends {
			return x
		}
	}
	return nil
}

// counts are the inviter's stayers and buyers, as of now.
func (b *stepsBook) counts(inviter int) (stayed, buyers int) {
	for who, p := range b.people {
		x := b.speaking(who)
		if p.into != who || x == nil || b.root(x.inviter) != inviter {
			continue
		}
		if x.stayed {
			stayed++
		}
		if b.buys(who, x) {
			buyers++
		}
	}
	return stayed, buyers
}

// measure is a measurement: it judges, grants the steps and gives what is due.
func (b *stepsBook) measure() {
	if b.ended {
		b.ends = min(b.ends, b.now) // an early end counts from when it is seen
	}
	if !b.closed {
		b.judge()
		if b.now >= b.ends.Add(stay+24*time.Hour) {
			b.closed = true
		}
		for _, who := range b.scores {
			if !b.paused || b.ended || b.now >= b.ends {
				b.grant(who)
			}
		}
	}
	for _, w := range b.rewards {
		b.give(w)
	}
}

func (b *stepsBook) judge() {
	var fresh []int
	for who := range b.people {
		x := b.speaking(who)
		if b.people[who].into != who || x == nil {
			continue
		}
		if at := b.stays(who, x); at != 0 && at <= b.now {
			x.stayed = true
		}
		if inviter := b.root(x.inviter); !slices.Contains(b.scores, inviter) && !slices.Contains(fresh, inviter) {
			fresh = append(fresh, inviter)
		}
	}
	slices.SortFunc(fresh, func(x, y int) int { return cmp.Compare(b.people[x].id, b.people[y].id) })
	b.scores = append(b.scores, fresh...)
}

// grant writes a reward for each step newly reached, within the caps.
func (b *stepsBook) grant(who int) {
	if b.people[who].into != who {
		return
	}
	stayed, buyers := b.counts(who)
	for i, s := range worth {
		n := stayed
		if s.buyers {
			n = buyers
		}
		if n < s.count || b.people[who].reached[i] {
			continue
		}
		b.people[who].reached[i] = true
		had := int64(0)
		for _, w := range b.rewards {
			if b.root(w.who) == who && w.state != invite.RewardSkipped {
				had++
			}
		}
		w := &stepReward{who: who, step: i + 1, state: invite.RewardMaturing, points: s.points, next: b.now.Add(s.hold)}
		b.rewards = append(b.rewards, w)
		switch left := b.caps.Points - b.points; {
		case had >= b.caps.PerInviter+b.off:
			w.state, w.reason = invite.RewardSkipped, invite.ReasonInviterCap
		case b.given >= b.caps.PerCampaign:
			w.state, w.reason = invite.RewardSkipped, invite.ReasonCampaignCap
		case left <= 0:
			w.state, w.reason = invite.RewardSkipped, invite.ReasonPointsCap
		default:
			if s.hold > 0 {
				w.reason = invite.ReasonHold
			}
			if w.points > left {
				w.points, w.reason = left, invite.ReasonPointsClamped
			}
			b.given, b.points = b.given+1, b.points+w.points
		}
	}
}

// give gives the reward if it is due and the day has room.
func (b *stepsBook) give(w *stepReward) {
	if w.state != invite.RewardMaturing && w.state != invite.RewardWaiting || w.next > b.now {
		return
	}
	const day = clock.Milli(86_400_000)
	today := dayOf{w.who, int((b.now + day/3) / day)}
	if b.days[today] >= int(b.caps.PerInviterDay) {
		w.state, w.reason, w.next = invite.RewardWaiting, invite.ReasonInviterDayCap, clock.Milli(today.day+1)*day-day/3
		return
	}
	b.days[today]++
	b.people[b.root(w.who)].points += w.points
	if w.state = invite.RewardGiven; w.reason != invite.ReasonPointsClamped {
		w.reason = ""
	}
}

// bind makes the person the inviter's, or says why not.
func (b *stepsBook) bind(inviter, who int) string {
	if inviter == who {
		return "self"
	}
	for _, x := range b.people[who].bonds {
		if !x.void && x.until > b.now {
			if b.root(x.inviter) == inviter {
				return ""
			}
			return "bound"
		}
	}
	b.people[who].bonds = append(b.people[who].bonds, &bond{inviter: inviter, at: b.now, until: b.now.Add(lapse)})
	return ""
}

// merge makes one person of two, of whom at most one was brought by anybody.
func (b *stepsBook) merge(from, into int) {
	f, t := &b.people[from], &b.people[into]
	f.into = into
	t.points += f.points
	t.bonds = append(t.bonds, f.bonds...)
	for _, x := range t.bonds {
		if b.root(x.inviter) == into {
			x.void = true
		}
	}
	for i := range t.reached {
		t.reached[i] = t.reached[i] || f.reached[i]
	}
	switch {
	case f.joined == 0:
	case t.joined == 0:
		t.joined, t.left = f.joined, f.left
	case t.left == 0 || f.left == 0:
		t.joined, t.left = min(t.joined, f.joined), 0
	default:
		t.joined, t.left = min(t.joined, f.joined), max(t.left, f.left)
	}
}
