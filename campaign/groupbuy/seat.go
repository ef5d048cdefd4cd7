package groupbuy

import (
	"database/sql"
	"maps"
	"slices"
	"strconv"
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
	terms   map[id.Campaign]Rules
	opened  []*Team
	changed map[id.Team]bool
}

const teamColumns = "id, campaign_id, item_id, size, live_seats, status, deadline_at"

// Sit locks the teams the claims name, by id ascending in one statement.
func (s *Service) Sit(tx *database.Tx, claims []campaign.Claim) (campaign.Seating, []database.Read) {
	st := &seating{
		now: tx.Now, next: tx.Next, teams: map[id.Team]*Team{},
		terms: map[id.Campaign]Rules{}, changed: map[id.Team]bool{},
	}
	named := map[id.Team]bool{}
	for _, c := range claims {
		if c.Team != 0 {
			named[c.Team] = true
		}
	}
	if len(named) == 0 {
		return st, nil
	}
	return st, []database.Read{{
		SQL:  "SELECT " + teamColumns + " FROM teams WHERE id IN ? ORDER BY id" + tx.Dialect.ForUpdate,
		Args: []any{slices.Sorted(maps.Keys(named))},
		Row:  st.team,
	}}
}

func (st *seating) team(rows *sql.Rows) error {
	var t Team
	err := rows.Scan(&t.ID, &t.CampaignID, &t.ItemID, &t.Size, &t.LiveSeats, &t.Status, &t.DeadlineAt)
	st.teams[t.ID] = &t
	return err
}

// termsOf are the campaign's rules, read once per batch.
func (st *seating) termsOf(c campaign.Campaign) (Rules, error) {
	if r, ok := st.terms[c.ID]; ok {
		return r, nil
	}
	r, err := Terms(c)
	st.terms[c.ID] = r
	return r, err
}

// Fit takes a seat: in the team named, or the first of a new one.
func (st *seating) Fit(c campaign.Claim, in campaign.Campaign) (id.Team, error) {
	if c.OpenTeam {
		return st.open(c, in)
	}
	t := st.teams[c.Team]
	switch {
	case t == nil || t.CampaignID != c.Campaign || t.ItemID != c.Item:
		return 0, fault.NotFound.Field("team_id", "not_found", "没有这个团", "there is no such team in this campaign and item")
	case t.Status != StatusOpen:
		return 0, ErrTeamGone.With("state", t.Status)
	case st.now >= t.DeadlineAt:
		return 0, ErrTeamGone.With("state", StatusFailed)
	case c.Sits:
		return 0, ErrInTeam
	case t.LiveSeats >= t.Size:
		return 0, ErrTeamFull
	}
	t.LiveSeats++
	st.changed[t.ID] = true
	return t.ID, nil
}

func (st *seating) open(c campaign.Claim, in campaign.Campaign) (id.Team, error) {
	r, err := st.termsOf(in)
	if err != nil {
		return 0, err
	}
	t := &Team{
		ID: id.Team(st.next()), CampaignID: c.Campaign, ItemID: c.Item, OpenerID: c.Member, Size: r.Size, LiveSeats: 1,
		Status: StatusOpen, DeadlineAt: min(st.now+clock.Milli(r.OpenForS)*1000, in.EndsAt), CreatedAt: st.now,
	}
	st.teams[t.ID] = t
	st.opened = append(st.opened, t)
	return t.ID, nil
}

// WriteTx inserts the teams opened in one statement, the seats in another, and
// counts those taken in teams that stood in a third.
func (st *seating) WriteTx(tx *database.Tx, orders []campaign.Order) error {
	if err := writeTeams(tx, st.opened); err != nil {
		return err
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

// writeTeams inserts the teams opened.
func writeTeams(tx *database.Tx, opened []*Team) error {
	if len(opened) == 0 {
		return nil
	}
	var values strings.Builder
	var args []any
	for i, t := range opened {
		if i > 0 {
			values.WriteByte(',')
		}
		values.WriteString("(?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?)")
		args = append(args, t.ID, t.CampaignID, t.ItemID, t.OpenerID, t.Size, t.LiveSeats, string(t.Status), t.DeadlineAt, t.CreatedAt)
	}
	return tx.Defer("INSERT INTO teams (id, campaign_id, item_id, opener_id, size, live_seats, status, deadline_at, formed_at, closed_at, created_at) VALUES "+
		values.String(), args...)
}

// takeSeats counts the seats in one statement. Nobody looks at how many rows it
// changed: were a decision ever wrong, the CHECK of teams would refuse the
// whole batch.
func takeSeats(tx *database.Tx, taken map[id.Team]int) error {
	if len(taken) == 0 {
		return nil
	}
	teams := slices.Sorted(maps.Keys(taken))
	b := []byte("UPDATE teams SET live_seats = live_seats + (CASE id")
	for _, t := range teams {
		b = strconv.AppendInt(append(b, " WHEN "...), int64(t), 10)
		b = strconv.AppendInt(append(b, " THEN "...), int64(taken[t]), 10)
	}
	return tx.Defer(string(append(b, " ELSE 0 END) WHERE id IN ?"...)), teams)
}

// writeSeats notes which orders are seats of which team. An order that is had
// again after it was let go has its seat noted already.
func writeSeats(tx *database.Tx, orders []campaign.Order) error {
	b := []byte("INSERT INTO seats (team_id, order_id) VALUES ")
	bare := len(b)
	for _, o := range orders {
		if o.Version > 1 {
			continue
		}
		if len(b) > bare {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, '('), int64(o.TeamID), 10)
		b = append(strconv.AppendInt(append(b, ','), int64(o.ID), 10), ')')
	}
	if len(b) == bare {
		return nil
	}
	return tx.Defer(string(b))
}
