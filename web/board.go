package web

import (
	"context"
	"time"

	"siyu/campaign"
	"siyu/campaign/invite"
)

// boardView is the head of a leaderboard, with the visitor's own place where
// it is further down. Names are their first character.
type boardView struct {
	By       string
	Frozen   bool
	Measured time.Time
	Rows     []boardRow
	Own      *boardRow
}

type boardRow struct {
	Rank  int64
	Name  string
	Count int64
	Me    bool
}

// boardShown is how many places the page lists.
const boardShown = 10

func (s *Server) board(ctx context.Context, p page, run campaign.Campaign) (*boardView, error) {
	b, err := s.Invite.Leaderboard(ctx, run.ID, boardShown)
	if err != nil {
		return nil, err
	}
	v := &boardView{Frozen: b.Frozen, By: choose(p.Lang, "按留下的好友", "by friends who stayed")}
	if b.By == invite.StepBought {
		v.By = choose(p.Lang, "按下单的好友", "by friends who bought")
	}
	if b.MeasuredAt != 0 {
		v.Measured = b.MeasuredAt.Time().In(zoneOf(run))
	}
	listed := false
	for _, x := range b.Places {
		v.Rows = append(v.Rows, placed(p.Lang, x))
		listed = listed || x.Me
	}
	if b.Own != nil && !listed {
		own := placed(p.Lang, *b.Own)
		v.Own = &own
	}
	return v, nil
}

func placed(lang string, x invite.Place) boardRow {
	name := clean(x.Name)
	if name == "*" || name == "" {
		name = called(lang, "")
	}
	return boardRow{x.Rank, name, x.Count, x.Me}
}
