package insight

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/money"
)

// zone is where weeks begin. China has had one offset since 1992.
var zone = time.FixedZone(clock.Shanghai, 8*60*60)

// Count is what invitations come to at a moment.
func Count(list []Invitation, now clock.Milli) Figures {
	f := Figures{Invitees: len(list), Depths: []Depth{}, Cohorts: []Cohort{}}
	depths := map[int]int{}
	cohorts := map[int]*Cohort{}
	heads := map[id.Member]*Head{}
	for _, x := range list {
		if len(x.Paid) > 0 {
			f.Bought++
		}
		depths[x.Depth]++
		f.K.add(x, now)
		f.Kept.add(x, now)
		f.Promise.add(x, now)
		monday := mondayOf(x.BoundAt)
		if cohorts[monday] == nil {
			cohorts[monday] = &Cohort{Week: monday, Weeks: make([]Retained, weeksShown)}
		}
		cohorts[monday].add(x, now)
		if heads[x.Inviter] == nil {
			heads[x.Inviter] = &Head{Member: x.Inviter}
		}
		heads[x.Inviter].add(x)
	}
	f.K.Bps = share(f.K.Brought, f.K.Invitees)
	f.Kept.Bps = share(f.Kept.Kept, f.Kept.Invitees)
	if f.Kept.Kept > 0 {
		cost := f.Kept.Rewards / money.Amount(f.Kept.Kept)
		f.Kept.Cost = &cost
	}
	f.Promise.Bps = share(f.Promise.OnTime, f.Promise.Due)
	for _, d := range slices.Sorted(maps.Keys(depths)) {
		f.Depths = append(f.Depths, Depth{d, depths[d]})
	}
	for _, monday := range slices.Sorted(maps.Keys(cohorts)) {
		f.Cohorts = append(f.Cohorts, *cohorts[monday])
	}
	f.Heads = headsOf(heads, len(list))
	return f
}

// share is n of all in basis points, and unknown of none.
func share(n, all int) *int64 {
	if all == 0 {
		return nil
	}
	bps := int64(n) * 10_000 / int64(all)
	return &bps
}

// mondayOf is the local Monday of the week of a moment.
func mondayOf(at clock.Milli) int {
	t := at.Time().In(zone)
	return clock.Day(t.AddDate(0, 0, -(int(t.Weekday())+6)%7), zone)
}

func (k *K) add(x Invitation, now clock.Milli) {
	until := x.BoundAt.Add(bringWithin)
	if until > now {
		return
	}
	k.Invitees++
	for _, at := range x.Brought {
		if at >= x.BoundAt && at < until {
			k.Brought++
		}
	}
}

func (k *Kept) add(x Invitation, now clock.Milli) {
	until := x.BoundAt.Add(keptAfter)
	if until > now {
		return
	}
	k.Invitees++
	for _, r := range x.Rewards {
		k.Rewards += r.Net
	}
	orders := 0
	for _, at := range x.Paid {
		if at < until {
			orders++
		}
	}
	if x.Stayed || orders > 1 {
		k.Kept++
	}
}

func (p *Promise) add(x Invitation, now clock.Milli) {
	for _, r := range x.Rewards {
		until := r.MaturesAt.Add(onTime)
		if until > now || r.ClearedAt == 0 && r.Net == 0 {
			continue // not due yet, or taken back before it was
		}
		p.Due++
		switch {
		case r.ClearedAt == 0:
			p.Open++
		case r.ClearedAt <= until:
			p.OnTime++
		default:
			p.Late++
		}
	}
}

func (c *Cohort) add(x Invitation, now clock.Milli) {
	c.Size++
	for n := range c.Weeks {
		from := x.BoundAt.Add(time.Duration(n) * week)
		until := from.Add(week)
		if until > now {
			return
		}
		c.Weeks[n].Of++
		if slices.ContainsFunc(x.Paid, func(at clock.Milli) bool { return at >= from && at < until }) {
			c.Weeks[n].Bought++
		}
	}
}

func (h *Head) add(x Invitation) {
	h.Invitees++
	if len(x.Paid) > 0 {
		h.Bought++
	}
	for _, r := range x.Rewards {
		h.Rewards += r.Net
	}
}

// headsOf sorts the inviters by whom they brought and says how much hangs on
// the first ones.
func headsOf(all map[id.Member]*Head, invitees int) Heads {
	list := make([]Head, 0, len(all))
	for _, h := range all {
		list = append(list, *h)
	}
	slices.SortFunc(list, func(a, b Head) int {
		return cmp.Or(cmp.Compare(b.Invitees, a.Invitees), cmp.Compare(a.Member, b.Member))
	})
	out := Heads{Inviters: len(list), List: list[:min(len(list), headsShown)]}
	ten := 0
	for _, h := range out.List {
		ten += h.Invitees
	}
	if len(list) == 0 {
		return out
	}
	out.One, out.Ten = share(list[0].Invitees, invitees), share(ten, invitees)
	switch {
	case *out.One >= oneShare && invitees >= oneInvitees:
		out.Warning = WarnOne
	case *out.Ten >= tenShare && len(list) >= tenInviters:
		out.Warning = WarnTen
	}
	return out
}
