package campaign

import (
	"context"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

// EarlyFrom is the moment from which this member may claim before the campaign
// starts, or zero if he must wait for the start. He must belong to the
// campaign's audience. Pages ask it; a claim decides by its own reading.
func (s *Service) EarlyFrom(ctx context.Context, c Campaign, m id.Member) (clock.Milli, error) {
	if len(c.Audience.Early) == 0 || m == 0 {
		return 0, nil
	}
	f, err := factsOf(s.DB.Read(ctx), c, m, clock.MilliOf(s.DB.Clock.Now()))
	if err != nil {
		return 0, err
	}
	return earlyFrom(c.Audience, f, clock.MilliOf(s.DB.Clock.Now())), nil
}

// earlyFrom is the first moment an early entry serves such a member.
func earlyFrom(a Audience, f Facts, now clock.Milli) clock.Milli {
	if ok, _ := Allows(a, f, now); !ok {
		return 0
	}
	var first clock.Milli
	for _, e := range a.Early {
		if (common(e.Tags, f.Tags) || common(e.Groups, f.Groups)) && (first == 0 || e.From < first) {
			first = e.From
		}
	}
	return first
}

// factsOf reads what the campaign's audience asks about one member.
func factsOf(q *database.Query, c Campaign, m id.Member, now clock.Milli) (Facts, error) {
	var need ask
	need.add(c.Audience)
	members := []id.Member{m}
	b := &batch{now: now, facts: map[id.Member]*Facts{}, frozen: map[id.Program]map[id.Member]referral.Frozen{}}
	for _, r := range need.reads(members, now, b.facts) {
		if err := r.On(q); err != nil {
			return Facts{}, err
		}
	}
	var err error
	if len(c.Audience.allGroups()) > 0 {
		if b.groups, err = community.GroupsOf(q, members); err != nil {
			return Facts{}, err
		}
	}
	if c.Audience.Invited {
		if b.frozen[c.ProgramID], err = referral.FrozenIn(q, c.ProgramID, members, now); err != nil {
			return Facts{}, err
		}
	}
	return b.factsOf(&c, m), nil
}
