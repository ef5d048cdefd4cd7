package referral

import (
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// lockRipe locks rewards in money, ids ascending, and returns those that may
// clear now, with only the fields that clearing needs. A million rewards come
// this way, so they are read without reflection, and only events that change
// their amount are read with them.
func lockRipe(tx *database.Tx, ids []id.Reward) ([]Reward, error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	list := make([]Reward, 0, len(ids))
	for part := range slices.Chunk(ids, inAtOnce) {
		err := tx.Queries(database.Read{
			SQL: `SELECT id, program_id, beneficiary_id, side, binding_id, amount, matures_at, review, payer_id FROM rewards
				WHERE id IN ? AND currency = 'CNY' AND amount > 0 ORDER BY id` + tx.Dialect.ForUpdate,
			Args: []any{part},
			Row: func(rows database.Row) error {
				var reward, program, member, binding, amount, matures, payer int64
				var side, review string
				err := rows.Scan(&reward, &program, &member, &side, &binding, &amount, &matures, &review, &payer)
				list = append(list, Reward{
					ID: id.Reward(reward), ProgramID: id.Program(program), BeneficiaryID: id.Member(member), Side: Side(side),
					BindingID: id.Binding(binding), Currency: money.CNY, UnitCost: 1, Amount: money.Amount(amount),
					Net: money.Amount(amount), State: RewardPending, MaturesAt: clock.Milli(matures), Review: Review(review), PayerID: id.Payer(payer),
				})
				return err
			},
		})
		if err != nil {
			return nil, fmt.Errorf("referral: lock ripe: %w", err)
		}
	}
	if err := settle(tx, ids, list); err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(r Reward) bool { return !r.ripe(tx.Now) })
	if err := payersOf(tx, list); err != nil {
		return nil, err
	}
	return list, follow(tx, list)
}

// settle takes the events since they were earned into account, as fold does.
// Most rewards have none, which the index alone says.
func settle(tx *database.Tx, ids []id.Reward, list []Reward) error {
	moved, err := movedSince(tx, ids)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(moved, inAtOnce) {
		err := tx.Queries(database.Read{
			SQL:  "SELECT reward_id, kind, amount FROM reward_events WHERE reward_id IN ? AND kind <> 'earned'",
			Args: []any{part},
			Row: func(rows database.Row) error {
				var reward, amount int64
				var kind string
				if err := rows.Scan(&reward, &kind, &amount); err != nil {
					return err
				}
				i, known := slices.BinarySearchFunc(list, id.Reward(reward), func(r Reward, of id.Reward) int { return int(r.ID - of) })
				if !known {
					return nil
				}
				r := &list[i]
				if EventKind(kind) == EventCleared {
					r.State = RewardCleared
				} else if r.Net += money.Amount(amount); r.Net == 0 && r.State == RewardPending {
					r.State = RewardVoided
				}
				return nil
			},
		})
		if err != nil {
			return fmt.Errorf("referral: events of ripe: %w", err)
		}
	}
	return nil
}

// movedSince are the rewards that have an event beside the one that earned
// them. The kind stands in COALESCE so that the engine reads a reward's events
// by its id and filters them. With the bare condition it plans two ranges of
// the index for each reward, which takes longer than reading them.
func movedSince(tx *database.Tx, ids []id.Reward) (moved []id.Reward, err error) {
	for part := range slices.Chunk(ids, inAtOnce) {
		err := tx.Queries(database.Read{
			SQL:  "SELECT reward_id FROM reward_events WHERE reward_id IN ? AND COALESCE(kind, '') <> 'earned'",
			Args: []any{part},
			Row: func(rows database.Row) error {
				var reward int64
				err := rows.Scan(&reward)
				moved = append(moved, id.Reward(reward))
				return err
			},
		})
		if err != nil {
			return nil, fmt.Errorf("referral: moved since: %w", err)
		}
	}
	slices.Sort(moved)
	return slices.Compact(moved), nil
}

// payersOf writes each reward's payer on it, as PayerOf says it in SQL.
func payersOf(tx *database.Tx, list []Reward) error {
	var programs []id.Program
	for _, r := range list {
		if r.PayerID == 0 {
			programs = append(programs, r.ProgramID)
		}
	}
	slices.Sort(programs)
	payer := map[id.Program]id.Payer{}
	for part := range slices.Chunk(slices.Compact(programs), inAtOnce) {
		err := tx.Queries(database.Read{SQL: "SELECT id, payer_id FROM programs WHERE id IN ?", Args: []any{part}, Row: func(rows database.Row) error {
			var program, own int64
			err := rows.Scan(&program, &own)
			payer[id.Program(program)] = id.Payer(own)
			return err
		}})
		if err != nil {
			return fmt.Errorf("referral: payers of ripe: %w", err)
		}
	}
	for i, r := range list {
		if r.PayerID == 0 {
			list[i].PayerID = payer[r.ProgramID]
		}
	}
	return nil
}
