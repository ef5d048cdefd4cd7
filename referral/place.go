package referral

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/promoter"
)

// CodeIn names the place of a code. A member asks for his own; staff name the
// inviter.
type CodeIn struct {
	InviterID  id.Member    `json:"inviter_id"`
	ProgramID  id.Program   `json:"program_id"`
	CampaignID id.Campaign  `json:"campaign_id"`
	GroupID    id.Group     `json:"group_id"`
	Channel    string       `json:"channel"`
	Cost       money.Amount `json:"cost_fen"` // what one code of this channel costs, like print and place
	ExpiresAt  clock.Milli  `json:"expires_at"`
}

var channelName = regexp.MustCompile(`^[a-z0-9_-]{0,32}$`)

// check names everything wrong with the input.
func (in CodeIn) check(c *fault.Check, at string) {
	c.That(in.ProgramID != 0, at+"program_id", "required", "请填写奖励方案", "name the program")
	c.That(channelName.MatchString(in.Channel), at+"channel", "format", "最多 32 个小写字母、数字、- 或 _", "at most 32 lower case letters, digits, - or _")
	c.Range(int64(in.Cost), at+"cost_fen", 0, costMax)
}

// maxCodes is how many codes one call makes.
const maxCodes = 200

// CreateCode returns the live code of the place, made if there was none. The
// same place always has the same code, so calling it again is harmless.
func (s *Service) CreateCode(ctx context.Context, in CodeIn) (id.Code, error) {
	made, err := s.createCodes(ctx, []CodeIn{in}, func(int) string { return "" })
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
	return s.createCodes(ctx, list, func(i int) string { return fmt.Sprintf("codes[%d].", i) })
}

