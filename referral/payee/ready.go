package payee

import (
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// standing is a member's payee with the version in force, if there is one.
type standing struct {
	PayeeID    id.Payee
	MemberID   id.Member
	PendingNo  int
	No         int
	Type       Type        `gorm:"column:payee_type"`
	Kind       AccountKind `gorm:"column:account_kind"`
	AppID      string
	Status     Status
	TaxpayerID int64
}

// payeesOf reads the payees of live members. Who has none of his own is paid
// as the one merged into him.
func payeesOf(q *database.Query, members []id.Member) (map[id.Member]standing, error) {
	from, err := community.MergedInto(q, members)
	if err != nil {
		return nil, err
	}
	owner, all := map[id.Member]id.Member{}, slices.Clone(members)
	for live, list := range from {
		for _, m := range list {
			owner[m] = live
		}
		all = append(all, list...)
	}
	out := make(map[id.Member]standing, len(members))
	for part := range slices.Chunk(all, 200) {
		var rows []standing
		err := q.Raw(`SELECT p.id AS payee_id, p.member_id, p.pending_no, COALESCE(v.no, 0) AS no, COALESCE(v.payee_type, '') AS payee_type,
				COALESCE(v.account_kind, '') AS account_kind, COALESCE(v.app_id, '') AS app_id, COALESCE(v.status, '') AS status, COALESCE(v.taxpayer_id, 0) AS taxpayer_id
			FROM payees p LEFT JOIN payee_versions v ON v.payee_id = p.id AND v.no = p.active_no
			WHERE p.member_id IN ? ORDER BY p.id`, part).Scan(&rows).Error
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			live := r.MemberID
			if into, merged := owner[live]; merged {
				live = into
			}
			if had, ok := out[live]; !ok || r.MemberID == live || had.MemberID != live {
				out[live] = r
			}
		}
	}
	return out, nil
}

// activeOf are the versions in force of live members, as tax sees them.
func activeOf(q *database.Query, members []id.Member) (map[id.Member]standing, error) {
	all, err := payeesOf(q, members)
	for m, s := range all {
		if s.No == 0 || s.TaxpayerID == 0 {
			delete(all, m)
		}
	}
	return all, err
}

// ForPaymentTx says who receives each payment, or why nobody can, and locks
// the payees by id until the payment is written, so that no change slips in
// between. Answers are by the member asked for. What one member gets is one
// payment: name each member once.
func ForPaymentTx(tx *database.Tx, payer id.Payer, list []Owed) (map[id.Member]Ready, error) {
	payers, err := payersTx(tx, []id.Payer{payer})
	if err != nil {
		return nil, err
	}
	var members []id.Member
	for _, o := range list {
		members = append(members, o.Member)
	}
	live, err := community.FollowMerges(tx.DB, members)
	if err != nil {
		return nil, err
	}
	today := slices.Clone(members)
	for i, m := range members {
		if live[m] != 0 {
			today[i] = live[m]
		}
	}
	if err := lockAll(tx, today); err != nil {
		return nil, err
	}
	stand, err := payeesOf(tx.DB, today)
	if err != nil {
		return nil, err
	}
	barred, err := barred(tx.DB, today, tx.Now)
	if err != nil {
		return nil, err
	}
	out := make(map[id.Member]Ready, len(list))
	for i, o := range list {
		s := stand[today[i]]
		r := Ready{Member: today[i], Payee: s.PayeeID, No: s.No, Type: s.Type, Kind: s.Kind}
		if r.Blocked, err = s.blocked(tx, payers[payer], o.Amount, barred[today[i]]); err != nil {
			return nil, err
		}
		out[o.Member] = r
	}
	return out, nil
}

func lockAll(tx *database.Tx, members []id.Member) error {
	stand, err := payeesOf(tx.DB, members)
	if err != nil || len(stand) == 0 {
		return err
	}
	var ids, got []id.Payee
	for _, s := range stand {
		ids = append(ids, s.PayeeID)
	}
	return tx.Raw("SELECT id FROM payees WHERE id IN ? ORDER BY id"+tx.Dialect.ForUpdate, ids).Scan(&got).Error
}

func (s standing) blocked(tx *database.Tx, payer Payer, amount money.Amount, barred bool) (Reason, error) {
	switch {
	case barred, s.Status == StatusErased:
		return ReasonBlocked, nil
	case s.PendingNo != 0:
		return ReasonPending, nil
	case s.No == 0 && payer.PayeeNeeded:
		return ReasonNoPayee, nil
	case s.No == 0:
		return "", nil
	case s.Type == TypeStaff: // by payroll, whatever the account
		return "", nil
	case s.Kind == AccountWechat && payer.AppID != "" && s.AppID != payer.AppID:
		return ReasonNoOpenID, nil
	case s.Type.invoices():
		left, err := invoiced(tx.DB, s.PayeeID, payer.ID)
		if err == nil && left < amount {
			return ReasonNoInvoice, nil
		}
		return "", err
	}
	return "", nil
}

// barred are members on the blocklist, and those erased.
func barred(q *database.Query, members []id.Member, now clock.Milli) (map[id.Member]bool, error) {
	var list []id.Member
	err := q.Raw(`SELECT id FROM members WHERE id IN ? AND status = 'erased'
		UNION SELECT member_id FROM member_blocks WHERE member_id IN ? AND (until_at = 0 OR until_at > ?)`, members, members, now).Scan(&list).Error
	out := make(map[id.Member]bool, len(list))
	for _, m := range list {
		out[m] = true
	}
	return out, err
}
