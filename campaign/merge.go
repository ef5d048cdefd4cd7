package campaign

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/referral"
	"siyu/wallet"
)

// mergeMax is how many rows one merge may move.
const mergeMax = 2000

// ErrMergeTooLarge refuses a merge that one transaction should not carry.
var ErrMergeTooLarge = fault.New(fault.KindUnprocessable, "merge_too_large", "该会员数据过多({rows} 行),请联系运维合并", "this member has {rows} rows, more than one merge moves; ask the operator")

// MergeMembers makes one member of two, in one transaction over every room
// that knows them. What the merged member held of a limited item is recorded,
// so that limits stay provable.
func (s *Service) MergeMembers(ctx context.Context, from, into id.Member) error {
	if from == into {
		return community.ErrMergeSelf
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		tx.SetResult("member", int64(into), 200)
		rows, err := s.moveOrders(tx, from, into)
		if err != nil {
			return err
		}
		for _, merge := range []func(*database.Tx, id.Member, id.Member) (int, error){referral.MergeTx, wallet.MergeTx, community.MergeTx} {
			n, err := merge(tx, from, into)
			if err != nil {
				return err
			}
			rows += n
		}
		if rows > mergeMax {
			return ErrMergeTooLarge.With("rows", rows)
		}
		if tx.Actor.Kind != database.ActorStaff {
			return nil
		}
		return database.AuditTx(tx, "member.merge", into, map[string]any{"from": from}, nil)
	})
}

// moveOrders hands the orders and teams of one member to another, with the
// items locked first so that no claim is decided meanwhile. Their epoch rises,
// because processes remember of a member how many pieces he may yet have. What
// he claims of an item he had nothing of, while this runs, followMerge moves.
func (s *Service) moveOrders(tx *database.Tx, from, into id.Member) (int, error) {
	claimers, err := claimersOf(tx.DB, from)
	if err != nil {
		return 0, err
	}
	orders, lines, err := lockClaimed(tx, claimers)
	if err != nil {
		return 0, err
	}
	if err := s.bringTx(tx, orders, into); err != nil {
		return 0, err
	}
	told, err := moveReminders(tx, from, into)
	if err != nil {
		return 0, err
	}
	left, err := s.leaveSecond(tx, lines, claimers, into)
	if err != nil {
		return 0, err
	}
	res := tx.Exec("UPDATE teams SET opener_id = ? WHERE opener_id = ?", into, from)
	if res.Error != nil {
		return 0, res.Error
	}
	return len(orders) + told + left + int(res.RowsAffected), task.EnqueueTx(tx, followMerge{claimers}, tx.Now.Add(followAfter))
}

// lockClaimed locks the items that members have orders of or wait for, and
// reads the orders and the lines under the locks. If a claim of another item
// commits meanwhile, that item is locked too. Its id may be lower than those
// locked already, so two merges may then deadlock; the engine ends one of them,
// which is tried again.
func lockClaimed(tx *database.Tx, claimers []id.Member) (orders []Order, lines []id.Item, err error) {
	locked := map[id.Item]bool{}
	for {
		orders, lines = nil, nil
		if err := tx.Raw("SELECT * FROM orders WHERE claimed_by IN ? LIMIT ?", claimers, mergeMax+1).Scan(&orders).Error; err != nil {
			return nil, nil, err
		}
		if len(orders) > mergeMax {
			return nil, nil, ErrMergeTooLarge.With("rows", len(orders))
		}
		if err := tx.Raw("SELECT item_id FROM waits WHERE member_id IN ? AND status = ?", claimers, WaitWaiting).Scan(&lines).Error; err != nil {
			return nil, nil, err
		}
		more := map[id.Item]bool{}
		for _, o := range orders {
			more[o.ItemID] = true
		}
		for _, item := range lines {
			more[item] = true
		}
		maps.DeleteFunc(more, func(item id.Item, _ bool) bool { return locked[item] })
		if len(more) == 0 {
			return orders, lines, nil
		}
		if _, err := lockItems(tx, sorted(more)); err != nil {
			return nil, nil, err
		}
		maps.Copy(locked, more)
	}
}

