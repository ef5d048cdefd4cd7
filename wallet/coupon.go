package wallet

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// CouponStatus says whether coupons are given out. What was given out can be
// used either way.
type CouponStatus string

// The statuses of a coupon.
const (
	CouponActive CouponStatus = "active"
	CouponPaused CouponStatus = "paused"
)

// Coupon is a definition. Its row is the stock: nothing but IssueTx moves
// Issued, which never passes Total.
type Coupon struct {
	ID     id.Coupon    `json:"id"`
	UnitID id.Unit      `json:"unit_id"`
	NameZH string       `json:"name_zh" gorm:"column:name_zh"`
	NameEN string       `json:"name_en" gorm:"column:name_en"`
	Status CouponStatus `json:"status"`
	Terms  `gorm:"embedded"`
	// ValidDays, if not 0, is how many local days after the day of issue one
	// is valid, instead of the fixed dates.
	ValidDays      int         `json:"valid_days"`
	Claimable      bool        `json:"claimable"` // members may take one freely
	ClaimFrom      clock.Milli `json:"claim_from"`
	ClaimUntil     clock.Milli `json:"claim_until"` // 0 is never
	Zone           string      `json:"zone"`
	Total          int64       `json:"total" gorm:"column:total_qty"`
	Issued         int64       `json:"issued" gorm:"column:issued_qty"`
	PerMember      int         `json:"per_member"` // 0 is no limit
	PerDay         int         `json:"per_day"`    // per member and local day; 0 is no limit
	ReturnOnRefund bool        `json:"return_on_refund"`
	Version        int         `json:"version"`
	CreatedAt      clock.Milli `json:"created_at"`
}

// validFor is from when until when one issued now is valid. Fixed dates stay
// with the definition, so that moving them reaches what is out already.
func (c Coupon) validFor(now clock.Milli, loc *time.Location) (from, until clock.Milli) {
	if c.ValidDays == 0 {
		return 0, 0
	}
	last := now.Time().In(loc).AddDate(0, 0, c.ValidDays+1)
	return now, clock.MilliOf(clock.StartOfDay(last, loc))
}

// location is the coupon's zone; Validate has seen that it is one.
func (c Coupon) location() (*time.Location, error) {
	loc, err := time.LoadLocation(c.Zone)
	if err != nil {
		return nil, fmt.Errorf("wallet: zone of %s: %w", c.ID, err)
	}
	return loc, nil
}

// FindCoupon is the definition, if the actor sees its unit.
func (s *Service) FindCoupon(ctx context.Context, coupon id.Coupon) (Coupon, error) {
	c, err := findCoupon(s.DB.Read(ctx), coupon, "")
	return seen(database.ActorOf(ctx), c, err)
}

// lockCoupon locks the definition's row, whoever acts: other rooms issue for
// facts of their own, on behalf of staff of any unit.
func lockCoupon(tx *database.Tx, coupon id.Coupon) (Coupon, error) {
	return findCoupon(tx.DB, coupon, tx.Dialect.ForUpdate)
}

func findCoupon(q *database.Query, coupon id.Coupon, lock string) (Coupon, error) {
	var c Coupon
	if err := q.Raw("SELECT * FROM coupons WHERE id = ?"+lock, coupon).Scan(&c).Error; err != nil {
		return c, fmt.Errorf("wallet: find %s: %w", coupon, err)
	}
	if c.ID == 0 {
		return c, fault.NotFound
	}
	return c, nil
}

// seen hides a coupon of another unit.
func seen(a database.Actor, c Coupon, err error) (Coupon, error) {
	if err == nil && !a.Sees(c.UnitID) {
		return Coupon{}, fault.NotFound
	}
	return c, err
}

// ListCoupons lists the definitions the actor sees, newest first; a status
// narrows it.
func (s *Service) ListCoupons(ctx context.Context, status CouponStatus, page database.Page) (database.Paged[Coupon], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	if status != "" {
		cond, args = cond+" AND status = ?", append(args, status)
	}
	var rows []Coupon
	err := s.DB.Read(ctx).Raw("SELECT * FROM coupons WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Coupon]{}, fmt.Errorf("wallet: list coupons: %w", err)
	}
	return database.Cut(page, rows, func(c Coupon) int64 { return int64(c.ID) }), nil
}

// CouponsIn are the definitions with these ids that the actor sees, whatever
// their state.
func CouponsIn(q *database.Query, a database.Actor, ids []id.Coupon) (map[id.Coupon]Coupon, error) {
	out := make(map[id.Coupon]Coupon, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	cond, args := a.Within("unit_id")
	var rows []Coupon
	if err := q.Raw("SELECT * FROM coupons WHERE id IN ?"+cond, append([]any{ids}, args...)...).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("wallet: coupons by id: %w", err)
	}
	for _, c := range rows {
		out[c.ID] = c
	}
	return out, nil
}
