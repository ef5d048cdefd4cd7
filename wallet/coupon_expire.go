package wallet

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// expiredBack is how far back expired coupons are still told: a webhook made
// today is not sent the expiries of years.
const expiredBack = 48 * time.Hour

// expiredPage is how many coupons one transaction tells of, each of which is
// two rows more for every webhook.
const expiredPage = 40

// TellExpiredCoupons tells webhooks of coupons that ran out unused, each once.
// A coupon expires by the clock alone; the mark is only that it was told.
func (s *Service) TellExpiredCoupons(ctx context.Context) error {
	heard, err := webhook.Wanted(s.DB.Read(ctx), eventCouponExpired)
	if err != nil || !heard {
		return err
	}
	// The dates of a coupon for days are its own, others follow their
	// definition, which may have moved: each is found by its own index.
	for _, ran := range []string{
		"c.valid_days > 0 AND m.valid_until > ? AND m.valid_until <= ?",
		"c.valid_days = 0 AND c.valid_until > ? AND c.valid_until <= ?",
	} {
		for {
			told := 0
			err := s.DB.Tx(ctx, func(tx *database.Tx) error {
				var err error
				told, err = tellExpiredTx(tx, ran)
				return err
			})
			if err != nil {
				return fmt.Errorf("wallet: expired coupons: %w", err)
			}
			if told < expiredPage {
				break
			}
		}
	}
	return nil
}

func tellExpiredTx(tx *database.Tx, ran string) (int, error) {
	var list []struct {
		ID         id.MemberCoupon `json:"id"`
		CouponID   id.Coupon       `json:"coupon_id"`
		MemberID   id.Member       `json:"member_id"`
		ValidUntil clock.Milli     `json:"valid_until"`
	}
	err := tx.Raw(`SELECT m.id, m.coupon_id, m.member_id, CASE WHEN c.valid_days > 0 THEN m.valid_until ELSE c.valid_until END AS valid_until
		FROM member_coupons m JOIN coupons c ON c.id = m.coupon_id
		WHERE m.redeemed_at = 0 AND m.withdrawn_at = 0 AND m.expiry_told = 0 AND `+ran+` ORDER BY m.id LIMIT ?`,
		tx.Now.Add(-expiredBack), tx.Now, expiredPage).Scan(&list).Error
	if err != nil {
		return 0, err
	}
	for _, m := range list {
		res := tx.Exec("UPDATE member_coupons SET expiry_told = ? WHERE id = ?"+tx.Only("expiry_told = 0 AND redeemed_at = 0"), tx.Now, m.ID)
		if res.Error != nil {
			return 0, res.Error
		}
		if res.RowsAffected == 0 {
			continue // another replica told it, or it was used this moment
		}
		if err := webhook.PublishTx(tx, eventCouponExpired, m); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}
