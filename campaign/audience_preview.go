package campaign

import (
	"context"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

// Preview is how many members an audience lets in, as of one snapshot. Refused
// counts the others by the first reason, a fault's code.
type Preview struct {
	CampaignID id.Campaign      `json:"campaign_id"`
	At         clock.Milli      `json:"at"`
	Seen       int64            `json:"seen"`
	Matching   int64            `json:"matching"`
	Early      int64            `json:"early"` // of those, with early access
	Refused    map[string]int64 `json:"refused"`
	Complete   bool             `json:"complete"` // every member was looked at
}

// How a preview walks: so many members at a time, and for so long.
const (
	previewStep = 200
	previewFor  = 20 * time.Second
)

// PreviewAudience counts whom the campaign's audience lets in now. With many
// members it stops after twenty seconds and says so.
func (s *Service) PreviewAudience(ctx context.Context, cid id.Campaign) (Preview, error) {
	c, err := s.FindCampaign(ctx, cid)
	if err != nil {
		return Preview{}, err
	}
	out := Preview{CampaignID: cid, At: clock.MilliOf(s.DB.Clock.Now()), Refused: map[string]int64{}}
	until := time.Now().Add(previewFor)
	err = s.DB.Snapshot(ctx, func(q *database.Query) error {
		for after := id.Member(0); time.Now().Before(until); {
			var members []id.Member
			err := q.Raw("SELECT id FROM members WHERE id > ? AND status = ? ORDER BY id LIMIT ?", after, community.MemberActive, previewStep).Scan(&members).Error
			if err != nil {
				return err
			}
			if len(members) == 0 {
				out.Complete = true
				return nil
			}
			after = members[len(members)-1]
			if err := out.count(q, c, members); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// count adds these members.
func (p *Preview) count(q *database.Query, c Campaign, members []id.Member) (err error) {
	var need ask
	need.add(c.Audience)
	b := &batch{now: p.At, facts: map[id.Member]*Facts{}, frozen: map[id.Program]map[id.Member]referral.Frozen{}}
	for _, r := range need.reads(members, p.At, b.facts) {
		if err := r.On(q); err != nil {
			return err
		}
	}
	if len(c.Audience.allGroups()) > 0 {
		if b.groups, err = community.GroupsOf(q, members); err != nil {
			return err
		}
	}
	if c.Audience.Invited {
		if b.frozen[c.ProgramID], err = referral.FrozenIn(q, c.ProgramID, members, p.At); err != nil {
			return err
		}
	}
	for _, m := range members {
		p.Seen++
		f := b.factsOf(&c, m)
		ok, why := Allows(c.Audience, f, p.At)
		if !ok {
			p.Refused[why.Code]++
			continue
		}
		p.Matching++
		if c.Audience.lets(f, c.StartsAt) {
			p.Early++
		}
	}
	return nil
}
