package invite

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/id"
)

// Verify proves V5's part of the steps: each given reward has exactly one
// coupon, one move of points or one hand-over, no coupon or points of this room
// lacks its reward, and no cap is passed.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V5", Says: "step rewards: one fact each, within the caps"}
	for _, f := range []func(*database.Query, *database.Proof) error{proveFacts, proveCaps, proveDays, proveCounts} {
		if err := db.Snapshot(ctx, func(q *database.Query) error { return f(q, &p) }); err != nil {
			return nil, err
		}
	}
	return []database.Proof{p}, nil
}

func proveFacts(q *database.Query, p *database.Proof) error {
	var rows []struct {
		Reward
		Coupons, Moves int
	}
	err := q.Raw(`SELECT w.*, COALESCE((SELECT COUNT(*) FROM member_coupons m WHERE m.id = w.member_coupon_id AND m.source_kind = ?), 0) AS coupons
		FROM invite_rewards w ORDER BY w.id`, sourceInvite).Scan(&rows).Error
	if err != nil {
		return err
	}
	moved, err := movesOf(q)
	if err != nil {
		return err
	}
	issued := 0
	for _, w := range rows {
		p.Checked++
		w.Moves = moved[pointsRef(w.ID)]
		delete(moved, pointsRef(w.ID))
		issued += w.Coupons
		given, goods := w.State == RewardGiven, w.State == RewardGiven && w.Kind == GiftGoods
		switch {
		case w.Coupons != one(given && w.Kind == GiftCoupon), w.Moves != one(given && w.Kind == GiftPoints):
			p.Break("%s is %s and has %d coupons and %d moves of points", w.ID, w.State, w.Coupons, w.Moves)
		case given != (w.GivenAt != 0):
			p.Break("%s is %s, given at %s", w.ID, w.State, w.GivenAt)
		case goods && w.GivenDay == 0:
			p.Break("%s was handed over and never ready", w.ID)
		}
	}
	for ref := range moved {
		p.Break("points %q have no reward", ref)
	}
	var coupons int
	if err := q.Raw("SELECT COUNT(*) FROM member_coupons WHERE source_kind = ?", sourceInvite).Scan(&coupons).Error; err != nil {
		return err
	}
	if coupons != issued {
		p.Break("%d coupons came from steps, rewards know of %d", coupons, issued)
	}
	return nil
}

// movesOf counts the moves of points by their reference.
func movesOf(q *database.Query) (map[string]int, error) {
	const prefix = "points:earn:"
	var keys []string
	err := q.Raw("SELECT transfer_key FROM transfers WHERE transfer_key >= ? AND transfer_key < ?", prefix+"invite:", prefix+"invite;").Scan(&keys).Error
	out := map[string]int{}
	for _, k := range keys {
		out[k[len(prefix):]]++
	}
	return out, err
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func proveCaps(q *database.Query, p *database.Proof) error {
	var rows []struct {
		Run
		Had, Gave int64
	}
	err := q.Raw(`SELECT r.*, (SELECT COUNT(*) FROM invite_rewards w WHERE w.campaign_id = r.campaign_id AND w.state <> 'skipped') AS had,
			(SELECT COALESCE(SUM(w.points), 0) FROM invite_rewards w WHERE w.campaign_id = r.campaign_id AND w.state <> 'skipped') AS gave
		FROM invite_runs r ORDER BY r.campaign_id`).Scan(&rows).Error
	for _, r := range rows {
		p.Checked++
		if r.Had != r.Rewards || r.RewardsCap > 0 && r.Had > r.RewardsCap || r.Gave != r.Points || r.PointsCap > 0 && r.Gave > r.PointsCap {
			p.Break("%s counts %d rewards of %d and %d points of %d, and has %d and %d", r.CampaignID, r.Rewards, r.RewardsCap, r.Points, r.PointsCap, r.Had, r.Gave)
		}
	}
	return err
}

func proveDays(q *database.Query, p *database.Proof) error {
	var bad []struct {
		MemberID id.Member
		Day      int
		Qty, Had int64
		Most     int64
	}
	err := q.Raw(`SELECT n.member_id, n.day, n.qty, n.had, n.most FROM (
			SELECT d.member_id, d.day, d.qty, r.day_cap AS most, (SELECT COUNT(*) FROM invite_rewards w
				WHERE w.campaign_id = d.campaign_id AND w.member_id = d.member_id AND w.given_day = d.day) AS had
			FROM invite_days d JOIN invite_runs r ON r.campaign_id = d.campaign_id) n
		WHERE n.qty <> n.had OR n.most > 0 AND n.had > n.most`).Scan(&bad).Error
	for _, b := range bad {
		p.Break("%s was given %d on %d, counted %d of %d", b.MemberID, b.Had, b.Day, b.Qty, b.Most)
	}
	return err
}

// proveCounts holds each inviter's counters against the rows they count, and
// his rewards against his cap. Merged members each keep what they had.
func proveCounts(q *database.Query, p *database.Proof) error {
	var bad []struct {
		MemberID   id.Member
		CampaignID id.Campaign
	}
	err := q.Raw(`SELECT n.member_id, n.campaign_id FROM (
			SELECT x.member_id, x.campaign_id, x.stayed_qty, x.bought_qty, x.rewards_qty, r.inviter_cap,
				(SELECT COALESCE(SUM(i.stayed), 0) FROM invitees i WHERE i.campaign_id = x.campaign_id AND i.inviter_id = x.member_id AND i.void = 0) AS stayed,
				(SELECT COALESCE(SUM(i.bought), 0) FROM invitees i WHERE i.campaign_id = x.campaign_id AND i.inviter_id = x.member_id AND i.void = 0) AS bought,
				(SELECT COUNT(*) FROM invite_rewards w WHERE w.campaign_id = x.campaign_id AND w.member_id = x.member_id AND w.state <> 'skipped') AS had
			FROM invite_scores x JOIN invite_runs r ON r.campaign_id = x.campaign_id) n
		WHERE n.stayed <> n.stayed_qty OR n.bought <> n.bought_qty OR n.had <> n.rewards_qty OR n.inviter_cap > 0 AND n.had > n.inviter_cap`).Scan(&bad).Error
	for _, b := range bad {
		p.Break("the counters of %s in %s are not what is on record, or beyond his cap", b.MemberID, b.CampaignID)
	}
	return err
}
