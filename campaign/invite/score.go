package invite

import (
	"fmt"
	"maps"
	"slices"

	"siyu/campaign"
	"siyu/internal/database"
	"siyu/internal/id"
)

// score is how many invitees count for an inviter, and which steps he has
// reached. Board is what the leaderboard shows.
type score struct {
	ID         int64
	CampaignID id.Campaign
	MemberID   id.Member
	Stayed     int64 `gorm:"column:stayed_qty"`
	Bought     int64 `gorm:"column:bought_qty"`
	Board      int64 `gorm:"column:board_qty"`
	Mask       int64 `gorm:"column:reached_mask"`
	Rewards    int64 `gorm:"column:rewards_qty"`
	Due        bool
}

// TableName is the table's.
func (score) TableName() string { return "invite_scores" }

// of is the count of a kind.
func (x score) of(k StepKind) int64 {
	if k == StepBought {
		return x.Bought
	}
	return x.Stayed
}

// reached are the steps the counts have come to, as bits.
func (x score) reached(r Rules) (mask int64) {
	for i, s := range r.Steps {
		if x.of(s.Kind) >= int64(s.Count) {
			mask |= 1 << i
		}
	}
	return mask
}

// countTx counts anew for the inviters. The board keeps what was done by the
// campaign's end, and after it is frozen what it had.
func countTx(tx *database.Tx, c campaign.Campaign, r Rules, run Run, touched map[id.Member]bool) error {
	inviters := slices.Sorted(maps.Keys(touched))
	if len(inviters) == 0 {
		return nil
	}
	var sums, known []score
	err := tx.Raw(`SELECT inviter_id AS member_id, SUM(stayed) AS stayed_qty, SUM(bought) AS bought_qty,
			SUM(CASE WHEN ? = 1 AND bought = 1 AND bought_at <= ? OR ? = 0 AND stayed = 1 AND stays_at <= ? THEN 1 ELSE 0 END) AS board_qty
		FROM invitees WHERE campaign_id = ? AND inviter_id IN ? AND void = 0 GROUP BY inviter_id`,
		r.byBought(), run.end(c), r.byBought(), run.end(c), c.ID, inviters).Scan(&sums).Error
	if err != nil {
		return fmt.Errorf("invite: count: %w", err)
	}
	err = tx.Raw("SELECT * FROM invite_scores WHERE campaign_id = ? AND member_id IN ? ORDER BY id"+tx.Dialect.ForUpdate, c.ID, inviters).Scan(&known).Error
	if err != nil {
		return fmt.Errorf("invite: scores: %w", err)
	}
	has, counted := map[id.Member]score{}, map[id.Member]score{}
	for _, x := range known {
		has[x.MemberID] = x
	}
	for _, x := range sums {
		counted[x.MemberID] = x
	}
	for _, m := range inviters {
		was, there := has[m]
		next := was
		next.CampaignID, next.MemberID = c.ID, m
		next.Stayed, next.Bought = counted[m].Stayed, counted[m].Bought
		if run.FrozenAt == 0 {
			next.Board = counted[m].Board
		}
		next.Due = next.reached(r)&^next.Mask != 0
		if err := next.write(tx, was, there); err != nil {
			return err
		}
	}
	return nil
}

func (x score) write(tx *database.Tx, was score, there bool) error {
	switch {
	case !there:
		x.ID = tx.Next()
		return tx.Create(&x).Error
	case x == was:
		return nil
	}
	return tx.Exec("UPDATE invite_scores SET stayed_qty = ?, bought_qty = ?, board_qty = ?, due = ? WHERE id = ?", x.Stayed, x.Bought, x.Board, x.Due, x.ID).Error
}

// byBought is 1 where the board counts buyers.
func (r Rules) byBought() int {
	if r.Leaderboard != nil && r.Leaderboard.By == StepBought {
		return 1
	}
	return 0
}
