package campaign

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// errDiscountState is a discount that is not where its locked order is.
var errDiscountState = errors.New("campaign: a discount is not in the state of its order")

// releaseDiscounts gives back what unpaid orders took off, in the transaction
// that lets them go: coupons whatever their terms say of refunds, points,
// budget. The orders are locked, and each has its discount released once.
func releaseDiscounts(tx *database.Tx, orders []Order) error {
	var list []Order
	for _, o := range orders {
		if o.discounted() {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b Order) int { return cmp.Or(cmp.Compare(a.MemberID, b.MemberID), cmp.Compare(a.ID, b.ID)) })
	var moves []wallet.Transfer
	for _, o := range list {
		d, err := turnDiscount(tx, o.ID, DiscountReleased)
		if err != nil {
			return err
		}
		if d.MemberCouponID != 0 {
			if _, err := wallet.ReleaseTx(tx, wallet.OwnRef(o.ID)); err != nil {
				return err
			}
		}
		if d.Points != 0 {
			if err := wallet.UnfreezePointsTx(tx, wallet.OrderPoints{Member: o.MemberID, OrderRef: wallet.OwnRef(o.ID)}); err != nil {
				return err
			}
		}
		if d.Budgeted {
			moves = append(moves, d.move("release", d.total(), wallet.StageReserved, wallet.StageBudget))
		}
	}
	_, err := wallet.PostManyTx(tx, moves)
	return err
}

// spendDiscount makes what the paid order took off final.
func spendDiscount(tx *database.Tx, o Order) error {
	if !o.discounted() {
		return nil
	}
	d, err := turnDiscount(tx, o.ID, DiscountSpent)
	if err != nil {
		return err
	}
	if d.Points != 0 {
		if err := wallet.SpendPointsTx(tx, wallet.OrderPoints{Member: o.MemberID, OrderRef: wallet.OwnRef(o.ID)}); err != nil {
			return err
		}
	}
	if !d.Budgeted {
		return nil
	}
	_, err = wallet.PostTx(tx, d.move("spend", d.total(), wallet.StageReserved, wallet.StagePaid))
	return err
}

// refundDiscount gives back the points and the budget that go with the goods
// refunded so far, by cumulative share, and the coupon once all is refunded,
// if its terms say so.
func refundDiscount(tx *database.Tx, o Order) error {
	if !o.discounted() {
		return nil
	}
	d, err := findDiscount(tx.DB, o.ID)
	if err != nil {
		return err
	}
	if o.Status == OrderRefunded && d.MemberCouponID != 0 {
		if _, err := wallet.ReturnTx(tx, wallet.OwnRef(o.ID)); err != nil && !errors.Is(err, wallet.ErrNotReturnable) {
			return err
		}
	}
	back, pointsBack := partOf(d.total(), o), partOf(d.Points, o)
	if n := pointsBack - d.PointsBack; n > 0 {
		err := wallet.RefundPointsTx(tx, wallet.RefundPoints{
			Member: o.MemberID, OrderRef: wallet.OwnRef(o.ID), RefundNo: fmt.Sprintf("%s:%d", wallet.OwnRef(o.ID), pointsBack), Points: n,
		})
		if err != nil {
			return err
		}
	}
	err = tx.Exec("UPDATE order_discounts SET back = ?, points_back = ? WHERE order_id = ?", back, pointsBack, o.ID).Error
	if err != nil || !d.Budgeted || back == d.Back {
		return err
	}
	_, err = wallet.PostTx(tx, d.move(fmt.Sprintf("back:%d", back), back-d.Back, wallet.StagePaid, wallet.StageBudget))
	return err
}

// partOf is the part of the amount that goes with the order's refunded goods:
// floored, and all of it once all goods are refunded.
func partOf(n money.Amount, o Order) money.Amount {
	if o.RefundedGoods >= o.Goods {
		return n
	}
	return n.Share(o.RefundedGoods, o.Goods)
}

func findDiscount(q *database.Query, o id.Order) (d Discount, err error) {
	if err := q.Raw("SELECT * FROM order_discounts WHERE order_id = ?", o).Scan(&d).Error; err != nil {
		return d, err
	}
	if d.OrderID == 0 {
		return d, fmt.Errorf("campaign: %s has no discount on record", o)
	}
	return d, nil
}

// turnDiscount leads a reserved discount to its end, once.
func turnDiscount(tx *database.Tx, o id.Order, to DiscountStatus) (Discount, error) {
	d, err := findDiscount(tx.DB, o)
	if err != nil {
		return d, err
	}
	res := tx.Exec("UPDATE order_discounts SET status = ? WHERE order_id = ?"+tx.Only("status = ?"), to, o, DiscountReserved)
	return d, database.One(res, errDiscountState)
}

// move is a transfer of the campaign's budget for the order; its key makes it
// happen once.
func (d Discount) move(step string, n money.Amount, from, to wallet.Stage) wallet.Transfer {
	owner := wallet.Campaign(d.CampaignID)
	return wallet.Move(fmt.Sprintf("discount:%d:%s", d.OrderID, step), "discount", money.CNY, n, wallet.At(from, owner), wallet.At(to, owner))
}

// reserveBudget takes the discount from the campaign's budget, or refuses the
// claim that would exceed it.
func reserveBudget(tx *database.Tx, d Discount) error {
	if !d.Budgeted {
		return nil
	}
	_, err := wallet.PostTx(tx, d.move("reserve", d.total(), wallet.StageBudget, wallet.StageReserved))
	if !errors.Is(err, wallet.ErrInsufficient) {
		return err
	}
	left, err := wallet.Balance(tx.DB, wallet.StageBudget, wallet.Campaign(d.CampaignID), money.CNY)
	if err != nil {
		return err
	}
	return ErrBudget.With("left", left)
}
