package wallet

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// EarnPoints are points a member gets for a fact that the reference names once
// and for all. They can be spent up to and on the day of expiry.
type EarnPoints struct {
	Member     id.Member    `json:"-"`
	Reference  string       `json:"reference"`
	Points     money.Amount `json:"points"`
	ExpiresDay int          `json:"expires_day"` // yyyymmdd
}

// Validate checks the input alone.
func (in *EarnPoints) Validate() error {
	var c fault.Check
	c.Required(in.Reference, "reference")
	checkReference(&c, in.Reference, "reference")
	c.Range(int64(in.Points), "points", 1, pointsMax)
	_, err := time.Parse("20060102", strconv.Itoa(in.ExpiresDay))
	c.That(err == nil, "expires_day", "format", "应为 20271231 这样的日期", "must be a day like 20271231")
	return c.Err()
}

// yearsMost bounds how many lots a member can have.
const yearsMost = 10

// EarnPointsTx gives points within the caller's transaction; the same
// reference again changes nothing.
func EarnPointsTx(tx *database.Tx, in EarnPoints) error {
	if err := in.Validate(); err != nil {
		return err
	}
	m, err := HoldTx(tx, in.Member)
	if err != nil {
		return err
	}
	t := points("earn", in.Reference, m, in.Points, StageSource, StagePoints)
	if stands, err := pointsMoved(tx, t, m); err != nil || stands {
		return err
	}
	today, err := pointsDay(tx.Now)
	if err != nil {
		return err
	}
	if in.ExpiresDay < today || in.ExpiresDay > today+yearsMost*10000 {
		return fault.Invalid.Field("expires_day", "range", "应从今天起，最多十年后", "must be from today to ten years on")
	}
	res := tx.Exec("UPDATE point_lots SET left_qty = left_qty + ? WHERE member_id = ? AND expires_day = ?", in.Points, m, in.ExpiresDay)
	if res.Error == nil && res.RowsAffected == 0 {
		res = tx.Exec(`INSERT INTO point_lots (id, member_id, expires_day, left_qty, frozen_qty, spent_qty, expired_qty)
			VALUES (?, ?, ?, ?, 0, 0, 0)`, tx.Next(), m, in.ExpiresDay, in.Points)
	}
	if res.Error != nil {
		return fmt.Errorf("wallet: earn %q: %w", in.Reference, res.Error)
	}
	if _, err = PostTx(tx, t); err != nil {
		return err
	}
	return publishPoints(tx, eventPointsEarned, m, in.Reference, in.Points)
}

// EarnPoints gives points on the mall's word.
func (s *Service) EarnPoints(ctx context.Context, in EarnPoints) error {
	if err := notGiven(in.Reference); err != nil {
		return err
	}
	return s.movePoints(ctx, "points.earn", in.Member, in, func(tx *database.Tx) error { return EarnPointsTx(tx, in) })
}

// movePoints runs one move of a member's points and audits it.
func (s *Service) movePoints(ctx context.Context, action string, m id.Member, in any, move func(*database.Tx) error) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if err := move(tx); err != nil {
			return err
		}
		tx.SetResult("member", int64(m), 200)
		return database.AuditTx(tx, action, m, nil, in)
	})
}
