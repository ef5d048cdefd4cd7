package insight

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

// Bounds of one reading.
const (
	invitationsMost = 20_000
	inAtOnce        = 200
	deepest         = 64
)

// Read counts the invitations of a window: for staff, those made with codes of
// their units.
func (s *Service) Read(ctx context.Context, w Window) (Figures, error) {
	if err := w.Validate(); err != nil {
		return Figures{}, err
	}
	var list []Invitation
	more := false
	now := clock.MilliOf(s.DB.Clock.Now())
	err := s.DB.Snapshot(ctx, func(q *database.Query) error {
		var err error
		if list, more, err = invitations(ctx, q, w); err != nil {
			return err
		}
		for _, add := range []func(*database.Query, []Invitation) error{addDepths, addOrders, addStays, addBrought, addRewards} {
			if err := add(q, list); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Figures{}, fmt.Errorf("insight: read: %w", err)
	}
	f := Count(list, now)
	f.From, f.To, f.Truncated = w.From, w.To, more
	return f, nil
}

// invitations are those bound in the window, the earliest first; of several of
// one invitee the last.
func invitations(ctx context.Context, q *database.Query, w Window) (list []Invitation, more bool, err error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	rows, err := referral.BoundBetween(q, w.Program, w.From, w.To, cond, args, invitationsMost+1)
	if err != nil {
		return nil, false, err
	}
	if more = len(rows) > invitationsMost; more {
		rows = rows[:invitationsMost]
	}
	at := map[id.Member]int{}
	for _, b := range rows {
		x := Invitation{Binding: b.BindingID, Invitee: b.InviteeID, Inviter: b.InviterID, BoundAt: b.BoundAt}
		if i, seen := at[b.InviteeID]; seen {
			list[i] = x
			continue
		}
		at[b.InviteeID] = len(list)
		list = append(list, x)
	}
	return list, more, nil
}

// people are the members of one side, each once, by id ascending.
func people(list []Invitation, of func(Invitation) id.Member) []id.Member {
	all := make([]id.Member, len(list))
	for i, x := range list {
		all[i] = of(x)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func invitee(x Invitation) id.Member { return x.Invitee }
func inviter(x Invitation) id.Member { return x.Inviter }

// addDepths walks up from the inviters, a generation at a time.
func addDepths(q *database.Query, list []Invitation) error {
	up := map[id.Member]id.Member{}
	for _, x := range list {
		up[x.Invitee] = x.Inviter
	}
	ask := people(list, inviter)
	for range deepest {
		ask = slices.DeleteFunc(ask, func(m id.Member) bool { _, known := up[m]; return known })
		if len(ask) == 0 {
			break
		}
		var next []id.Member
		for some := range slices.Chunk(ask, inAtOnce) {
			found, err := referral.InvitersOf(q, some)
			if err != nil {
				return err
			}
			for _, m := range some {
				if up[m] = found[m]; found[m] != 0 {
					next = append(next, found[m])
				}
			}
		}
		slices.Sort(next)
		ask = slices.Compact(next)
	}
	for i, x := range list {
		m := x.Invitee
		for list[i].Depth < deepest && up[m] != 0 {
			list[i].Depth++
			m = up[m]
		}
	}
	return nil
}

// addOrders adds when invitees paid, from their binding on.
func addOrders(q *database.Query, list []Invitation) error {
	paid := map[id.Member][]clock.Milli{}
	for some := range slices.Chunk(people(list, invitee), inAtOnce) {
		facts, err := community.FactsOf(q, some, community.FactOrderPaid)
		if err != nil {
			return err
		}
		for _, f := range facts {
			paid[f.Member] = append(paid[f.Member], f.At)
		}
	}
	for i, x := range list {
		for _, at := range paid[x.Invitee] {
			if at >= x.BoundAt {
				list[i].Paid = append(list[i].Paid, at)
			}
		}
	}
	return nil
}

// addStays says who was in a group on day 30.
func addStays(q *database.Query, list []Invitation) error {
	stays := map[id.Member][]community.Membership{}
	for some := range slices.Chunk(people(list, invitee), inAtOnce) {
		found, err := community.StaysOf(q, some)
		if err != nil {
			return err
		}
		maps.Copy(stays, found)
	}
	for i, x := range list {
		then := x.BoundAt.Add(keptAfter)
		list[i].Stayed = slices.ContainsFunc(stays[x.Invitee], func(m community.Membership) bool {
			return m.JoinedAt <= then && (m.LeftAt == 0 || m.LeftAt > then)
		})
	}
	return nil
}

// addBrought adds when those were bound whom the invitees brought in turn.
func addBrought(q *database.Query, list []Invitation) error {
	brought := map[id.Member][]clock.Milli{}
	for some := range slices.Chunk(people(list, invitee), inAtOnce) {
		found, err := referral.BroughtByMembers(q, some)
		if err != nil {
			return err
		}
		for _, b := range found {
			brought[b.InviterID] = append(brought[b.InviterID], b.BoundAt)
		}
	}
	for i, x := range list {
		list[i].Brought = brought[x.Invitee]
	}
	return nil
}

// addRewards adds what the invitations promised either side. Rewards are found
// by who gets them, which an index knows.
func addRewards(q *database.Query, list []Invitation) error {
	of := make(map[id.Binding]int, len(list))
	for i, x := range list {
		of[x.Binding] = i
	}
	both := slices.Concat(people(list, invitee), people(list, inviter))
	slices.SortFunc(both, func(a, b id.Member) int { return cmp.Compare(a, b) })
	for some := range slices.Chunk(slices.Compact(both), inAtOnce) {
		found, err := referral.PromisedTo(q, some)
		if err != nil {
			return err
		}
		for _, r := range found {
			if i, ours := of[r.BindingID]; ours {
				list[i].Rewards = append(list[i].Rewards, Promised{r.Net, r.MaturesAt, r.ClearedAt})
			}
		}
	}
	return nil
}
