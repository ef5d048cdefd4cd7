package community

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Block keeps a member out of the campaigns that ask for the blocklist, until
// a moment or, when that is zero, until it is lifted.
type Block struct {
	MemberID  id.Member   `json:"member_id" gorm:"column:member_id;primaryKey;autoIncrement:false"`
	Reason    string      `json:"reason" gorm:"column:reason"`
	UntilAt   clock.Milli `json:"until_at" gorm:"column:until_at"`
	StaffID   id.Staff    `json:"-" gorm:"column:staff_id"`
	CreatedAt clock.Milli `json:"created_at" gorm:"column:created_at;autoCreateTime:false"`
}

// TableName is the table's.
func (Block) TableName() string { return "member_blocks" }

// lasts says whether the block is in force longer than the other.
func (b Block) lasts(other Block) bool {
	return other.UntilAt != 0 && (b.UntilAt == 0 || b.UntilAt > other.UntilAt)
}

// BlockIn says why a member is kept out, and until when.
type BlockIn struct {
	Reason  string      `json:"reason"`
	UntilAt clock.Milli `json:"until_at"` // default until it is lifted
}

// reasonMax is the longest reason, in characters.
const reasonMax = 200

// Validate checks what needs no database.
func (in BlockIn) Validate() error {
	var c fault.Check
	CheckReason(&c, in.Reason)
	return c.Err()
}

// Block puts the member on the blocklist or changes why and until when he is
// on it. Claims decided after it are refused; an order granted before stays.
// The reason is kept out of the audit, because it may name somebody.
func (s *Service) Block(ctx context.Context, member id.Member, in BlockIn) (Block, error) {
	if err := in.Validate(); err != nil {
		return Block{}, err
	}
	var row Block
	err := Again(func() error {
		return s.DB.Tx(ctx, func(tx *database.Tx) error {
			if in.UntilAt != 0 && in.UntilAt <= tx.Now {
				return fault.Invalid.Field("until_at", "past", "应晚于现在", "must lie ahead")
			}
			m, err := lockLive(tx, member)
			if err != nil {
				return err
			}
			row = Block{m.ID, CleanLine(in.Reason), in.UntilAt, tx.Actor.Staff, tx.Now}
			if err := unblock(tx, m.ID); err != nil {
				return err
			}
			if err := tx.Create(&row).Error; err != nil {
				return err
			}
			return database.AuditTx(tx, "member.block", m.ID, nil, map[string]any{"until_at": in.UntilAt})
		})
	})
	return row, err
}

// Unblock takes the member off the blocklist; it may be repeated.
func (s *Service) Unblock(ctx context.Context, member id.Member) error {
	return Again(func() error {
		return s.DB.Tx(ctx, func(tx *database.Tx) error {
			m, err := lockLive(tx, member)
			if err != nil {
				return err
			}
			if err := unblock(tx, m.ID); err != nil {
				return err
			}
			return database.AuditTx(tx, "member.unblock", m.ID, nil, nil)
		})
	})
}

func unblock(tx *database.Tx, member id.Member) error {
	return tx.Exec("DELETE FROM member_blocks WHERE member_id = ?", member).Error
}

// BlockedAt says whether the live member is on the blocklist at a moment.
func BlockedAt(q *database.Query, member id.Member, at clock.Milli) (bool, error) {
	var n int
	err := q.Raw("SELECT COUNT(*) FROM member_blocks WHERE member_id = ? AND (until_at = 0 OR until_at > ?)", member, at).Scan(&n).Error
	if err != nil {
		return false, fmt.Errorf("community: block of %s: %w", member, err)
	}
	return n > 0, nil
}

// ListBlocks lists who is on the blocklist, also those whose block has run
// out, newest members first.
func (s *Service) ListBlocks(ctx context.Context, page database.Page) (database.Paged[Block], error) {
	cond, args := database.ActorOf(ctx).Within("m.unit_id")
	args = append(append([]any{page.Bound()}, args...), page.Fetch())
	var rows []Block
	err := s.DB.Read(ctx).Raw("SELECT b.* FROM member_blocks b JOIN members m ON m.id = b.member_id WHERE b.member_id < ?"+cond+
		" ORDER BY b.member_id DESC LIMIT ?", args...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Block]{}, fmt.Errorf("community: blocks: %w", err)
	}
	return database.Cut(page, rows, func(b Block) int64 { return int64(b.MemberID) }), nil
}

// moveBlock leaves into with the block that lasts longer.
func moveBlock(tx *database.Tx, from, into id.Member) (int, error) {
	var rows []Block
	if err := tx.Raw("SELECT * FROM member_blocks WHERE member_id IN ?", []id.Member{from, into}).Scan(&rows).Error; err != nil {
		return 0, fmt.Errorf("community: blocks of %s: %w", from, err)
	}
	if len(rows) == 0 || len(rows) == 1 && rows[0].MemberID == into {
		return 0, nil
	}
	keep := rows[0]
	for _, b := range rows[1:] {
		if b.lasts(keep) {
			keep = b
		}
	}
	keep.MemberID = into
	for _, m := range []id.Member{from, into} {
		if err := unblock(tx, m); err != nil {
			return 0, err
		}
	}
	return len(rows), tx.Create(&keep).Error
}

// BlockedIn says which of the members are on the blocklist now.
func BlockedIn(q *database.Query, members []id.Member, now clock.Milli) ([]id.Member, error) {
	var list []id.Member
	err := q.Raw("SELECT member_id FROM member_blocks WHERE member_id IN ? AND (until_at = 0 OR until_at > ?) ORDER BY member_id",
		members, now).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("community: blocked: %w", err)
	}
	return list, nil
}
