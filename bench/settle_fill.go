package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

// rewardFen is what every reward of a run is worth.
const rewardFen = 500

// ripeLater holds the rows of rewards that are to mature at one moment.
const ripeLater = "bench_ripening"

// payday is what a run of settle stands on beside the lab.
type payday struct {
	*lab
	program  id.Program
	invited  []id.Binding // of each member of the crowd but the last
	reserved map[id.Member]int64
	payable  map[id.Member]int64
	made     int             // rewards so far
	waiting  []pendingReward // made for the baseline
}

// fillBindings makes each member of the crowd the inviter of the next one.
func (l *payday) fillBindings(ctx context.Context) error {
	return l.leased(ctx, func(db *database.DB) error {
		ids := l.crowd.ids
		l.invited = make([]id.Binding, 0, len(ids)-1)
		for from := 1; from < len(ids); from += fillChunk {
			part := ids[from:min(from+fillChunk, len(ids))]
			err := db.Tx(ctx, func(tx *database.Tx) error {
				var b strings.Builder
				b.WriteString("INSERT INTO bindings (id, scope, invitee_id, inviter_id, code_id, group_id, program_id, program_version, live, bound_at, expires_at, ended_at, end_reason) VALUES ")
				for i, m := range part {
					if i > 0 {
						b.WriteByte(',')
					}
					binding := tx.Next()
					l.invited = append(l.invited, id.Binding(binding))
					fmt.Fprintf(&b, "(%d,'bench',%d,%d,0,0,%d,1,0,%d,0,0,'')", binding, m, ids[from+i-1], l.program, tx.Now)
				}
				return tx.Exec(b.String()).Error
			})
			if err != nil {
				return fmt.Errorf("bindings: %w", err)
			}
		}
		return nil
	})
}

// fillRewards makes n rewards as payments would have: promised, reserved from
// the budget, with their facts. Those the house is to clear have matured and
// their rows wait beside the house's table; the others mature in a month.
func (l *payday) fillRewards(ctx context.Context, n int, ripe bool) error {
	if ripe {
		err := l.store.db.Tx(ctx, func(tx *database.Tx) error {
			return tx.Exec("CREATE TABLE IF NOT EXISTS " + ripeLater + " (matures_at BIGINT NOT NULL, reward_id BIGINT NOT NULL, member_id BIGINT NOT NULL)").Error
		})
		if err != nil {
			return err
		}
	}
	return l.leased(ctx, func(db *database.DB) error {
		var budget int64
		if err := db.Read(ctx).Raw("SELECT id FROM accounts WHERE stage = 'budget' AND owner_kind = 'program' AND owner_id = ?", l.program).Scan(&budget).Error; err != nil || budget == 0 {
			return fmt.Errorf("the program's budget: %w", err)
		}
		if err := l.openAccounts(ctx, db); err != nil {
			return err
		}
		for done := 0; done < n; {
			rows := min(500, n-done)
			err := db.Tx(ctx, func(tx *database.Tx) error { return l.insertRewards(tx, budget, rows, ripe) })
			if err != nil {
				return fmt.Errorf("rewards: %w", err)
			}
			done += rows
		}
		return nil
	})
}

// openAccounts opens what is reserved for and payable to each inviter.
func (l *payday) openAccounts(ctx context.Context, db *database.DB) error {
	if l.reserved != nil {
		return nil
	}
	l.reserved, l.payable = map[id.Member]int64{}, map[id.Member]int64{}
	ids := l.crowd.ids[:len(l.crowd.ids)-1]
	for from := 0; from < len(ids); from += 500 {
		err := db.Tx(ctx, func(tx *database.Tx) error {
			var b strings.Builder
			b.WriteString("INSERT INTO accounts (id, stage, owner_kind, owner_id, currency, balance, guarded, created_at) VALUES ")
			for i, m := range ids[from:min(from+500, len(ids))] {
				if i > 0 {
					b.WriteByte(',')
				}
				l.reserved[m], l.payable[m] = tx.Next(), tx.Next()
				fmt.Fprintf(&b, "(%d,'reserved','member',%d,'CNY',0,0,%d),(%d,'payable','member',%d,'CNY',0,0,%d)", l.reserved[m], m, tx.Now, l.payable[m], m, tx.Now)
			}
			return tx.Exec(b.String()).Error
		})
		if err != nil {
			return fmt.Errorf("accounts: %w", err)
		}
	}
	return nil
}

