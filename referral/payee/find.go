package payee

import (
	"context"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// versionColumns leave out what is sealed.
const versionColumns = `payee_id, no, status, payee_type, account_kind, app_id, taxpayer_id, name_mask, id_mask, account_mask, phone_mask,
	name_hash, account_hash, consent_version, entered_by, entered_at, decided_by, decided_at, reason`

// FindPayee is one payee, masked.
func (s *Service) FindPayee(ctx context.Context, pid id.Payee) (Payee, error) {
	q := s.DB.Read(ctx)
	var p Payee
	if err := q.Raw("SELECT * FROM payees WHERE id = ?", pid).Scan(&p).Error; err != nil {
		return p, err
	}
	if err := seen(q, database.ActorOf(ctx), p); err != nil {
		return Payee{}, err
	}
	return p.filled(q)
}

// PayeeOf is a live member's payee, masked.
func (s *Service) PayeeOf(ctx context.Context, member id.Member) (Payee, error) {
	q := s.DB.Read(ctx)
	live, err := community.FollowMerges(q, []id.Member{member})
	if err != nil {
		return Payee{}, err
	}
	stand, err := payeesOf(q, []id.Member{live[member]})
	if err != nil {
		return Payee{}, err
	}
	at, ok := stand[live[member]]
	if !ok {
		return Payee{}, fault.NotFound
	}
	var p Payee
	if err := q.Raw("SELECT * FROM payees WHERE id = ?", at.PayeeID).Scan(&p).Error; err != nil {
		return p, err
	}
	return p.filled(q)
}

func (p Payee) filled(q *database.Query) (Payee, error) {
	var rows []row
	err := q.Raw("SELECT "+versionColumns+" FROM payee_versions WHERE payee_id = ? AND no IN ?", p.ID, []int{p.ActiveNo, p.PendingNo}).Scan(&rows).Error
	for _, r := range rows {
		v := r.Version
		if v.No == p.ActiveNo {
			p.Active = &v
		} else {
			p.Pending = &v
		}
	}
	return p, err
}

// ListPending lists payees whose change waits for a second person, oldest id
// last.
func (s *Service) ListPending(ctx context.Context, page database.Page) (database.Paged[Payee], error) {
	q := s.DB.Read(ctx)
	cond, args := database.ActorOf(ctx).Within("m.unit_id")
	var rows []Payee
	err := q.Raw(`SELECT p.* FROM payee_versions v JOIN payees p ON p.id = v.payee_id JOIN members m ON m.id = p.member_id
		WHERE v.status = ? AND v.payee_id < ?`+cond+` ORDER BY v.payee_id DESC LIMIT ?`,
		append(append([]any{StatusPending, page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	out := database.Cut(page, rows, func(p Payee) int64 { return int64(p.ID) })
	for i, p := range out.Items {
		if err == nil {
			out.Items[i], err = p.filled(q)
		}
	}
	return out, err
}

// HasOpenID says whether the member was seen inside WeChat, so that he can be
// paid there: the openid is taken from his identity and never typed.
func (s *Service) HasOpenID(ctx context.Context, member id.Member) (bool, error) {
	var n int
	err := s.DB.Read(ctx).Raw("SELECT COUNT(*) FROM identities WHERE member_id = ? AND kind = 'openid'", member).Scan(&n).Error
	return n > 0, err
}
