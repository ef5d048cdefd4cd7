package invite

import (
	"context"
	"fmt"
	"math"

	"siyu/internal/database"
	"siyu/internal/id"
)

// verifyAt is how many rows one snapshot checks.
const verifyAt = 1000

// Verify proves V5's part of the steps: each given reward has exactly one
// coupon, one move of points or one hand-over, no coupon or points of this room
// lacks its reward, and no cap is passed. Each table is walked in ranges, and
// what must be of one moment is of one snapshot.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V5", Says: "step rewards: one fact each, within the caps"}
	for _, w := range []struct {
		table, column string
		n             int
		prove         func(q *database.Query, after, upto int64, p *database.Proof) error
	}{
		{"invite_rewards", "id", verifyAt, proveGifts},
		{"invite_runs", "campaign_id", 1, proveCaps},
		{"invite_scores", "id", verifyAt, proveCounts},
	} {
		n, err := db.InRanges(ctx, w.table, w.column, w.n, func(q *database.Query, after, upto int64) error { return w.prove(q, after, upto, &p) })
		if err != nil {
			return nil, fmt.Errorf("invite: verify: %w", err)
		}
		p.Checked += n
	}
	for _, prove := range []func(context.Context, *database.DB, *database.Proof) error{proveDays, proveCoupons, provePoints} {
		if err := prove(ctx, db, &p); err != nil {
			return nil, fmt.Errorf("invite: verify: %w", err)
		}
	}
	return []database.Proof{p}, nil
}

// proveCaps counts what each campaign gave again, against its counters and caps.
func proveCaps(q *database.Query, after, upto int64, p *database.Proof) error {
	var rows []struct {
		Run
		Had, Gave int64
	}
	err := q.Raw(`SELECT r.*, (SELECT COUNT(*) FROM invite_rewards w WHERE w.campaign_id = r.campaign_id AND w.state <> 'skipped') AS had,
			(SELECT COALESCE(SUM(w.points), 0) FROM invite_rewards w WHERE w.campaign_id = r.campaign_id AND w.state <> 'skipped') AS gave
		FROM invite_runs r WHERE r.campaign_id > ? AND r.campaign_id <= ?`, after, upto).Scan(&rows).Error
	for _, r := range rows {
		if r.Had != r.Rewards || r.RewardsCap > 0 && r.Had > r.RewardsCap || r.Gave != r.Points || r.PointsCap > 0 && r.Gave > r.PointsCap {
			p.Break("%s counts %d rewards of %d and %d points of %d, and has %d and %d", r.CampaignID, r.Rewards, r.RewardsCap, r.Points, r.PointsCap, r.Had, r.Gave)
		}
	}
	return err
}

// proveDays counts what each member was given a day again, campaign by campaign.
func proveDays(ctx context.Context, db *database.DB, p *database.Proof) error {
	var runs []id.Campaign
	if err := db.Read(ctx).Raw("SELECT campaign_id FROM invite_runs ORDER BY campaign_id").Scan(&runs).Error; err != nil {
		return err
	}
	for _, c := range runs {
		for after := int64(0); after != math.MaxInt64; {
			err := db.Snapshot(ctx, func(q *database.Query) error {
				upto := int64(math.MaxInt64)
				err := q.Raw("SELECT member_id FROM invite_days WHERE campaign_id = ? AND member_id > ? ORDER BY member_id LIMIT 1 OFFSET ?", c, after, verifyAt-1).Scan(&upto).Error
				if err != nil {
					return err
				}
				err = proveDaysOf(q, c, after, upto, p)
				after = upto
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func proveDaysOf(q *database.Query, c id.Campaign, after, upto int64, p *database.Proof) error {
	var bad []struct {
		MemberID id.Member
		Day      int
		Qty, Had int64
		Most     int64
	}
	err := q.Raw(`SELECT n.member_id, n.day, n.qty, n.had, n.most FROM (
			SELECT d.member_id, d.day, d.qty, r.day_cap AS most, (SELECT COUNT(*) FROM invite_rewards w
				WHERE w.campaign_id = d.campaign_id AND w.member_id = d.member_id AND w.given_day = d.day) AS had
			FROM invite_days d JOIN invite_runs r ON r.campaign_id = d.campaign_id WHERE d.campaign_id = ? AND d.member_id > ? AND d.member_id <= ?) n
		WHERE n.qty <> n.had OR n.most > 0 AND n.had > n.most`, c, after, upto).Scan(&bad).Error
	for _, b := range bad {
		p.Break("%s was given %d on %d, counted %d of %d", b.MemberID, b.Had, b.Day, b.Qty, b.Most)
	}
	return err
}

// proveCounts holds each inviter's counters against the rows they count, and
// his rewards against his cap. Merged members each keep what they had.
func proveCounts(q *database.Query, after, upto int64, p *database.Proof) error {
	var bad []struct {
		MemberID   id.Member
		CampaignID id.Campaign
	}
	err := q.Raw(`SELECT n.member_id, n.campaign_id FROM (
			SELECT x.member_id, x.campaign_id, x.stayed_qty, x.bought_qty, x.rewards_qty, r.inviter_cap,
				(SELECT COALESCE(SUM(i.stayed), 0) FROM invitees i WHERE i.campaign_id = x.campaign_id AND i.inviter_id = x.member_id AND i.void = 0) AS stayed,
				(SELECT COALESCE(SUM(i.bought), 0) FROM invitees i WHERE i.campaign_id = x.campaign_id AND i.inviter_id = x.member_id AND i.void = 0) AS bought,
				(SELECT COUNT(*) FROM invite_rewards w WHERE w.campaign_id = x.campaign_id AND w.member_id = x.member_id AND w.state <> 'skipped') AS had
			FROM invite_scores x JOIN invite_runs r ON r.campaign_id = x.campaign_id WHERE x.id > ? AND x.id <= ?) n
		WHERE n.stayed <> n.stayed_qty OR n.bought <> n.bought_qty OR n.had <> n.rewards_qty OR n.inviter_cap > 0 AND n.had > n.inviter_cap`, after, upto).Scan(&bad).Error
	for _, b := range bad {
		p.Break("the counters of %s in %s are not what is on record, or beyond his cap", b.MemberID, b.CampaignID)
	}
	return err
}