func (l *payday) insertRewards(tx *database.Tx, budget int64, n int, ripe bool) error {
	parts := make([]strings.Builder, 6)
	for i, head := range []string{
		"INSERT INTO rewards (id, unit_id, program_id, program_version, fact, beneficiary_id, rule, side, order_id, campaign_id, code_id, binding_id, currency, base, amount, note, earned_at, matures_at, funded_by, review) VALUES ",
		"INSERT INTO reward_events (id, reward_id, kind, ref, amount, at, transfer_id, staff_id, reason) VALUES ",
		"INSERT INTO transfers (id, transfer_key, kind, currency, corrects, at) VALUES ",
		"INSERT INTO entries (id, transfer_id, account_id, currency, amount, at) VALUES ",
		"INSERT INTO " + ripeLater + " (matures_at, reward_id, member_id) VALUES ",
		"UPDATE accounts SET balance = balance + CASE id ",
	} {
		parts[i].WriteString(head)
	}
	matures := tx.Now
	if !ripe {
		matures = matures.Add(30 * 24 * time.Hour)
	}
	var touched []string
	seen := map[int64]int{}
	for i := range n {
		if i > 0 {
			for p := range parts[:5] {
				parts[p].WriteByte(',')
			}
		}
		l.made++
		at := l.made % len(l.invited)
		inviter := l.crowd.ids[at]
		r, move := tx.Next(), tx.Next()
		fact := fmt.Sprintf("bench:%d", l.made)
		fmt.Fprintf(&parts[0], "(%d,0,%d,1,'%s',%d,'inviter','inviter',0,0,0,%d,'CNY',10000,%d,'',%d,%d,0,'passed')", r, l.program, fact, inviter, l.invited[at], rewardFen, tx.Now, matures)
		fmt.Fprintf(&parts[1], "(%d,%d,'earned','%s',%d,%d,%d,0,'')", tx.Next(), r, fact, rewardFen, tx.Now, move)
		fmt.Fprintf(&parts[2], "(%d,'reward:%d:earn','reward_earn','CNY',0,%d)", move, r, tx.Now)
		fmt.Fprintf(&parts[3], "(%d,%d,%d,'CNY',%d,%d),(%d,%d,%d,'CNY',%d,%d)", tx.Next(), move, budget, -rewardFen, tx.Now, tx.Next(), move, l.reserved[inviter], rewardFen, tx.Now)
		fmt.Fprintf(&parts[4], "(%d,%d,%d)", matures, r, inviter)
		seen[l.reserved[inviter]]++
		if !ripe {
			l.waiting = append(l.waiting, pendingReward{r, l.reserved[inviter], l.payable[inviter]})
		}
	}
	seen[budget] = -n
	for account, times := range seen {
		fmt.Fprintf(&parts[5], "WHEN %d THEN %d ", account, times*rewardFen)
		touched = append(touched, fmt.Sprint(account))
	}
	parts[5].WriteString("ELSE 0 END WHERE id IN (" + strings.Join(touched, ",") + ")")
	for p := range parts {
		if p == 4 && !ripe {
			continue
		}
		if err := tx.Exec(parts[p].String()).Error; err != nil {
			return err
		}
	}
	return nil
}

// fillCleared makes n rewards that were cleared ten minutes ago, as far as a
// settlement and its files look at them: their ledger is left out.
func (l *payday) fillCleared(ctx context.Context, n int) error {
	const each = 250
	return l.leased(ctx, func(db *database.DB) error {
		for done := 0; done < n; done += each {
			rows := min(each, n-done)
			err := db.Tx(ctx, func(tx *database.Tx) error {
				var rewards, events strings.Builder
				at := tx.Now.Add(-10 * time.Minute)
				first := tx.Block(rows)
				for i := range rows {
					if i > 0 {
						rewards.WriteByte(',')
						events.WriteByte(',')
					}
					place := (done + i) % len(l.invited)
					r := tx.Next()
					fmt.Fprintf(&rewards, "(%d,0,%d,1,'bench:%d',%d,'inviter','inviter',0,0,0,%d,'CNY',10000,%d,'',%d,%d,0,'passed')", r, l.program, done+i, l.crowd.ids[place], l.invited[place], rewardFen, at, at)
					fmt.Fprintf(&events, "(%d,%d,'cleared','matured',%d,%d,0,0,'')", first+int64(i), r, rewardFen, at)
				}
				for _, s := range []string{
					"INSERT INTO rewards (id, unit_id, program_id, program_version, fact, beneficiary_id, rule, side, order_id, campaign_id, code_id, binding_id, currency, base, amount, note, earned_at, matures_at, funded_by, review) VALUES " + rewards.String(),
					"INSERT INTO reward_events (id, reward_id, kind, ref, amount, at, transfer_id, staff_id, reason) VALUES " + events.String(),
				} {
					if err := tx.Exec(s).Error; err != nil {
						return err
					}
				}
				return referral.ClearingsTx(tx, []referral.Clearing{{ID: first, ProgramID: l.program, Currency: "CNY", RewardCount: rows, ClearedAt: at}})
			})
			if err != nil {
				return fmt.Errorf("cleared rewards: %w", err)
			}
		}
		return nil
	})
}
