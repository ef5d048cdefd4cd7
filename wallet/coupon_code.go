package wallet

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// codesMost is how many codes one batch holds: as many rows as one statement
// should write.
const codesMost = 500

// CouponBatch is a number of codes for one coupon. The codes are told once,
// when they are made.
type CouponBatch struct {
	ID        id.CouponBatch `json:"id"`
	CouponID  id.Coupon      `json:"coupon_id"`
	Qty       int            `json:"qty"`
	Used      int            `json:"used"`
	CreatedAt clock.Milli    `json:"created_at"`
}

// CodesIn asks for codes.
type CodesIn struct {
	Qty int `json:"qty"`
}

// Validate checks the input alone.
func (in CodesIn) Validate() error {
	var c fault.Check
	c.Range(int64(in.Qty), "qty", 1, codesMost)
	return c.Err()
}

// The refusals of a code.
var (
	ErrCodeUnknown = fault.New(fault.KindNotFound, "coupon.code_unknown", "兑换码无效，请核对后重输", "this code is not known; check what you typed")
	ErrCodeUsed    = fault.New(fault.KindConflict, "coupon.code_used", "兑换码已被使用", "this code was used already")
)

// MakeCodes makes a batch of codes. They take from the stock when they are
// used, so there may be more of them than coupons left.
func (s *Service) MakeCodes(ctx context.Context, coupon id.Coupon, in CodesIn) (made id.CouponBatch, codes []string, err error) {
	if err := in.Validate(); err != nil {
		return 0, nil, err
	}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		c, err := findCoupon(tx.DB, coupon, "")
		if _, err = seen(tx.Actor, c, err); err != nil {
			return err
		}
		made, codes = id.CouponBatch(tx.Next()), nil
		var list []any
		for range in.Qty {
			code := newCode()
			hash, _ := readCode(code)
			codes = append(codes, code)
			list = append(list, []any{tx.Next(), made, coupon, hash, 0})
		}
		err = tx.Exec("INSERT INTO coupon_batches (id, coupon_id, qty, created_at) VALUES (?, ?, ?, ?)", made, coupon, in.Qty, tx.Now).Error
		if err != nil {
			return fmt.Errorf("wallet: codes of %s: %w", coupon, err)
		}
		err = tx.Exec("INSERT INTO coupon_codes (id, batch_id, coupon_id, code_hash, used_at) VALUES "+rows(list), list...).Error
		if err != nil {
			return fmt.Errorf("wallet: codes of %s: %w", coupon, err)
		}
		tx.SetResult("coupon_batch", int64(made), 201)
		return database.AuditTx(tx, "coupon.codes", coupon, nil, map[string]any{"batch_id": made, "qty": in.Qty})
	})
	return made, codes, err
}

// FindBatch is a batch and how many of its codes were used.
func (s *Service) FindBatch(ctx context.Context, batch id.CouponBatch) (CouponBatch, error) {
	cond, args := database.ActorOf(ctx).Within("c.unit_id")
	var b CouponBatch
	err := s.DB.Read(ctx).Raw(`SELECT b.id, b.coupon_id, b.qty, b.created_at,
			(SELECT COUNT(*) FROM coupon_codes k WHERE k.batch_id = b.id AND k.used_at <> 0) AS used
		FROM coupon_batches b JOIN coupons c ON c.id = b.coupon_id WHERE b.id = ?`+cond, append([]any{batch}, args...)...).Take(&b).Error
	return b, database.Absent(err)
}

// UseCode gives the member the coupon of a code, once; again he finds the one
// he got.
func (s *Service) UseCode(ctx context.Context, typed string, m id.Member) (made id.MemberCoupon, err error) {
	hash, ok := readCode(typed)
	if !ok {
		return 0, ErrCodeUnknown
	}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		if made, err = useCodeTx(tx, hash, m); err != nil {
			return err
		}
		tx.SetResult("member_coupon", int64(made), 201)
		return nil
	})
	return made, err
}

// useCodeTx marks the code before it locks anything else: the condition and
// the key of coupon_code_uses each let one through.
func useCodeTx(tx *database.Tx, hash string, m id.Member) (id.MemberCoupon, error) {
	var code struct {
		ID       int64
		CouponID id.Coupon
	}
	if err := tx.Raw("SELECT id, coupon_id FROM coupon_codes WHERE code_hash = ?", hash).Scan(&code).Error; err != nil {
		return 0, fmt.Errorf("wallet: find code: %w", err)
	}
	if code.ID == 0 {
		return 0, ErrCodeUnknown
	}
	res := tx.Exec("UPDATE coupon_codes SET used_at = ? WHERE id = ?"+tx.Only("used_at = 0"), tx.Now, code.ID)
	switch {
	case res.Error != nil:
		return 0, fmt.Errorf("wallet: use code: %w", res.Error)
	case res.RowsAffected == 0:
		return usedBy(tx, code.ID, m)
	}
	made, err := IssueTx(tx, Issue{Coupon: code.CouponID, Member: m, SourceKind: SourceCode, SourceID: fmt.Sprint(code.ID)})
	if err != nil {
		return 0, err
	}
	err = tx.Exec("INSERT INTO coupon_code_uses (id, code_id, member_coupon_id) VALUES (?, ?, ?)", tx.Next(), code.ID, made).Error
	if database.IsDuplicate(err) {
		return 0, ErrCodeUsed
	}
	return made, err
}

// usedBy is what the code gave, if it gave it to this member.
func usedBy(tx *database.Tx, code int64, m id.Member) (id.MemberCoupon, error) {
	live, err := HoldTx(tx, m)
	if err != nil {
		return 0, err
	}
	var got id.MemberCoupon
	err = tx.Raw(`SELECT COALESCE(MAX(m.id), 0) FROM coupon_code_uses u JOIN member_coupons m ON m.id = u.member_coupon_id
		WHERE u.code_id = ? AND m.member_id = ?`, code, live).Scan(&got).Error
	if err != nil {
		return 0, fmt.Errorf("wallet: use of code: %w", err)
	}
	if got == 0 {
		return 0, ErrCodeUsed
	}
	return got, nil
}
