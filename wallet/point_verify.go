package wallet

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// VerifyPoints proves the points' part of V6 range by range: what a member's
// lots hold is what his accounts say, and what orders took is what the lots
// gave.
func VerifyPoints(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V6", Says: "points: lots equal balances, orders equal what lots gave"}
	for _, walk := range []struct {
		table string
		check func(*database.Query, int64, int64, *database.Proof) error
	}{
		{"accounts", proveBalances}, {"point_lots", proveLots}, {"point_orders", proveOrders},
	} {
		if err := inRanges(ctx, db, walk.table, &p, walk.check); err != nil {
			return nil, err
		}
	}
	return []database.Proof{p}, nil
}

func proveBalances(q *database.Query, after, upto int64, p *database.Proof) error {
	var bad []struct {
		OwnerID id.Member
		Stage   Stage
		Balance money.Amount
		Lots    money.Amount
	}
	err := q.Raw(`SELECT n.owner_id, n.stage, n.balance, n.lots FROM (
			SELECT a.owner_id, a.stage, a.balance,
				(SELECT COALESCE(SUM(CASE WHEN a.stage = 'points' THEN l.left_qty ELSE l.frozen_qty END), 0)
					FROM point_lots l WHERE l.member_id = a.owner_id) AS lots
			FROM accounts a WHERE a.id > ? AND a.id <= ? AND a.owner_kind = ? AND a.currency = ? AND a.stage IN ?) n
		WHERE n.balance <> n.lots`, after, upto, OwnerMember, money.PTS, []Stage{StagePoints, StageFrozen}).Scan(&bad).Error
	for _, b := range bad {
		p.Break("%s has %d %s on account and %d in lots", b.OwnerID, b.Balance, b.Stage, b.Lots)
	}
	return err
}

// proveLots finds lots that hold what no account does, are below zero, or that
// orders say otherwise about. A lot that is used up needs no account: a merge
// hands on only those with a balance.
func proveLots(q *database.Query, after, upto int64, p *database.Proof) error {
	var bad []struct {
		ID       int64
		MemberID id.Member
	}
	err := q.Raw(`SELECT n.id, n.member_id FROM (
			SELECT l.id, l.member_id, l.left_qty, l.frozen_qty, l.spent_qty, l.expired_qty,
				(SELECT COUNT(*) FROM accounts a WHERE a.stage = 'points' AND a.owner_kind = 'member' AND a.owner_id = l.member_id AND a.currency = 'PTS') AS accounts,
				(SELECT COUNT(*) FROM accounts a WHERE a.stage = 'frozen' AND a.owner_kind = 'member' AND a.owner_id = l.member_id AND a.currency = 'PTS') AS aside,
				(SELECT COALESCE(SUM(CASE WHEN o.status = 'frozen' THEN u.qty ELSE 0 END), 0)
					FROM point_uses u JOIN point_orders o ON o.id = u.order_id WHERE u.lot_id = l.id) AS frozen,
				(SELECT COALESCE(SUM(CASE WHEN o.status = 'spent' THEN u.qty - u.back_qty ELSE 0 END), 0)
					FROM point_uses u JOIN point_orders o ON o.id = u.order_id WHERE u.lot_id = l.id) AS spent
			FROM point_lots l WHERE l.id > ? AND l.id <= ?) n
		WHERE (n.accounts <> 1 AND n.left_qty <> 0) OR (n.aside <> 1 AND n.frozen_qty <> 0) OR n.left_qty < 0 OR n.expired_qty < 0 OR n.frozen <> n.frozen_qty OR n.spent <> n.spent_qty`,
		after, upto).Scan(&bad).Error
	for _, b := range bad {
		p.Break("lot %d of %s is not what its orders took from it", b.ID, b.MemberID)
	}
	return err
}

func proveOrders(q *database.Query, after, upto int64, p *database.Proof) error {
	var bad []struct {
		OrderRef string
		Taken    money.Amount
		Qty      money.Amount
	}
	err := q.Raw(`SELECT o.order_ref, COALESCE(SUM(u.qty), 0) AS taken, o.qty
		FROM point_orders o LEFT JOIN point_uses u ON u.order_id = o.id
		WHERE o.id > ? AND o.id <= ? GROUP BY o.id, o.order_ref, o.qty, o.back_qty
		HAVING COALESCE(SUM(u.qty), 0) <> o.qty OR COALESCE(SUM(u.back_qty), 0) <> o.back_qty OR o.back_qty > o.qty`,
		after, upto).Scan(&bad).Error
	for _, b := range bad {
		p.Break("order %q took %d points and its lots gave %d", b.OrderRef, b.Qty, b.Taken)
	}
	return err
}
