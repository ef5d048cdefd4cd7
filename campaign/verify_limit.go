package campaign

import (
	"context"
	"slices"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
)

// limitChunk is how many members' orders are read at once.
const limitChunk = 100

// proveLimits checks V2 against the limit frozen on the member's newest order.
// Whoever has a single order was checked by that order alone and is in excess
// if he holds too much; left are those, who claimed more than once, which the
// index of keys says without reading an order, and into whom others were
// merged.
func proveLimits(ctx context.Context, db *database.DB, span int, excess map[id.Member]bool, p *database.Proof) error {
	p.ID, p.Says = "V2", "pieces per member and item within the frozen limit"
	for at := (walk{column: "claimed_by"}); !at.done; {
		err := at.step(ctx, db, span, func(q *database.Query) error {
			var often []id.Member
			err := q.Raw("SELECT claimed_by FROM orders WHERE claimed_by > ? AND claimed_by <= ? GROUP BY claimed_by HAVING COUNT(*) > 1", at.after, at.upTo).Scan(&often).Error
			if err != nil {
				return err
			}
			merged, err := community.MergeRoots(q, id.Member(at.after), id.Member(at.upTo))
			if err != nil {
				return err
			}
			return proveMembers(q, append(often, merged...), p)
		})
		if err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(sorted(excess), limitChunk) {
		if err := db.Snapshot(ctx, func(q *database.Query) error { return proveMembers(q, chunk, p) }); err != nil {
			return err
		}
	}
	return nil
}

// proveMembers checks V2 of these members.
func proveMembers(q *database.Query, members []id.Member, p *database.Proof) error {
	slices.Sort(members)
	for chunk := range slices.Chunk(slices.Compact(members), limitChunk) {
		merged, err := community.MergedInto(q, chunk)
		if err != nil {
			return err
		}
		claimers := slices.Clone(chunk)
		for _, m := range chunk {
			claimers = append(claimers, merged[m]...)
		}
		var orders []Order
		for some := range slices.Chunk(claimers, 2*limitChunk) {
			var more []Order
			err := q.Raw("SELECT id, item_id, member_id, qty, refunded_qty, status, limit_frozen FROM orders WHERE claimed_by IN ?", some).Scan(&more).Error
			if err != nil {
				return err
			}
			orders = append(orders, more...)
		}
		brought, err := broughtBy(q, chunk)
		if err != nil {
			return err
		}
		proveHoldings(p, chunk, orders, brought)
	}
	return nil
}

// proveHoldings compares what each of the members holds of each item. Orders
// of others are passed by: a merged member's belong to whom he became.
func proveHoldings(p *database.Proof, members []id.Member, orders []Order, brought map[place]int) {
	slices.SortFunc(orders, func(a, b Order) int { return int(min(max(a.ID-b.ID, -1), 1)) })
	holds, allowed := map[place]int{}, map[place]int{}
	for _, o := range orders {
		if _, asked := slices.BinarySearch(members, o.MemberID); asked {
			at := place{o.ItemID, o.MemberID}
			holds[at] += o.live()
			allowed[at] = o.LimitFrozen // the newest's, at last
		}
	}
	for at, qty := range holds {
		if allowed[at] > 0 && qty > allowed[at]+brought[at] {
			p.Break("%s holds %d of %s, limit %d", at.member, qty, at.item, allowed[at])
		}
	}
}

// broughtBy is what merges brought the members above their limits.
func broughtBy(q *database.Query, members []id.Member) (map[place]int, error) {
	var rows []struct {
		ItemID   id.Item
		MemberID id.Member
		Qty      int
	}
	err := q.Raw("SELECT item_id, member_id, qty FROM limit_merges WHERE member_id IN ?", members).Scan(&rows).Error
	brought := map[place]int{}
	for _, r := range rows {
		brought[place{r.ItemID, r.MemberID}] = r.Qty
	}
	return brought, err
}
