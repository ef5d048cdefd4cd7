package groupbuy

import (
	"maps"
	"slices"
	"strings"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// seating is the locked teams of one batch, with the seats taken in memory.
type seating struct {
	now     clock.Milli
	next    func() int64
	teams   map[id.Team]*Team
	inTeam  map[seat]bool
	terms   map[id.Campaign]Rules
	ends    map[id.Campaign]clock.Milli
	opened  []*Team
	changed map[id.Team]bool
}

// seat is a member in a team.
type seat struct {
	team   id.Team
	member id.Member
}

// LockTx locks the teams the claims name, by id ascending in one statement,
// and reads who sits in them.
func (s *Service) LockTx(tx *database.Tx, claims []campaign.Claim) (campaign.Seating, error) {
	st := &seating{
		now: tx.Now, next: tx.Next, teams: map[id.Team]*Team{}, inTeam: map[seat]bool{},
		terms: map[id.Campaign]Rules{}, ends: map[id.Campaign]clock.Milli{}, changed: map[id.Team]bool{},
	}
	teamIDs := map[id.Team]bool{}
	campaigns := map[id.Campaign]bool{}
	for _, c := range claims {
		campaigns[c.Campaign] = true
		if c.Team != 0 {
			teamIDs[c.Team] = true
		}
	}
	if err := st.loadTeams(tx, slices.Sorted(maps.Keys(teamIDs))); err != nil {
		return nil, err
	}
	return st, st.loadTerms(tx, slices.Sorted(maps.Keys(campaigns)))
}

func (st *seating) loadTeams(tx *database.Tx, ids []id.Team) error {
	if len(ids) == 0 {
		return nil
	}
	var teams []*Team
	if err := tx.Raw("SELECT * FROM teams WHERE id IN ? ORDER BY id"+tx.Dialect.ForUpdate, ids).Scan(&teams).Error; err != nil {
		return err
	}
	for _, t := range teams {
		st.teams[t.ID] = t
	}
	var sitting []struct {
		TeamID   id.Team
		MemberID id.Member
	}
	err := tx.Raw(`SELECT seats.team_id, orders.member_id FROM seats JOIN orders ON orders.id = seats.order_id
		WHERE seats.team_id IN ? AND orders.status IN ('held', 'paid')`, ids).Scan(&sitting).Error
	for _, x := range sitting {
		st.inTeam[seat{x.TeamID, x.MemberID}] = true
	}
	return err
}

func (st *seating) loadTerms(tx *database.Tx, ids []id.Campaign) error {
	var rows []campaign.Campaign
	if err := tx.Raw("SELECT id, rules, ends_at FROM campaigns WHERE id IN ?", ids).Scan(&rows).Error; err != nil {
		return err
	}
	for _, c := range rows {
		r, err := Terms(c)
		if err != nil {
			return err
		}
		st.terms[c.ID], st.ends[c.ID] = r, c.EndsAt
	}
	return nil
}

// Fit takes a seat: in the team named, or the first of a new one.
func (st *seating) Fit(c campaign.Claim) (id.Team, error) {
	if c.OpenTeam {
		return st.open(c), nil
	}
	t := st.teams[c.Team]
	switch {
	case t == nil || t.CampaignID != c.Campaign || t.ItemID != c.Item:
		return 0, fault.NotFound.Field("team_id", "not_found", "没有这个团", "there is no such team in this campaign and item")
	case t.Status != StatusOpen:
		return 0, ErrTeamGone.With("state", t.Status)
	case st.now >= t.DeadlineAt:
		return 0, ErrTeamGone.With("state", StatusFailed)
	case st.inTeam[seat{t.ID, c.Member}]:
		return 0, ErrInTeam
	case t.LiveSeats >= t.Size:
		return 0, ErrTeamFull
	}
	t.LiveSeats++
	st.inTeam[seat{t.ID, c.Member}] = true
	st.changed[t.ID] = true
	return t.ID, nil
}

func (st *seating) open(c campaign.Claim) id.Team {
	r := st.terms[c.Campaign]
	t := &Team{
		ID: id.Team(st.next()), CampaignID: c.Campaign, ItemID: c.Item, OpenerID: c.Member, Size: r.Size, LiveSeats: 1,
		Status: StatusOpen, DeadlineAt: min(st.now+clock.Milli(r.OpenForS)*1000, st.ends[c.Campaign]), CreatedAt: st.now,
	}
	st.teams[t.ID] = t
	st.inTeam[seat{t.ID, c.Member}] = true
	st.opened = append(st.opened, t)
	return t.ID
}

// WriteTx inserts the teams opened in one statement, the seats in another, and
// counts those taken in teams that stood in a third.
func (st *seating) WriteTx(tx *database.Tx, orders []campaign.Order) error {
	if len(st.opened) > 0 {
		if err := tx.Create(&st.opened).Error; err != nil {
			return err
		}
	}
	if err := writeSeats(tx, orders); err != nil {
		return err
	}
	taken := map[id.Team]int{}
	for _, o := range orders {
		if st.changed[o.TeamID] {
			taken[o.TeamID]++
		}
	}
	return takeSeats(tx, taken)
}

// takeSeats counts the seats in one statement; the guard and the CHECK refuse
// one seat too many.
func takeSeats(tx *database.Tx, taken map[id.Team]int) error {
	if len(taken) == 0 {
		return nil
	}
	teams := slices.Sorted(maps.Keys(taken))
	var when strings.Builder
	var cases []any
	for _, t := range teams {
		when.WriteString(" WHEN ? THEN ?")
		cases = append(cases, t, taken[t])
	}
	by := "(CASE id" + when.String() + " ELSE 0 END)"
	res := tx.Exec("UPDATE teams SET live_seats = live_seats + "+by+" WHERE id IN ?"+tx.Only("live_seats + "+by+" <= size"),
		slices.Concat(cases, []any{teams}, cases)...)
	if res.Error == nil && res.RowsAffected != int64(len(teams)) {
		return ErrTeamFull
	}
	return res.Error
}

// writeSeats notes which orders are seats of which team. An order that is had
// again after it was let go has its seat noted already.
func writeSeats(tx *database.Tx, orders []campaign.Order) error {
	var values strings.Builder
	var args []any
	for _, o := range orders {
		if o.Version > 1 {
			continue
		}
		if len(args) > 0 {
			values.WriteByte(',')
		}
		values.WriteString("(?, ?)")
		args = append(args, o.TeamID, o.ID)
	}
	if len(args) == 0 {
		return nil
	}
	return tx.Exec("INSERT INTO seats (team_id, order_id) VALUES "+values.String(), args...).Error
}
