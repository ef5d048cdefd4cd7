package invite

import (
	"context"
	"fmt"
	"unicode/utf8"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Leaderboard is the head of a campaign's ranking. Own is the caller's place,
// if he is a member who has one.
type Leaderboard struct {
	By         StepKind    `json:"by"`
	Frozen     bool        `json:"frozen"`
	MeasuredAt clock.Milli `json:"measured_at"`
	Places     []Place     `json:"places"`
	Own        *Place      `json:"own"`
}

// Place is one rank. Equal counts share it, and the next is skipped.
type Place struct {
	Rank  int64  `json:"rank"`
	Name  string `json:"name"`
	Count int64  `json:"count"`
	Me    bool   `json:"me"`
}

// boardMax is the longest head.
const boardMax = 100

// Leaderboard is the first n places, of whom counts for anything, as the last
// measurement left them; at the campaign's end it is frozen.
func (s *Service) Leaderboard(ctx context.Context, cid id.Campaign, n int) (Leaderboard, error) {
	_, r, err := s.terms(ctx, cid)
	if err != nil {
		return Leaderboard{}, err
	}
	if r.Leaderboard == nil {
		return Leaderboard{}, ErrNoBoard
	}
	b := Leaderboard{By: r.Leaderboard.By, Places: []Place{}}
	err = s.DB.Snapshot(ctx, func(q *database.Query) error {
		run, err := findRun(q, cid, "")
		if err != nil {
			return err
		}
		b.MeasuredAt, b.Frozen = run.MeasuredAt, run.FrozenAt != 0
		var rows []score
		err = q.Raw("SELECT * FROM invite_scores WHERE campaign_id = ? AND board_qty > 0 ORDER BY board_qty DESC, id LIMIT ?", cid, min(n, boardMax)).Scan(&rows).Error
		if err != nil {
			return fmt.Errorf("invite: board of %s: %w", cid, err)
		}
		return b.fill(q, cid, rows, database.ActorOf(ctx).Member)
	})
	return b, err
}

func (b *Leaderboard) fill(q *database.Query, cid id.Campaign, rows []score, me id.Member) error {
	members := make([]id.Member, len(rows))
	for i, x := range rows {
		members[i] = x.MemberID
	}
	names, err := community.NamesOf(q, members)
	if err != nil {
		return err
	}
	for i, x := range rows {
		p := Place{Rank: int64(i + 1), Name: Masked(names[x.MemberID]), Count: x.Board, Me: me != 0 && x.MemberID == me}
		if i > 0 && x.Board == rows[i-1].Board {
			p.Rank = b.Places[i-1].Rank
		}
		b.Places = append(b.Places, p)
	}
	if me == 0 {
		return nil
	}
	var own struct{ Qty, Place int64 }
	err = q.Raw(`SELECT o.board_qty AS qty, 1 + (SELECT COUNT(*) FROM invite_scores x WHERE x.campaign_id = o.campaign_id AND x.board_qty > o.board_qty) AS place
		FROM invite_scores o WHERE o.campaign_id = ? AND o.member_id = ? AND o.board_qty > 0`, cid, me).Scan(&own).Error
	if err != nil || own.Qty == 0 {
		return err
	}
	name, err := community.NamesOf(q, []id.Member{me})
	b.Own = &Place{Rank: own.Place, Name: Masked(name[me]), Count: own.Qty, Me: true}
	return err
}

// Masked is a name as strangers may see it: its first character.
func Masked(name string) string {
	if name == "" {
		return "*"
	}
	_, n := utf8.DecodeRuneInString(name)
	return name[:n] + "*"
}
