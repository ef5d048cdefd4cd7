package payee

import (
	"context"
	"errors"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/tax"
)

// PayerTx is the payer that something of the unit gets: the one named, if it
// pays for the unit, or the default payer of the root unit, which the first
// use makes. A payer pays for its own unit and those below it.
func PayerTx(tx *database.Tx, unit id.Unit, named id.Payer) (Payer, error) {
	if named == 0 {
		return defaultTx(tx, unit)
	}
	p, err := paysFor(tx.DB, unit, named)
	if err == nil && p.ID == 0 {
		err = fault.Invalid.Field("payer_id", "unknown_value", "没有为该组织付款的这个付款主体，请从付款主体列表取编号", "no such payer pays for this unit; take the id from the list of payers")
	}
	return p, err
}

// Pays says whether the payer pays for the unit.
func Pays(q *database.Query, unit id.Unit, named id.Payer) (bool, error) {
	p, err := paysFor(q, unit, named)
	return p.ID != 0, err
}

// paysFor is the payer if it pays for the unit.
func paysFor(q *database.Query, unit id.Unit, named id.Payer) (p Payer, err error) {
	err = q.Raw(`SELECT p.* FROM payers p JOIN units top ON top.id = p.unit_id JOIN units part ON part.id = ?
		WHERE p.id = ? AND SUBSTR(part.path, 1, LENGTH(top.path)) = top.path`, unit, named).Scan(&p).Error
	return p, err
}

// defaultTx is the default payer, whose id is its unit's. Where no unit is
// known it is nobody in particular, with id 0.
func defaultTx(tx *database.Tx, unit id.Unit) (Payer, error) {
	var root struct {
		ID   id.Unit
		Name string
	}
	err := tx.Raw(`SELECT top.id, top.name FROM units top JOIN units part ON part.id = ?
		WHERE top.parent_id = 0 AND SUBSTR(part.path, 1, LENGTH(top.path)) = top.path ORDER BY LENGTH(top.path) LIMIT 1`, unit).Scan(&root).Error
	if err != nil {
		return Payer{}, err
	}
	p := Payer{ID: id.Payer(root.ID), UnitID: root.ID, Version: 1, CreatedAt: tx.Now, Name: root.Name,
		Strategy: tax.ExternalAgent, IncomeType: tax.IncomeLabor, BorneBy: tax.BornePayee}
	if root.ID == 0 {
		return p, nil
	}
	var there Payer
	if err := tx.Raw("SELECT * FROM payers WHERE id = ?", p.ID).Scan(&there).Error; err != nil || there.ID != 0 {
		return there, err
	}
	if err := p.enlist(tx); err != nil {
		return p, err
	}
	if err := tx.Create(&p).Error; err != nil && !database.IsDuplicate(err) {
		return p, fmt.Errorf("payee: default payer: %w", err)
	}
	return p, nil
}

// Booked is FindPayer for the books, in which the default payer of a root unit
// stands before its first use has made it.
func Booked(ctx context.Context, q *database.Query, pid id.Payer) (Payer, error) {
	p, err := findPayer(ctx, q, pid)
	if !errors.Is(err, fault.NotFound) {
		return p, err
	}
	p = Payer{}
	err = q.Raw("SELECT id, id AS unit_id, name FROM units WHERE id = ? AND parent_id = 0", pid).Scan(&p).Error
	if err == nil && (p.ID == 0 || !database.ActorOf(ctx).Sees(p.UnitID)) {
		err = fault.NotFound
	}
	return p, err
}

// Covers are the payer ids that rows of its programs and documents may carry:
// its own, and none where it is the default.
func (p Payer) Covers() []id.Payer {
	if p.ID == id.Payer(p.UnitID) {
		return []id.Payer{p.ID, 0}
	}
	return []id.Payer{p.ID}
}

// Covered are the payer ids of the rewards that a document of the payer may
// hold.
func Covered(q *database.Query, pid id.Payer) ([]id.Payer, error) {
	p := Payer{ID: pid}
	if err := q.Raw("SELECT id, unit_id FROM payers WHERE id = ?", pid).Scan(&p).Error; err != nil {
		return nil, err
	}
	return p.Covers(), nil
}

// payersTx reads payers by id; 0 is nobody in particular.
func payersTx(tx *database.Tx, ids []id.Payer) (map[id.Payer]Payer, error) {
	var rows []Payer
	if err := tx.Raw("SELECT * FROM payers WHERE id IN ? ORDER BY id", ids).Scan(&rows).Error; err != nil {
		return nil, err
	}
	out := map[id.Payer]Payer{0: {Strategy: tax.ExternalAgent, IncomeType: tax.IncomeLabor, BorneBy: tax.BornePayee}}
	for _, p := range rows {
		out[p.ID] = p
	}
	for _, pid := range ids {
		if _, ok := out[pid]; !ok {
			return nil, fmt.Errorf("payee: no payer %d", int64(pid))
		}
	}
	return out, nil
}