// createCodes makes them; at begins the names of a row's fields in refusals.
func (s *Service) createCodes(ctx context.Context, list []CodeIn, at func(row int) string) ([]id.Code, error) {
	var c fault.Check
	for i, in := range list {
		in.check(&c, at(i))
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	var made []id.Code
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		places, err := placesTx(tx, list, at)
		if err != nil {
			return err
		}
		if made, _, err = s.codesTx(tx, places); err != nil {
			return err
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
func placesTx(tx *database.Tx, list []CodeIn, at func(row int) string) ([]Code, error) {
	people, err := invitersTx(tx, list, at)
	if err != nil {
		return nil, err
	}
	if err := groupsTx(tx, list, people, at); err != nil {
		return nil, err
	}
	standing, err := promoter.StandingIn(tx.DB, people)
	if err != nil {
		return nil, err
	}
	places := make([]Code, len(list))
	units, rules := map[id.Program]id.Unit{}, map[id.Program]Rules{}
	for i, in := range list {
		if err := future(tx, in.ExpiresAt, at(i)+"expires_at"); err != nil {
			return nil, err
		}
		unit, known := units[in.ProgramID]
		if !known {
			if unit, err = programUnit(tx, in.ProgramID); err != nil {
				return nil, err
			}
			units[in.ProgramID] = unit
			if rules[in.ProgramID], err = latestRules(tx.DB, in.ProgramID); err != nil {
				return nil, err
			}
		}
		if rules[in.ProgramID].Trigger == TriggerMonthEnd {
			return nil, ErrNotTaking
		}
		if err := rules[in.ProgramID].admits(standing[people[i]]); err != nil {
			return nil, err
		}
		places[i] = Code{UnitID: unit, InviterID: people[i], ProgramID: in.ProgramID, CampaignID: in.CampaignID,
			GroupID: in.GroupID, Channel: in.Channel, Cost: in.Cost, ExpiresAt: in.ExpiresAt}
	}
	return places, nil
}

// invitersTx is who invites by each of the codes, as he is today: a member
// himself alone, and only who can be paid.
func invitersTx(tx *database.Tx, list []CodeIn, at func(row int) string) ([]id.Member, error) {
	people := make([]id.Member, len(list))
	for i, in := range list {
		people[i] = in.InviterID
		if tx.Actor.Kind != database.ActorMember && tx.Actor.Kind != database.ActorGuest {
			continue
		}
		switch {
		case in.InviterID != 0 && !tx.Actor.Is(in.InviterID):
			return nil, fault.Forbidden
		case in.Cost != 0:
			return nil, errCostStaff
		}
		people[i] = tx.Actor.Member
	}
	today, err := community.FollowMerges(tx.DB, people)
	if err != nil {
		return nil, err
	}
	for i, m := range people {
		people[i] = today[m]
	}
	strong, err := community.StrongIn(tx.DB, people)
	if err != nil {
		return nil, err
	}
	for i, m := range people {
		switch {
		case m == 0:
			return nil, fault.Invalid.Field(at(i)+"inviter_id", "unknown", "没有这个会员", "there is no such member")
		case !strong[m]:
			return nil, ErrIdentityRequired
		}
	}
	return people, nil
}

// groupsTx checks the groups that codes name. Who acts on a code's page joins
// its group, so a member may name only one that he is in, and staff only one
// of theirs.
func groupsTx(tx *database.Tx, list []CodeIn, people []id.Member, at func(row int) string) error {
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
		may := g.ID != 0 && g.Status != community.GroupDissolved && g.SeenBy(tx.Actor)
		if tx.Actor.Kind == database.ActorMember || tx.Actor.Kind == database.ActorGuest {
			may = slices.Contains(of[people[i]], in.GroupID)
		}
		if in.GroupID != 0 && !may {
			return fault.Invalid.Field(at(i)+"group_id", "unknown", "没有这个群，或你不在群里", "there is no such group, or you are not in it")
		}
	}
	return nil
}

func programUnit(tx *database.Tx, p id.Program) (id.Unit, error) {
	var row struct {
		ID     id.Program
		UnitID id.Unit
		Status ProgramStatus
	}
	if err := tx.Raw("SELECT id, unit_id, status FROM programs WHERE id = ?", p).Scan(&row).Error; err != nil {
		return 0, fmt.Errorf("referral: unit of %s: %w", p, err)
	}
	if row.ID == 0 || !tx.Actor.Sees(row.UnitID) {
		return 0, fault.Invalid.Field("program_id", "unknown", "没有这个奖励方案", "there is no such program")
	}
	if row.Status == ProgramEnded {
		return 0, ErrProgramState.With("state", row.Status)
	}
	return row.UnitID, nil
}

// place is what has at most one live code.
type place struct {
	inviter  id.Member
	program  id.Program
	campaign id.Campaign
	group    id.Group
	channel  string
}

func (c Code) place() place {
	return place{c.InviterID, c.ProgramID, c.CampaignID, c.GroupID, c.Channel}
}

// codesTx finds or makes the live codes of places, and says how many it made;
// the unique key of the place arbitrates between two who make one at once.
func (s *Service) codesTx(tx *database.Tx, places []Code) (codes []id.Code, made int, err error) {
	for range 4 {
		live, err := placed(tx, places)
		if err != nil {
			return nil, 0, err
		}
		codes = make([]id.Code, len(places))
		var rows codeRows
		for i, p := range places {
			was := live[p.place()]
			switch {
			case was.ID != 0 && was.at(tx.Now).Status != CodeLive:
				if err := retire(tx, was, CodeExpired); err != nil && !errors.Is(err, ErrCodeState) {
					return nil, 0, err
				}
				fallthrough
			case was.ID == 0:
				p.ID, p.Code, p.Status, p.CreatedAt = id.Code(tx.Next()), newCode(s.Secrets), CodeLive, tx.Now
				rows.add(p)
				was = p
				live[p.place()] = p // the same place again has the same code
			}
			codes[i] = was.ID
		}
		if rows.n == 0 {
			return codes, 0, nil
		}
		err = tx.Exec(`INSERT INTO codes (id, code, unit_id, inviter_id, program_id, campaign_id, group_id, channel, cost, status, live, expires_at, version, created_at)
			VALUES `+rows.text.String(), rows.args...).Error
		switch {
		case err == nil:
			return codes, rows.n, nil
		case !database.IsDuplicate(err):
			return nil, 0, fmt.Errorf("referral: codes: %w", err)
		}
	}
	return nil, 0, fault.Unavailable
}

// codeRows is the VALUES of new codes. Numbers are written into the text:
// handing 500 rows of them to the driver one by one costs more than the INSERT.
type codeRows struct {
	text strings.Builder
	args []any
	n    int
}

func (r *codeRows) add(c Code) {
	if r.n++; r.n > 1 {
		r.text.WriteByte(',')
	}
	fmt.Fprintf(&r.text, "(%d,?,%d,%d,%d,%d,%d,?,%d,?,0,%d,1,%d)", int64(c.ID), int64(c.UnitID), int64(c.InviterID), int64(c.ProgramID),
		int64(c.CampaignID), int64(c.GroupID), int64(c.Cost), int64(c.ExpiresAt), int64(c.CreatedAt))
	r.args = append(r.args, c.Code, c.Channel, c.Status)
}

// marks are the places of so many rows in an INSERT.
func marks(rows int) string { return "?" + strings.Repeat(",?", rows-1) }

// placed are the codes that hold the places.
func placed(tx *database.Tx, places []Code) (map[place]Code, error) {
	alike := map[place][]Code{}
	for _, p := range places {
		key := place{program: p.ProgramID, campaign: p.CampaignID, channel: p.Channel}
		alike[key] = append(alike[key], p)
	}
	held := make(map[place]Code, len(places))
	for of, list := range alike {
		for some := range slices.Chunk(list, inAtOnce) {
			var inviters []id.Member
			var groups []id.Group
			for _, p := range some {
				inviters, groups = append(inviters, p.InviterID), append(groups, p.GroupID)
			}
			slices.Sort(groups)
			var rows []Code
			err := tx.Raw("SELECT "+codeColumns+` FROM codes WHERE inviter_id IN ? AND program_id = ? AND campaign_id = ?
				AND group_id IN ? AND channel = ? AND live = 0`, inviters, of.program, of.campaign, slices.Compact(groups), of.channel).Scan(&rows).Error
			if err != nil {
				return nil, fmt.Errorf("referral: find places: %w", err)
			}
			for _, c := range rows {
				held[c.place()] = c
			}
		}
	}
	return held, nil
}
