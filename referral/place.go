package referral

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// CodeIn names the place of a code. A member asks for his own; staff name the
// inviter.
type CodeIn struct {
	InviterID  id.Member   `json:"inviter_id"`
	ProgramID  id.Program  `json:"program_id"`
	CampaignID id.Campaign `json:"campaign_id"`
	GroupID    id.Group    `json:"group_id"`
	Channel    string      `json:"channel"`
	ExpiresAt  clock.Milli `json:"expires_at"`
}

var channelName = regexp.MustCompile(`^[a-z0-9_-]{0,32}$`)

// Validate names everything wrong with the input.
func (in CodeIn) Validate() error {
	var c fault.Check
	c.That(in.ProgramID != 0, "program_id", "required", "请填写奖励方案", "name the program")
	c.That(channelName.MatchString(in.Channel), "channel", "format", "最多 32 个小写字母、数字、- 或 _", "at most 32 lower case letters, digits, - or _")
	return c.Err()
}

// maxCodes is how many codes one call makes.
const maxCodes = 200

// CreateCode returns the live code of the place, made if there was none. The
// same place always has the same code, so calling it again is harmless.
func (s *Service) CreateCode(ctx context.Context, in CodeIn) (id.Code, error) {
	made, err := s.CreateCodes(ctx, []CodeIn{in})
	if err != nil {
		return 0, err
	}
	return made[0], nil
}

// CreateCodes is CreateCode for at most 200 places at once, all or none.
func (s *Service) CreateCodes(ctx context.Context, list []CodeIn) ([]id.Code, error) {
	var c fault.Check
	c.Range(int64(len(list)), "codes", 1, maxCodes)
	if err := c.Err(); err != nil {
		return nil, err
	}
	for _, in := range list {
		if err := in.Validate(); err != nil {
			return nil, err
		}
	}
	var made []id.Code
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		made = made[:0]
		places, err := placesTx(tx, list)
		if err != nil {
			return err
		}
		for _, p := range places {
			one, err := s.codeTx(tx, p)
			if err != nil {
				return err
			}
			made = append(made, one)
		}
		tx.SetResult("code", int64(made[0]), 201)
		if tx.Actor.Kind != database.ActorStaff {
			return nil
		}
		return database.AuditTx(tx, "code.create", made[0], nil, made)
	})
	return made, err
}

// placesTx checks who may invite where, and completes the rows.
func placesTx(tx *database.Tx, list []CodeIn) ([]Code, error) {
	people := make([]id.Member, 0, len(list))
	for i := range list {
		if tx.Actor.Kind == database.ActorMember || tx.Actor.Kind == database.ActorGuest {
			if list[i].InviterID != 0 && list[i].InviterID != tx.Actor.Member {
				return nil, fault.Forbidden
			}
			list[i].InviterID = tx.Actor.Member
		}
		people = append(people, list[i].InviterID)
	}
	now, err := community.FollowMerges(tx.DB, people)
	if err != nil {
		return nil, err
	}
	for i, m := range people {
		people[i] = now[m]
	}
	strong, err := community.StrongIn(tx.DB, people)
	if err != nil {
		return nil, err
	}
	if err := groupsTx(tx, list, people); err != nil {
		return nil, err
	}
	places := make([]Code, len(list))
	units := map[id.Program]id.Unit{}
	for i, in := range list {
		switch {
		case people[i] == 0:
			return nil, fault.Invalid.Field("inviter_id", "unknown", "没有这个会员", "there is no such member")
		case !strong[people[i]]:
			return nil, ErrIdentityRequired
		}
		unit, known := units[in.ProgramID]
		if !known {
			if unit, err = programUnit(tx, in.ProgramID); err != nil {
				return nil, err
			}
			units[in.ProgramID] = unit
		}
		places[i] = Code{UnitID: unit, InviterID: people[i], ProgramID: in.ProgramID, CampaignID: in.CampaignID,
			GroupID: in.GroupID, Channel: in.Channel, ExpiresAt: in.ExpiresAt}
	}
	return places, nil
}

// groupsTx checks the groups that codes name. Who acts on a code's page joins
// its group, so a member may name only one that he is in, and staff only one
// of theirs.
func groupsTx(tx *database.Tx, list []CodeIn, people []id.Member) error {
	var groups []id.Group
	for _, in := range list {
		if in.GroupID != 0 {
			groups = append(groups, in.GroupID)
		}
	}
	if len(groups) == 0 {
		return nil
	}
	known, err := community.GroupsIn(tx.DB, groups)
	if err != nil {
		return err
	}
	of, err := community.GroupsOf(tx.DB, people)
	if err != nil {
		return err
	}
	for i, in := range list {
		g := known[in.GroupID]
		may := g.ID != 0 && g.Status != community.GroupDissolved && tx.Actor.Sees(g.UnitID)
		if tx.Actor.Kind == database.ActorMember || tx.Actor.Kind == database.ActorGuest {
			may = slices.Contains(of[people[i]], in.GroupID)
		}
		if in.GroupID != 0 && !may {
			return fault.Invalid.Field("group_id", "unknown", "没有这个群，或你不在群里", "there is no such group, or you are not in it")
		}
	}
	return nil
}

func programUnit(tx *database.Tx, p id.Program) (id.Unit, error) {
	var row struct {
		ID     id.Program
		UnitID id.Unit
	}
	if err := tx.Raw("SELECT id, unit_id FROM programs WHERE id = ?", p).Scan(&row).Error; err != nil {
		return 0, fmt.Errorf("referral: unit of %s: %w", p, err)
	}
	if row.ID == 0 || !tx.Actor.Sees(row.UnitID) {
		return 0, fault.Invalid.Field("program_id", "unknown", "没有这个奖励方案", "there is no such program")
	}
	return row.UnitID, nil
}

// codeTx finds or makes the live code of a place; the unique key of the place
// arbitrates between two who make it at once.
func (s *Service) codeTx(tx *database.Tx, p Code) (id.Code, error) {
	for range 4 {
		was, err := placed(tx, p)
		if err != nil {
			return 0, err
		}
		if was.ID != 0 && was.at(tx.Now).Status == CodeLive {
			return was.ID, nil
		}
		if was.ID != 0 {
			if err := retire(tx, was, CodeExpired); err != nil && !errors.Is(err, ErrCodeState) {
				return 0, err
			}
		}
		made := id.Code(tx.Next())
		err = tx.Exec(`INSERT INTO codes (id, code, unit_id, inviter_id, program_id, campaign_id, group_id, channel, status, live, expires_at, version, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, 1, ?)`, made, newCode(s.Secrets), p.UnitID, p.InviterID, p.ProgramID,
			p.CampaignID, p.GroupID, p.Channel, CodeLive, p.ExpiresAt, tx.Now).Error
		switch {
		case err == nil:
			return made, nil
		case !database.IsDuplicate(err):
			return 0, fmt.Errorf("referral: code: %w", err)
		}
	}
	return 0, fault.Unavailable
}

func placed(tx *database.Tx, p Code) (Code, error) {
	var c Code
	err := tx.Raw("SELECT "+codeColumns+` FROM codes WHERE inviter_id = ? AND program_id = ? AND campaign_id = ?
		AND group_id = ? AND channel = ? AND live = 0`, p.InviterID, p.ProgramID, p.CampaignID, p.GroupID, p.Channel).Scan(&c).Error
	if err != nil {
		return c, fmt.Errorf("referral: find place: %w", err)
	}
	return c, nil
}
