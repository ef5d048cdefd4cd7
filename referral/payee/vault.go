package payee

import (
	"context"
	"encoding/json"
	"fmt"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/secret"
)

// Ref names a version of a payee as it was frozen on a payment.
type Ref struct {
	Payee id.Payee
	No    int
}

// Opened is a version of a payee with what is sealed.
type Opened struct {
	Details
	NameHash, IDMask string
}

// OpenVault opens what payees are paid by, for the file of a payout or
// a tax return, at most 200 at a time; who opened how many is audited under it. What was
// erased is left out.
func (s *Service) OpenVault(ctx context.Context, why fmt.Stringer, refs []Ref) (map[Ref]Opened, error) {
	if len(refs) > maxAtOnce {
		return nil, fmt.Errorf("payee: %d at once, at most %d", len(refs), maxAtOnce)
	}
	out := make(map[Ref]Opened, len(refs))
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		clear(out)
		wanted := map[Ref]bool{}
		var ids []id.Payee
		for _, r := range refs {
			wanted[r] = true
			ids = append(ids, r.Payee)
		}
		var rows []row
		if err := tx.Raw("SELECT * FROM payee_versions WHERE payee_id IN ? AND status <> ? ORDER BY payee_id, no", ids, StatusErased).Scan(&rows).Error; err != nil {
			return err
		}
		for _, r := range rows {
			ref := Ref{r.PayeeID, r.No}
			if !wanted[ref] {
				continue
			}
			text, err := s.Secrets.Open(secret.PII, r.Sealed, belongs(r.PayeeID, r.No))
			if err != nil {
				return fmt.Errorf("payee: %s version %d: %w", r.PayeeID, r.No, err)
			}
			var d Details
			if err := json.Unmarshal(text, &d); err != nil {
				return fmt.Errorf("payee: %s version %d: %w", r.PayeeID, r.No, err)
			}
			out[ref] = Opened{d, r.NameHash, r.IDMask}
		}
		return database.AuditTx(tx, "payee.open_vault", why, nil, map[string]int{"payees": len(out)})
	})
	return out, err
}

// Personal is the room's map of personal data.
func Personal() []community.Personal {
	return []community.Personal{
		{Table: "payees", Person: "member_id", Holds: []string{"paid_at"}, Why: "that he was paid, by opaque id; tax lines name it"},
		{Table: "payee_versions", Person: "payee_id", Holds: []string{"name_mask", "id_mask", "account_mask", "phone_mask", "name_hash", "account_hash", "sealed"},
			Erase: `UPDATE payee_versions SET status = 'erased', sealed = '', name_mask = '', id_mask = '', account_mask = '', phone_mask = '',
				name_hash = '', account_hash = '' WHERE payee_id = ?`,
			Why: "who he is and where his money goes; the row stays, because payments name its number"},
		{Table: "taxpayers", Person: "id", Holds: []string{"hash"}, Why: "a keyed hash that keeps one person one taxpayer; EraseMember forgets it once nobody else has it"},
		{Table: "tax_lines", Person: "member_id", Holds: []string{"promised", "gross", "tax"}, Why: "what was declared to the tax office, by opaque id"},
	}
}

// EraseMember empties what identifies a payee. Tax lines, months and invoices
// keep their opaque ids, as the law on tax records asks. It may be repeated.
func (s *Service) EraseMember(ctx context.Context, member id.Member) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		live, err := community.FollowMerges(tx.DB, []id.Member{member})
		if err != nil {
			return err
		}
		from, err := community.MergedInto(tx.DB, []id.Member{live[member]})
		if err != nil {
			return err
		}
		members := append(from[live[member]], live[member])
		var rows []Payee
		if err := tx.Raw("SELECT * FROM payees WHERE member_id IN ? ORDER BY id"+tx.Dialect.ForUpdate, members).Scan(&rows).Error; err != nil {
			return err
		}
		for _, p := range rows {
			if err := erase(tx, p.ID); err != nil {
				return fmt.Errorf("payee: erase %s: %w", p.ID, err)
			}
			if err := database.AuditTx(tx, "payee.erase", p.ID, nil, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

func erase(tx *database.Tx, p id.Payee) error {
	var taxpayers []int64
	if err := tx.Raw("SELECT DISTINCT taxpayer_id FROM payee_versions WHERE payee_id = ?", p).Scan(&taxpayers).Error; err != nil {
		return err
	}
	for _, x := range Personal() {
		if x.Erase == "" {
			continue
		}
		if err := tx.Exec(x.Erase, p).Error; err != nil {
			return err
		}
	}
	if err := tx.Exec("UPDATE payees SET pending_no = 0 WHERE id = ?", p).Error; err != nil {
		return err
	}
	for _, t := range taxpayers {
		err := tx.Exec(`UPDATE taxpayers SET hash = ? WHERE id = ? AND NOT EXISTS
			(SELECT 1 FROM payee_versions v WHERE v.taxpayer_id = ? AND v.status <> ?)`, fmt.Sprintf("erased %d", t), t, t, StatusErased).Error
		if err != nil {
			return err
		}
	}
	return nil
}
