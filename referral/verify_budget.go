package referral

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// booked is what the rewards of a program and their events come to on its
// accounts: promised of its budget, and of points and coupons what is set aside
// and what was given.
type booked struct{ Promised, Pending, Given money.Amount }

// books are those of every program. Rewards and events are only ever added and
// their sums do not depend on the order, so they are added up range by range as
// far as nothing comes any more, and the rest is added in the snapshot that
// reads the accounts.
type books struct {
	upto int64 // ids of both
	of   map[id.Program]booked
}

func newBooks(upto int64) *books { return &books{upto: upto, of: map[id.Program]booked{}} }

const (
	rewardSums = `SELECT program_id, SUM(CASE WHEN funded_by = 0 THEN amount * unit_cost ELSE 0 END) AS promised,
			SUM(CASE WHEN currency <> 'CNY' THEN amount * unit_cost ELSE 0 END) AS pending
		FROM rewards WHERE id > ? AND id <= ? GROUP BY program_id`
	eventSums = `SELECT r.program_id, SUM(CASE WHEN r.funded_by = 0 AND e.kind <> 'cleared' THEN e.amount * r.unit_cost ELSE 0 END) AS promised,
			SUM(CASE WHEN r.currency = 'CNY' OR e.kind = 'clawed_back' THEN 0 WHEN e.kind = 'cleared' THEN -e.amount * r.unit_cost ELSE e.amount * r.unit_cost END) AS pending,
			SUM(CASE WHEN r.currency <> 'CNY' AND e.kind IN ('cleared', 'clawed_back') THEN e.amount * r.unit_cost ELSE 0 END) AS given
		FROM reward_events e JOIN rewards r ON r.id = e.reward_id
		WHERE e.kind IN ('reduced', 'clawed_back', 'voided', 'cleared') AND `
)

// add adds what a statement sums up, and says whether it was of points or
// coupons too.
func (b *books) add(q *database.Query, sql string, args ...any) (given bool, err error) {
	var sums []struct {
		ProgramID                id.Program
		Promised, Pending, Given money.Amount
	}
	if err := q.Raw(sql, args...).Scan(&sums).Error; err != nil {
		return false, err
	}
	for _, s := range sums {
		have := b.of[s.ProgramID]
		b.of[s.ProgramID] = booked{have.Promised + s.Promised, have.Pending + s.Pending, have.Given + s.Given}
		given = given || s.Pending != 0
	}
	return given, nil
}

// rested adds the rewards of a range with their events, as far as they are on
// record for good. Events of money that only earned or cleared change nothing.
func (b *books) rested(q *database.Query, after, upto int64, changed bool) error {
	given, err := b.add(q, rewardSums, after, min(upto, b.upto))
	if err != nil || !given && !changed {
		return err
	}
	_, err = b.add(q, eventSums+"e.reward_id > ? AND e.reward_id <= ? AND e.id <= ? GROUP BY r.program_id", after, upto, b.upto)
	return err
}

// since is the books with everything that came after.
func (b *books) since(q *database.Query) (*books, error) {
	now := newBooks(b.upto)
	for program, s := range b.of {
		now.of[program] = s
	}
	err := database.Ranges(q, "rewards", "id", b.upto, span, func(after, upto int64) error {
		_, err := now.add(q, rewardSums, after, upto)
		return err
	})
	if err != nil {
		return nil, err
	}
	return now, database.Ranges(q, "reward_events", "id", b.upto, span, func(after, upto int64) error {
		_, err := now.add(q, eventSums+"e.id > ? AND e.id <= ? GROUP BY r.program_id", after, upto)
		return err
	})
}

// programsAtOnce is how many programs one snapshot holds against their accounts.
const programsAtOnce = 200

// prove holds the books against the accounts. What does not tie is read again
// from the beginning, in one snapshot, before it counts: an id may have come
// late from a clock that was behind.
func (b *books) prove(ctx context.Context, db *database.DB, p *database.Proof) error {
	for after := id.Program(0); ; {
		var list []Program
		err := db.Read(ctx).Raw("SELECT id, currency FROM programs WHERE id > ? ORDER BY id LIMIT ?", after, programsAtOnce).Scan(&list).Error
		if err != nil || len(list) == 0 {
			return err
		}
		p.Checked += int64(len(list))
		after = list[len(list)-1].ID
		odd, err := b.untied(ctx, db, list, &database.Proof{})
		if err == nil && len(odd) > 0 {
			_, err = newBooks(0).untied(ctx, db, odd, p)
		}
		if err != nil {
			return err
		}
	}
}

// untied are the programs whose accounts do not say what their rewards do.
func (b *books) untied(ctx context.Context, db *database.DB, list []Program, p *database.Proof) (odd []Program, err error) {
	err = db.Snapshot(ctx, func(q *database.Query) error {
		now, err := b.since(q)
		if err != nil {
			return err
		}
		for _, program := range list {
			said := len(p.Broken)
			if err := now.of[program.ID].check(q, program, p); err != nil {
				return err
			}
			if len(p.Broken) > said {
				odd = append(odd, program)
			}
		}
		return nil
	})
	return odd, err
}

func (s booked) check(q *database.Query, program Program, p *database.Proof) error {
	var budget money.Amount
	if err := q.Raw("SELECT budget FROM programs WHERE id = ?", program.ID).Scan(&budget).Error; err != nil {
		return err
	}
	left, err := wallet.Balance(q, wallet.StageBudget, wallet.Program(program.ID), program.Currency)
	if err != nil {
		return err
	}
	if s.Promised > budget || left != budget-s.Promised {
		p.Break("program %s: budget %s, promised %s, left %s", program.ID, budget, s.Promised, left)
	}
	for _, a := range []struct {
		stage wallet.Stage
		want  money.Amount
	}{{wallet.StageReserved, s.Pending}, {wallet.StageGiven, s.Given}} {
		got, err := wallet.Balance(q, a.stage, wallet.Program(program.ID), money.CNY)
		if err != nil {
			return err
		}
		if got != a.want {
			p.Break("program %s has %s as %s, its points and coupons say %s", program.ID, got, a.stage, a.want)
		}
	}
	return nil
}