// bringTx hands orders, whose items are locked, to a member, and records how
// many pieces he has by that beyond what he claimed.
func (s *Service) bringTx(tx *database.Tx, orders []Order, into id.Member) error {
	held := map[id.Item]int{}
	for _, o := range orders {
		held[o.ItemID] += o.live()
	}
	for _, item := range sorted(held) {
		if held[item] == 0 {
			continue
		}
		res := tx.Exec("UPDATE limit_merges SET qty = qty + ? WHERE item_id = ? AND member_id = ?", held[item], item, into)
		if res.Error == nil && res.RowsAffected == 0 {
			res = tx.Exec("INSERT INTO limit_merges (item_id, member_id, qty) VALUES (?, ?, ?)", item, into, held[item])
		}
		if res.Error == nil {
			res = tx.Exec("UPDATE items SET epoch = epoch + 1 WHERE id = ?", item)
		}
		if res.Error != nil {
			return res.Error
		}
		tx.AfterCommit(func() { s.shelves.forget(item) })
	}
	ids := make([]id.Order, len(orders))
	for i, o := range orders {
		ids[i] = o.ID
	}
	for part := range slices.Chunk(ids, inMost/2) {
		if err := tx.Exec("UPDATE orders SET member_id = ? WHERE id IN ?", into, part).Error; err != nil {
			return err
		}
	}
	return nil
}

// followMerge moves what members claimed while they were merged away: such a
// claim saw them unmerged and committed when the merge had read their orders.
type followMerge struct {
	Members []id.Member `json:"members"`
}

// Kind names the task.
func (followMerge) Kind() string { return "campaign:follow_merge" }

// followAfter is longer than any claim takes that began before a merge stood.
const followAfter = 10 * time.Second

func (s *Service) follow(tx *database.Tx, a followMerge) error {
	today, err := community.FollowMerges(tx.DB, a.Members)
	if err != nil {
		return err
	}
	for _, m := range a.Members {
		into := today[m]
		if into == 0 || into == m {
			continue // erased
		}
		stray, err := strayOf(tx, m, into)
		if err != nil {
			return err
		}
		if len(stray) == 0 {
			continue
		}
		if _, _, err := lockClaimed(tx, []id.Member{m}); err != nil {
			return err
		}
		if stray, err = strayOf(tx, m, into); err != nil { // one may have been let go meanwhile
			return err
		}
		if err := s.bringTx(tx, stray, into); err != nil {
			return err
		}
		if err := tx.Exec("UPDATE teams SET opener_id = ? WHERE opener_id = ?", into, m).Error; err != nil {
			return err
		}
	}
	return nil
}

// strayOf are orders that a merged member claimed and that do not belong yet to
// the member he became.
func strayOf(tx *database.Tx, m, into id.Member) ([]Order, error) {
	var stray []Order
	err := tx.Raw("SELECT * FROM orders WHERE claimed_by = ? AND member_id <> ? LIMIT ?", m, into, mergeMax).Scan(&stray).Error
	return stray, err
}

// leaveSecond gives up the later of two places that became one member's, in
// lines whose items are locked. A line that one of them joined while this ran
// is not among them and keeps both places; the limit per member holds there too.
func (s *Service) leaveSecond(tx *database.Tx, items []id.Item, from []id.Member, into id.Member) (int, error) {
	if len(items) == 0 {
		return 0, nil
	}
	others, err := claimersOf(tx.DB, into)
	if err != nil {
		return 0, err
	}
	var places []Wait
	err = tx.Raw("SELECT * FROM waits WHERE item_id IN ? AND member_id IN ? AND status = ? ORDER BY item_id, seq",
		items, slices.Concat(from, others), WaitWaiting).Scan(&places).Error
	if err != nil {
		return 0, err
	}
	left := 0
	for i, w := range places {
		if i == 0 || places[i-1].ItemID != w.ItemID {
			continue
		}
		err := tx.Exec("UPDATE waits SET status = ?, reason = ?, closed_at = ? WHERE id = ?", WaitLeft, reasonMerged, tx.Now, w.ID).Error
		if err != nil {
			return 0, err
		}
		if err := countWaits(tx, w.ItemID, -1); err != nil {
			return 0, err
		}
		left++
		tx.AfterCommit(func() { s.shelves.forget(w.ItemID) })
	}
	return left, nil
}

// reasonMerged is why a place was given up that its member had twice.
const reasonMerged = "member.merged"

// claimersOf is the member and whoever was merged into him: under these ids
// his orders were claimed, and so they are indexed.
func claimersOf(q *database.Query, m id.Member) ([]id.Member, error) {
	merged, err := community.MergedInto(q, []id.Member{m})
	return append(merged[m], m), err
}

// sorted is a map's keys ascending.
func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
