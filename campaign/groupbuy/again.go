package groupbuy

import (
	"context"
	"maps"
	"slices"

	"siyu/campaign"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// Again is the claim that opens a failed team again: a new team of the same
// item and size, with one seat taken by who asks. The others are invited by
// the event team.reopened; no seat is kept for them.
func (s *Service) Again(ctx context.Context, team id.Team) (campaign.Claim, error) {
	c, err := s.Joining(ctx, team)
	c.Team, c.OpenTeam, c.Again = 0, true, team
	return c, err
}

// sat reads who had seats in the teams to be opened again, and which of those
// were opened again by a team that is open still.
func (st *seating) sat(teams map[id.Team]bool) []database.Read {
	st.before, st.succeeded = map[id.Team][]id.Member{}, map[id.Team]bool{}
	list := slices.Sorted(maps.Keys(teams))
	return []database.Read{{
		SQL: `SELECT seats.team_id, orders.member_id FROM seats JOIN orders ON orders.id = seats.order_id
			WHERE seats.team_id IN ? ORDER BY orders.id`,
		Args: []any{list},
		Row: func(rows database.Row) error {
			var team id.Team
			var member id.Member
			err := rows.Scan(&team, &member)
			if !slices.Contains(st.before[team], member) {
				st.before[team] = append(st.before[team], member)
			}
			return err
		},
	}, {
		SQL:  "SELECT teams.id FROM teams JOIN teams next ON next.id = teams.again_as WHERE teams.id IN ? AND next.status = 'open'",
		Args: []any{list},
		Row: func(rows database.Row) error {
			var team id.Team
			err := rows.Scan(&team)
			st.succeeded[team] = true
			return err
		},
	}}
}

// reopens refuses who was not in the failed team, and a second opening.
func (st *seating) reopens(c campaign.Claim) error {
	t := st.teams[c.Again]
	switch {
	case t == nil || t.CampaignID != c.Campaign || t.ItemID != c.Item || !slices.Contains(st.before[c.Again], c.Member):
		return fault.NotFound
	case t.Status != StatusFailed:
		return ErrNotOver
	case st.succeeded[c.Again]:
		return ErrAgain.With("team", t.AgainAs)
	}
	return nil
}

// reopened is the event that invites the people of a failed team. Invited are
// all who had a seat in it but the opener.
type reopened struct {
	TeamID     id.Team     `json:"team_id"`
	AgainOf    id.Team     `json:"again_of"`
	CampaignID id.Campaign `json:"campaign_id"`
	ItemID     id.Item     `json:"item_id"`
	OpenerID   id.Member   `json:"opener_id"`
	Invited    []id.Member `json:"invited"`
	URL        string      `json:"url"`
}

// writeAgain names the new team on the failed one, whose row is locked, and
// invites its people.
func (st *seating) writeAgain(tx *database.Tx) error {
	for _, t := range st.opened {
		if t.AgainOf == 0 {
			continue
		}
		if err := tx.Defer("UPDATE teams SET again_as = ? WHERE id = ?", t.ID, t.AgainOf); err != nil {
			return err
		}
		others := slices.DeleteFunc(slices.Clone(st.before[t.AgainOf]), func(m id.Member) bool { return m == t.OpenerID })
		err := webhook.PublishTx(tx, eventReopened, reopened{
			TeamID: t.ID, AgainOf: t.AgainOf, CampaignID: t.CampaignID, ItemID: t.ItemID,
			OpenerID: t.OpenerID, Invited: others, URL: st.publicURL + "/t/" + t.ID.String(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
