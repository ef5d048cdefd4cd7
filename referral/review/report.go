package review

import (
	"context"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// SightingIn is what the mall saw a member with. What it names is hashed at
// once and kept nowhere.
type SightingIn struct {
	Member  id.Member `json:"member_id"`
	Device  string    `json:"device"`
	Address string    `json:"address"`
	IP      string    `json:"ip"`
}

// reportsMost is how many sightings one report holds, textMost how long a
// device's name or an address may be.
const (
	reportsMost = 200
	textMost    = 300
)

// SightingsIn is a report.
type SightingsIn struct {
	Sightings []SightingIn `json:"sightings"`
}

// Validate names everything wrong with the input.
func (in SightingsIn) Validate() error {
	var c fault.Check
	c.Range(int64(len(in.Sightings)), "sightings", 1, reportsMost)
	for i, x := range in.Sightings {
		at := fmt.Sprintf("sightings[%d].", i)
		c.That(x.Member != 0, at+"member_id", "required", "必填", "is required")
		c.Length(x.Device, at+"device", textMost)
		c.Length(x.Address, at+"address", textMost)
		c.That(x.IP == "" || network(x.IP) != "", at+"ip", "format", "应为 IP 地址", "must be an IP address")
		c.That(x.Device+x.Address+x.IP != "", at+"device", "required", "请填写设备、地址或 IP 之一", "give a device, an address or an IP")
	}
	return c.Err()
}

// Report writes what the mall saw its members with.
func (s *Service) Report(ctx context.Context, in SightingsIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		people := make([]id.Member, len(in.Sightings))
		for i, x := range in.Sightings {
			people[i] = x.Member
		}
		today, err := community.FollowMerges(tx.DB, people)
		if err != nil {
			return err
		}
		if err := visible(tx, today); err != nil {
			return err
		}
		var marks []Mark
		for _, x := range in.Sightings {
			if today[x.Member] == 0 {
				return fault.NotFound
			}
			marks = append(marks, s.hashes(today[x.Member], Seen{x.Device, x.Address, x.IP})...)
		}
		if err := sightTx(tx, marks); err != nil {
			return err
		}
		return database.AuditTx(tx, "review.sightings", today[people[0]], nil, map[string]int{"sightings": len(in.Sightings)})
	})
}

// visible refuses members of units that the caller does not see.
func visible(tx *database.Tx, today map[id.Member]id.Member) error {
	want := map[id.Member]bool{}
	list := make([]id.Member, 0, len(today))
	for _, m := range today {
		if !want[m] {
			want[m] = true
			list = append(list, m)
		}
	}
	cond, args := tx.Actor.Within("unit_id")
	var n int
	if err := tx.Raw("SELECT COUNT(*) FROM members WHERE id IN ?"+cond, append([]any{list}, args...)...).Scan(&n).Error; err != nil {
		return fmt.Errorf("review: members: %w", err)
	}
	if n != len(list) {
		return fault.NotFound
	}
	return nil
}

// Sighting is one as a person is shown it: the hash tells him nothing.
type Sighting struct {
	Kind    MarkKind    `json:"kind"`
	FirstAt clock.Milli `json:"first_at"`
	LastAt  clock.Milli `json:"last_at"`
}

// SightingsOf are a member's, for his right to a copy.
func (s *Service) SightingsOf(ctx context.Context, m id.Member) ([]Sighting, error) {
	list := []Sighting{}
	err := s.DB.Read(ctx).Raw("SELECT kind, first_at, last_at FROM sightings WHERE member_id = ? ORDER BY id", m).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("review: sightings of %s: %w", m, err)
	}
	return list, nil
}

// EraseMember forgets with what a person was seen. Cases keep his opaque id,
// as the rewards they are about. It may be repeated.
func (s *Service) EraseMember(ctx context.Context, m id.Member) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if err := tx.Exec("DELETE FROM sightings WHERE member_id = ?", m).Error; err != nil {
			return fmt.Errorf("review: erase %s: %w", m, err)
		}
		return database.AuditTx(tx, "review.erase", m, nil, nil)
	})
}
