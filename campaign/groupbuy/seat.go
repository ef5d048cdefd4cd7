package groupbuy

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// seating is the locked teams of one batch, with the seats taken in memory.
type seating struct {
	now       clock.Milli
	next      func() int64
	teams     map[id.Team]*Team
	terms     map[id.Campaign]Rules
	opened    []*Team
	changed   map[id.Team]bool
	moved     map[id.Order]id.Team    // which team an order leaves
	before    map[id.Team][]id.Member // who sat in the teams opened again
	succeeded map[id.Team]bool        // of those, which an open team was opened for
	publicURL string
}

const teamColumns = "id, campaign_id, item_id, size, live_seats, status, deadline_at, unit_price, again_as"

// Sit locks the teams the claims name, by id ascending in one statement.
func (s *Service) Sit(tx *database.Tx, claims []campaign.Claim) (campaign.Seating, []database.Read) {
	st := &seating{
		publicURL: s.PublicURL,
		now:       tx.Now, next: tx.Next, teams: map[id.Team]*Team{},
		terms: map[id.Campaign]Rules{}, changed: map[id.Team]bool{}, moved: map[id.Order]id.Team{},
	}
	named, again := map[id.Team]bool{}, map[id.Team]bool{}
	for _, c := range claims {
		if c.Team != 0 {
			named[c.Team] = true
		}
		if c.Again != 0 {
			named[c.Again] = true
			again[c.Again] = true
		}
	}
	if len(named) == 0 {
		return st, nil
	}
	reads := []database.Read{{
		SQL:  "SELECT " + teamColumns + " FROM teams WHERE id IN ? ORDER BY id" + tx.Dialect.ForUpdate,
		Args: []any{slices.Sorted(maps.Keys(named))},
		Row:  st.team,
	}}
	if len(again) > 0 {
		reads = append(reads, st.sat(again)...)
	}
	return st, reads
}

func (st *seating) team(rows database.Row) error {
	var t Team
	err := rows.Scan(&t.ID, &t.CampaignID, &t.ItemID, &t.Size, &t.LiveSeats, &t.Status, &t.DeadlineAt, &t.UnitPrice, &t.AgainAs)
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
func (st *seating) Fit(c campaign.Claim, in campaign.Campaign, item campaign.Item) (campaign.Seat, error) {
	if c.OpenTeam {
		return st.open(c, in, item)
	}
	t := st.teams[c.Team]
	if err := st.joinable(t, c); err != nil {
		return campaign.Seat{}, err
	}
	price := t.Price(item)
	if c.Move != nil {
		if c.Move.Price != price {
			return campaign.Seat{}, ErrPrice
		}
		st.moved[c.Move.Order] = c.Move.From
	}
	t.LiveSeats++
	st.changed[t.ID] = true
	return campaign.Seat{Team: t.ID, Price: price}, nil
}

// Price is what a seat costs who joins: what was frozen when the team opened,
// or less if the item has become cheaper since.
func (t Team) Price(item campaign.Item) money.Amount {
	now, _ := item.At(t.Size)
	if t.UnitPrice > 0 {
		return min(now, t.UnitPrice)
	}
	return now
}

func (st *seating) joinable(t *Team, c campaign.Claim) error {
	switch {
	case t == nil || t.CampaignID != c.Campaign || t.ItemID != c.Item:
		return fault.NotFound.Field("team_id", "not_found", "没有这个团", "there is no such team in this campaign and item")
	case t.Status != StatusOpen:
		return ErrTeamGone.With("state", t.Status)
	case st.now >= t.DeadlineAt:
		return ErrTeamGone.With("state", StatusFailed)
	case c.Sits:
		return ErrInTeam
	case t.LiveSeats >= t.Size:
		return ErrTeamFull
	}
	return nil
}

func (st *seating) open(c campaign.Claim, in campaign.Campaign, item campaign.Item) (campaign.Seat, error) {
	r, err := st.termsOf(in)
	if err != nil {
		return campaign.Seat{}, err
	}
	if c.Again != 0 {
		if err := st.reopens(c); err != nil {
			return campaign.Seat{}, err
		}
		c.TeamSize = st.teams[c.Again].Size
	}
	size, err := r.choose(c.TeamSize)
	if err != nil {
		return campaign.Seat{}, err
	}
	price, opener := item.At(size.Size)
	t := &Team{
		ID: id.Team(st.next()), CampaignID: c.Campaign, ItemID: c.Item, OpenerID: c.Member, Size: size.Size, LiveSeats: 1,
		MinSize: size.MinSize, UnitPrice: price, AgainOf: c.Again,
		Status: StatusOpen, DeadlineAt: min(st.now+clock.Milli(r.OpenForS)*1000, in.EndsAt), CreatedAt: st.now,
	}
	st.teams[t.ID] = t
	st.opened = append(st.opened, t)
	if c.Again != 0 {
		st.teams[c.Again].AgainAs, st.succeeded[c.Again] = t.ID, true
	}
	return campaign.Seat{Team: t.ID, Price: opener}, nil
}

// WriteTx inserts the teams opened in one statement, the seats in another, and
// counts those taken in teams that stood in a third.
func (st *seating) WriteTx(tx *database.Tx, orders []campaign.Order) error {
	if err := writeTeams(tx, st.opened, orders); err != nil {
		return err
	}
	if err := st.writeAgain(tx); err != nil {
		return err
	}
	if err := st.writeSeats(tx, orders); err != nil {
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
func writeTeams(tx *database.Tx, opened []*Team, orders []campaign.Order) error {
	if len(opened) == 0 {
		return nil
	}
	first := map[id.Team]id.Order{}
	for _, o := range slices.Backward(orders) {
		first[o.TeamID] = o.ID
	}
	var values strings.Builder
	var args []any
	for i, t := range opened {
		if i > 0 {
			values.WriteByte(',')
		}
		values.WriteString("(?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?)")
		args = append(args, t.ID, t.CampaignID, t.ItemID, t.OpenerID, t.Size, t.LiveSeats, string(t.Status), t.DeadlineAt, t.CreatedAt,
			t.MinSize, t.UnitPrice, first[t.ID], t.AgainOf)
	}
	return tx.Defer("INSERT INTO teams (id, campaign_id, item_id, opener_id, size, live_seats, status, deadline_at, formed_at, closed_at, created_at, min_size, unit_price, opener_order, again_of) VALUES "+
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
func (st *seating) writeSeats(tx *database.Tx, orders []campaign.Order) error {
	b := []byte("INSERT INTO seats (team_id, order_id) VALUES ")
	bare := len(b)
	for _, o := range orders {
		if o.Version > 1 {
			from, moves := st.moved[o.ID]
			if !moves {
				continue
			}
			if err := tx.Defer("DELETE FROM seats WHERE team_id = ? AND order_id = ?", from, o.ID); err != nil {
				return err
			}
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
