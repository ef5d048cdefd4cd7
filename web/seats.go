package web

import (
	"context"

	"siyu/campaign"
	"siyu/campaign/groupbuy"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
)

// teamViews reads who sits in the teams, once for all of them.
func (s *Server) teamViews(ctx context.Context, teams []groupbuy.Team, run campaign.Campaign, base page, v visitor) ([]teamView, error) {
	ids := make([]id.Team, len(teams))
	var members []id.Member
	for i, t := range teams {
		ids[i] = t.ID
		members = append(members, t.OpenerID)
	}
	q := s.DB.Read(ctx)
	sitting, err := groupbuy.SittingIn(q, ids)
	if err != nil {
		return nil, err
	}
	for _, seats := range sitting {
		for _, x := range seats {
			members = append(members, x.MemberID)
		}
	}
	names, err := community.NamesIn(q, members)
	if err != nil {
		return nil, err
	}
	views := make([]teamView, len(teams))
	for i, t := range teams {
		views[i] = drawTeam(t, sitting[t.ID], names, base, v)
		views[i].Clock.Until = t.DeadlineAt.Time().In(zoneOf(run))
	}
	return views, nil
}

func drawTeam(t groupbuy.Team, seats []groupbuy.Sitting, names map[id.Member]string, base page, v visitor) teamView {
	view := teamView{
		ID: t.ID, Opener: called(base.Lang, names[t.OpenerID]), Size: t.Size, Missing: max(t.Size-len(seats), 0), Status: t.Status,
		Clock: countdown{Now: base.Now, Plain: true},
	}
	for _, x := range seats {
		view.Mine = view.Mine || x.MemberID == v.Member
		view.Seats = append(view.Seats, seatView{
			Name: called(base.Lang, names[x.MemberID]), Held: x.Status == campaign.OrderHeld,
			Opener: x.MemberID == t.OpenerID, You: x.MemberID == v.Member,
		})
	}
	for len(view.Seats) < t.Size {
		view.Seats = append(view.Seats, seatView{})
	}
	if len(view.Seats) > seatsDrawn {
		view.More = len(view.Seats) - seatsDrawn
		view.Seats = view.Seats[:seatsDrawn]
	}
	return view
}

// namesIn are the names of the members that rows are of.
func namesIn[Row any](q *database.Query, rows []Row, of func(Row) id.Member) (map[id.Member]string, error) {
	members := make([]id.Member, len(rows))
	for i, r := range rows {
		members[i] = of(r)
	}
	return community.NamesOf(q, members)
}

// called is a member's masked name, or what a guest is called.
func called(lang, name string) string {
	if m := masked(name); m != "" {
		return m
	}
	return choose(lang, "访客", "Guest")
}
