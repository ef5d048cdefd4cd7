package referral

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
)

// lookSlack is how much later than the store's time a reward's day must be for
// one that was not looked at to have its row: processes are ahead of that time.
const lookSlack = time.Minute

// ripens says whether the reward has its row, or may have one.
func (r Reward) ripens(now clock.Milli) (must, may bool) {
	if r.Currency != money.CNY || r.State != RewardPending || r.Review.stopped() {
		return false, false
	}
	return r.Review.clears() || r.MaturesAt > now.Add(lookSlack), true
}

// verifyRipening proves that what waits for its day has its row and that no
// other row is there, in two walks: of the rewards and of the rows.
func verifyRipening(ctx context.Context, db *database.DB) (database.Proof, error) {
	p := database.Proof{ID: "V10", Says: "what waits for its day has its row, and nothing else has one"}
	var asked askedFor
	n, err := db.InRanges(ctx, "rewards", "id", span, func(q *database.Query, after, upto int64) error {
		return checkWaiting(q, clock.MilliOf(db.Clock.Now()), &asked, after, upto, &p)
	})
	if err != nil {
		return p, fmt.Errorf("referral: verify ripening: %w", err)
	}
	p.Checked += n
	for after, last := (ripening{}), false; !last; {
		err := db.Snapshot(ctx, func(q *database.Query) error {
			list, err := ripeningBehind(q, after, math.MaxInt64, span)
			if err != nil {
				return err
			}
			p.Checked += int64(len(list))
			if last = len(list) < span; len(list) > 0 {
				after = list[len(list)-1]
			}
			return checkRipening(q, list, &p)
		})
		if err != nil {
			return p, fmt.Errorf("referral: verify ripening: %w", err)
		}
	}
	return p, nil
}

// VerifyStrict adds what holds after a minute of quiet: no reward that may clear
// is due for more than 60 s.
func VerifyStrict(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V10+", Says: "no reward waits for more than 60 s beyond its day"}
	err := db.Snapshot(ctx, func(q *database.Query) error {
		now, err := database.StoreNow(q)
		if err != nil || now == 0 {
			return err
		}
		var late struct {
			N        int64
			Earliest clock.Milli
		}
		err = q.Raw("SELECT COUNT(*) AS n, COALESCE(MIN(matures_at), 0) AS earliest FROM ripening WHERE matures_at < ?", now.Add(-time.Minute)).Scan(&late).Error
		if p.Checked = late.N; late.N > 0 {
			p.Break("%d rewards are due, one since %s", late.N, late.Earliest)
		}
		return err
	})
	return []database.Proof{p}, err
}

// checkWaiting reads the rewards of a range that have not cleared and have no
// row; most have one or the other and are passed over where they lie. The kind
// stands in COALESCE for the reason that movedSince tells; with the bare
// condition MariaDB was seen to walk all that ever cleared for each reward.
func checkWaiting(q *database.Query, unserved clock.Milli, asked *askedFor, after, upto int64, p *database.Proof) error {
	var bare []id.Reward
	err := q.Raw(`SELECT r.id FROM rewards r LEFT JOIN reward_events e ON e.reward_id = r.id AND COALESCE(e.kind, '') = 'cleared'
			LEFT JOIN ripening w ON w.matures_at = r.matures_at AND w.reward_id = r.id
		WHERE r.id > ? AND r.id <= ? AND r.currency = 'CNY' AND r.amount > 0 AND r.review IN ? AND e.id IS NULL AND w.reward_id IS NULL`,
		after, upto, []Review{ReviewOld, ReviewPassed, ReviewDue}).Scan(&bare).Error
	if err != nil || len(bare) == 0 {
		return err
	}
	now, err := database.StoreNow(q)
	if err != nil {
		return err
	}
	if now == 0 { // nobody has served this store yet
		now = unserved
	}
	list, err := foldedIn(q, bare)
	if err != nil {
		return err
	}
	for _, r := range list {
		if must, _ := r.ripens(now); !must {
			continue
		}
		byTask, err := asked.has(q, r.ID)
		if err != nil {
			return err
		}
		if !byTask {
			p.Break("reward %s waits for its day and nothing will clear it then", r.ID)
		}
	}
	return nil
}

// checkRipening holds rows against their rewards.
func checkRipening(q *database.Query, rows []ripening, p *database.Proof) error {
	ids := make([]id.Reward, len(rows))
	for i, r := range rows {
		ids[i] = r.reward
	}
	list, err := foldedIn(q, ids)
	if err != nil {
		return err
	}
	of := make(map[id.Reward]Reward, len(list))
	for _, r := range list {
		of[r.ID] = r
	}
	for _, row := range rows {
		r, known := of[row.reward]
		if _, may := r.ripens(0); !known || !may || r.MaturesAt != row.maturesAt {
			p.Break("a row waits for %s to clear reward %s, which is %s, review %q, and matures at %s", row.maturesAt, row.reward, r.State, r.Review, r.MaturesAt)
		}
	}
	return nil
}

// foldedIn reads rewards with their events.
func foldedIn(q *database.Query, ids []id.Reward) ([]Reward, error) {
	out := make([]Reward, 0, len(ids))
	for part := range slices.Chunk(ids, inAtOnce) {
		var rows []Reward
		if err := q.Raw("SELECT "+rewardColumns+" FROM rewards r WHERE r.id IN ?", part).Scan(&rows).Error; err != nil {
			return nil, err
		}
		rows, err := foldAll(q, rows)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// askedFor are the rewards whose clearing is asked for by a task: those of a
// release before there were rows, and what failed by itself. They are read once,
// when one is looked for, and again for one that is not among them.
type askedFor struct {
	ids  []id.Reward
	read bool
}

func (a *askedFor) has(q *database.Query, r id.Reward) (bool, error) {
	if a.read {
		if _, found := slices.BinarySearch(a.ids, r); found {
			return true, nil
		}
	}
	list, err := task.Open[ClearReward](q)
	if err != nil {
		return false, err
	}
	a.ids, a.read = a.ids[:0], true
	for _, t := range list {
		a.ids = append(a.ids, t.Reward)
	}
	slices.Sort(a.ids)
	_, found := slices.BinarySearch(a.ids, r)
	return found, nil
}
