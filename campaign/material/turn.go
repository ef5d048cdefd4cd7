package material

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Approve lets promotions use a draft for good. Its author cannot approve it;
// it is looked through again with the words of now. Seen is the version that
// was looked at, 0 for whichever stands.
func (s *Service) Approve(ctx context.Context, material id.Material, seen int) error {
	before, err := s.Find(ctx, material)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		m, err := lock(tx, material)
		switch {
		case err != nil:
			return err
		case m.Status != StatusDraft:
			return ErrStatus.With("status", m.Status)
		case seen != 0 && m.Version != seen:
			return fault.Stale
		case tx.Actor.Kind == database.ActorStaff && tx.Actor.Staff == m.CreatedBy:
			return ErrSameStaff
		}
		words, err := In{Kind: m.Kind, Variants: m.contents()}.fit(tx, m.UnitID)
		if err != nil {
			return err
		}
		err = database.One(tx.Exec("UPDATE materials SET status = ?, words = ?, approved_by = ?, approved_at = ?, version = version + 1 WHERE id = ?"+
			tx.Only("status = ?"), StatusApproved, words, tx.Actor.Staff, tx.Now, material, StatusDraft), ErrStatus.With("status", m.Status))
		if err != nil {
			return err
		}
		return turned(tx, "material.approve", before, StatusApproved)
	})
}

// WithdrawIn says why a material is withdrawn, or refused before it was
// approved.
type WithdrawIn struct {
	Refusal string `json:"refusal"`
}

// Validate checks the form.
func (in WithdrawIn) Validate() error {
	var c fault.Check
	c.Line(in.Refusal, "refusal", 200)
	return c.Err()
}

// Withdraw takes a material away: no promotion with it can be approved, and
// what no channel has yet is not handed out.
func (s *Service) Withdraw(ctx context.Context, material id.Material, in WithdrawIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	before, err := s.Find(ctx, material)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		m, err := lock(tx, material)
		if err != nil {
			return err
		}
		err = database.One(tx.Exec("UPDATE materials SET status = ?, withdrawn_at = ?, refusal = ?, version = version + 1 WHERE id = ?"+
			tx.Only("status <> ?"), StatusWithdrawn, tx.Now, in.Refusal, material, StatusWithdrawn), ErrStatus.With("status", m.Status))
		if err != nil {
			return err
		}
		return turned(tx, "material.withdraw", before, StatusWithdrawn)
	})
}

func (m Material) contents() []Content {
	out := make([]Content, len(m.Variants))
	for i, v := range m.Variants {
		out[i] = v.Content
	}
	return out
}

// LiveTx refuses a material that may not be shown: one that is not approved or
// was withdrawn. It holds the row, so that a withdrawal waits or comes first.
func LiveTx(tx *database.Tx, material id.Material) error {
	m, err := locked(tx, material, tx.Dialect.ForShare) // those who show it do not wait for one another
	if err == nil && m.Status != StatusApproved {
		return ErrStatus.With("status", m.Status)
	}
	return err
}

func turned(tx *database.Tx, action string, before Material, to Status) error {
	tx.SetResult("material", int64(before.ID), 200)
	return database.AuditTx(tx, action, before.ID, map[string]Status{"status": before.Status}, map[string]Status{"status": to})
}

func lock(tx *database.Tx, material id.Material) (Material, error) {
	return locked(tx, material, tx.Dialect.ForUpdate)
}

func locked(tx *database.Tx, material id.Material, how string) (Material, error) {
	var row int64
	if err := tx.Raw("SELECT id FROM materials WHERE id = ?"+how, material).Scan(&row).Error; err != nil {
		return Material{}, err
	}
	return Read(tx.DB, material)
}
