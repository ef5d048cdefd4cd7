package invite

import (
	"context"
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
)

// namedAtOnce is below the number of ids from which on an engine guesses what
// an IN list will find.
const namedAtOnce = 190

// proveGifts holds the rewards of a range against what they gave.
func proveGifts(q *database.Query, after, upto int64, p *database.Proof) error {
	var rows []struct {
		Reward
		Coupons int
	}
	err := q.Raw(`SELECT w.*, COALESCE((SELECT COUNT(*) FROM member_coupons m WHERE m.id = w.member_coupon_id AND m.source_kind = ?), 0) AS coupons
		FROM invite_rewards w WHERE w.id > ? AND w.id <= ? ORDER BY w.id`, sourceInvite, after, upto).Scan(&rows).Error
	if err != nil {
		return err
	}
	moved := map[string]int{}
	for part := range slices.Chunk(rows, namedAtOnce) {
		keys := make([]string, len(part))
		for i, w := range part {
			keys[i] = moveKey(w.ID)
		}
		var found []string
		if err := q.Raw("SELECT transfer_key FROM transfers WHERE transfer_key IN ?", keys).Scan(&found).Error; err != nil {
			return err
		}
		for _, k := range found {
			moved[k]++
		}
	}
	for _, w := range rows {
		given, goods, moves := w.State == RewardGiven, w.State == RewardGiven && w.Kind == GiftGoods, moved[moveKey(w.ID)]
		switch {
		case w.Coupons != one(given && w.Kind == GiftCoupon), moves != one(given && w.Kind == GiftPoints):
			p.Break("%s is %s and has %d coupons and %d moves of points", w.ID, w.State, w.Coupons, moves)
		case given != (w.GivenAt != 0):
			p.Break("%s is %s, given at %s", w.ID, w.State, w.GivenAt)
		case goods && w.GivenDay == 0:
			p.Break("%s was handed over and never ready", w.ID)
		}
	}
	return nil
}

// earned is what the ledger puts before the reference of points that were given.
const earned = "points:earn:"

// moveKey is the ledger's key of the points that a reward gave.
func moveKey(rid id.StepReward) string { return earned + pointsRef(rid) }

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// proveCoupons walks the coupons that came from steps, in the order of their
// sources: each is the one its reward names.
func proveCoupons(ctx context.Context, db *database.DB, p *database.Proof) error {
	type coupon struct {
		ID       id.MemberCoupon
		SourceID string
	}
	return walk(func(last coupon) (list []coupon, err error) {
		err = db.Snapshot(ctx, func(q *database.Query) error {
			err := q.Raw("SELECT id, source_id FROM member_coupons WHERE source_kind = ? AND source_id >= ? AND (source_id > ? OR id > ?) ORDER BY source_id, id LIMIT ?",
				sourceInvite, last.SourceID, last.SourceID, last.ID, verifyAt).Scan(&list).Error
			if err != nil {
				return err
			}
			refs := make([]string, len(list))
			for i, c := range list {
				refs[i] = c.SourceID
			}
			gave, err := rewardsNamed(q, refs)
			for _, c := range list {
				if w, known := gave[c.SourceID]; err == nil && (!known || w.MemberCouponID != c.ID) {
					p.Break("coupon %s came from %q, which did not give it", c.ID, c.SourceID)
				}
			}
			return err
		})
		return list, err
	})
}

// provePoints walks the moves of points that came from steps: each has its
// reward, which proveGifts holds against it.
func provePoints(ctx context.Context, db *database.DB, p *database.Proof) error {
	prefix := earned + "invite:"
	return walk(func(last string) (list []string, err error) {
		err = db.Snapshot(ctx, func(q *database.Query) error {
			err := q.Raw("SELECT transfer_key FROM transfers WHERE transfer_key > ? AND transfer_key < ? ORDER BY transfer_key LIMIT ?",
				max(last, prefix), earned+"invite;", verifyAt).Scan(&list).Error
			if err != nil {
				return err
			}
			refs := make([]string, len(list))
			for i, k := range list {
				refs[i] = k[len(prefix):]
			}
			gave, err := rewardsNamed(q, refs)
			for _, ref := range refs {
				if _, known := gave[ref]; err == nil && !known {
					p.Break("points of %q have no reward", ref)
				}
			}
			return err
		})
		return list, err
	})
}

// walk asks for what follows the last of what it was given, until there is no
// more.
func walk[T any](next func(last T) ([]T, error)) error {
	for last := *new(T); ; {
		list, err := next(last)
		if err != nil || len(list) == 0 {
			return err
		}
		last = list[len(list)-1]
	}
}

// rewardsNamed reads rewards by their public names; what names none is not among
// them.
func rewardsNamed(q *database.Query, names []string) (map[string]Reward, error) {
	out := map[string]Reward{}
	for part := range slices.Chunk(names, namedAtOnce) {
		ids := make([]id.StepReward, len(part))
		for i, n := range part {
			_ = ids[i].UnmarshalText([]byte(n)) // what is no name is nobody's id
		}
		var rows []Reward
		if err := q.Raw("SELECT id, member_coupon_id FROM invite_rewards WHERE id IN ?", ids).Scan(&rows).Error; err != nil {
			return nil, err
		}
		for _, w := range rows {
			out[w.ID.String()] = w
		}
	}
	return out, nil
}
