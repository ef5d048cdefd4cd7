package split

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// peopleMost is how many members are split at once: one transaction holds
// their seats.
const peopleMost = 1_500

// In is a proposal to make: Size is about how many people a part has, 50 if
// left out.
type In struct {
	Size int `json:"size"`
}

// Validate checks the proposal's form.
func (in In) Validate() error {
	var c fault.Check
	if in.Size != 0 {
		c.Range(int64(in.Size), "size", sizeLeast, sizeMost*10/13)
	}
	return c.Err()
}

// Propose divides a group of more people than a part has and keeps what came
// of it for the owner or a marketer to decide on.
func (s *Service) Propose(ctx context.Context, group id.Group, in In) (id.Split, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	if in.Size == 0 {
		in.Size = sizeDefault
	}
	q := s.DB.Read(ctx)
	known, err := community.GroupsIn(q, []id.Group{group})
	if err != nil {
		return 0, err
	}
	g := known[group]
	if g.ID == 0 || !g.SeenBy(database.ActorOf(ctx)) {
		return 0, fault.NotFound
	}
	return s.propose(ctx, g, in.Size)
}

// propose reads and divides outside the transaction that writes: what changed
// meanwhile is as what changes later. What is amiss is said inside it, where a
// call repeated under its key was answered before.
func (s *Service) propose(ctx context.Context, g community.Group, size int) (id.Split, error) {
	var who []id.Member
	var bonds []Bond
	var d Division
	var misfit error
	err := s.DB.Snapshot(ctx, func(q *database.Query) (err error) {
		who, bonds, err = crowd(q, g, s.DB.Clock.Now())
		return err
	})
	switch {
	case err != nil:
		return 0, err
	case g.Status == community.GroupDissolved:
		misfit = community.ErrGroupClosed.With("status", g.Status)
	case len(who) <= size:
		misfit = ErrSmall.With("people", len(who)).With("size", size)
	case len(who) > peopleMost:
		misfit = ErrLarge.With("people", len(who)).With("max", peopleMost)
	default:
		d = Divide(who, bonds, size)
	}
	var made id.Split
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		if misfit != nil {
			return misfit
		}
		if _, err := community.LockGroupTx(tx, g.ID); err != nil {
			return err
		}
		p := Split{ID: id.Split(tx.Next()), GroupID: g.ID, Version: 1, Rules: rules, Status: StatusProposed, Size: size, People: len(who),
			Ties: d.Ties, Kept: d.Kept, Chance: d.Chance, ExpiresAt: tx.Now.Add(proposedFor), ProposedBy: tx.Actor.Staff, CreatedAt: tx.Now}
		for i, part := range d.Parts {
			p.Parts = append(p.Parts, Part{Part: i + 1, People: len(part)})
		}
		made = p.ID
		if err := p.writeTx(tx, seats(d, bonds)); err != nil {
			return err
		}
		tx.SetResult("split", int64(p.ID), 201)
		if err := p.tell(tx, eventProposed, g); err != nil {
			return err
		}
		return database.AuditTx(tx, "group.split", g.ID, nil, p)
	})
	return made, err
}

// seats are the people of a division, each with what he has in his part.
func seats(d Division, bonds []Bond) []Seat {
	var out []Seat
	of := map[id.Member]int{}
	for i, part := range d.Parts {
		for _, m := range part {
			of[m] = len(out)
			out = append(out, Seat{Member: m, Part: i + 1})
		}
	}
	for _, b := range bonds {
		i, in := of[b.A]
		j, too := of[b.B]
		if !in || !too {
			continue
		}
		for _, s := range []*Seat{&out[i], &out[j]} {
			s.note(b, out[i].Part == out[j].Part)
		}
	}
	return out
}

func (s *Seat) note(b Bond, inside bool) {
	if !inside {
		s.Elsewhere++
		return
	}
	for kind, n := range [kinds]*int{TieTalked: &s.Talked, TieMet: &s.Met, TieTeam: &s.Team, TieAsked: &s.Asked, TieCame: &s.Came} {
		if b.Of[kind] {
			*n++
		}
	}
}

// seatRows is how many seats one statement writes.
const seatRows = 500

func (s Split) writeTx(tx *database.Tx, seats []Seat) error {
	err := tx.Exec("INSERT INTO group_splits ("+columns+", closed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
		s.ID, s.GroupID, s.Version, s.Rules, s.Status, s.Size, s.People, s.Ties, s.Kept, s.Chance, s.Reason, s.ExpiresAt, s.ByAt,
		s.ProposedBy, s.DecidedBy, s.DecidedAt, s.CreatedAt, s.EndedAt).Error
	if database.IsDuplicate(err) {
		return ErrUnderWay
	}
	if err != nil {
		return fmt.Errorf("split: propose for %s: %w", s.GroupID, err)
	}
	parts := make([]any, len(s.Parts))
	for i, p := range s.Parts {
		parts[i] = []any{s.ID, p.Part, p.People, 0}
	}
	err = tx.Exec("INSERT INTO group_split_parts (split_id, part, people, group_id) VALUES "+strings.Repeat("?,", len(parts)-1)+"?", parts...).Error
	if err != nil {
		return fmt.Errorf("split: parts of %s: %w", s.ID, err)
	}
	for chunk := range slices.Chunk(seats, seatRows) {
		rows := make([]any, len(chunk))
		for i, x := range chunk {
			rows[i] = []any{s.ID, x.Member, x.Part, x.Talked, x.Met, x.Team, x.Asked, x.Came, x.Elsewhere, 0, 0}
		}
		err := tx.Exec("INSERT INTO group_split_seats (split_id, "+seatColumns+") VALUES "+strings.Repeat("?,", len(rows)-1)+"?", rows...).Error
		if err != nil {
			return fmt.Errorf("split: seats of %s: %w", s.ID, err)
		}
	}
	return nil
}

// proposeAll proposes for each active group of more than 150 members that has
// no proposal and had none for 90 days.
func (s *Service) proposeAll(ctx context.Context, _ clock.Milli) error {
	rested := clock.MilliOf(s.DB.Clock.Now().Add(-restFor))
	for after := id.Group(0); ; {
		q := s.DB.Read(ctx)
		var list []id.Group
		err := q.Raw("SELECT id FROM chat_groups WHERE id > ? AND status = ? ORDER BY id LIMIT ?", after, community.GroupActive, atOnce).Scan(&list).Error
		if err != nil || len(list) == 0 {
			return err
		}
		after = list[len(list)-1]
		var large []id.Group
		err = q.Raw(`SELECT m.group_id FROM memberships m WHERE m.group_id IN ? AND m.left_at = 0 AND m.role NOT IN ?
			AND NOT EXISTS (SELECT 1 FROM group_splits s WHERE s.group_id = m.group_id AND (s.closed = 0 OR s.created_at > ?))
			GROUP BY m.group_id HAVING COUNT(*) > ? AND COUNT(*) <= ? ORDER BY m.group_id`,
			list, []community.Role{community.RoleAdmin, community.RoleOwner}, rested, sizeMost, peopleMost).Scan(&large).Error
		if err != nil {
			return fmt.Errorf("split: large groups: %w", err)
		}
		known, err := community.GroupsIn(q, large)
		if err != nil {
			return err
		}
		for _, g := range large {
			_, err := s.propose(ctx, known[g], sizeDefault)
			for _, gone := range []error{ErrUnderWay, ErrSmall, community.ErrGroupClosed} {
				if errors.Is(err, gone) { // somebody was first, or it changed meanwhile
					err = nil
				}
			}
			if err != nil {
				return err
			}
		}
	}
}
