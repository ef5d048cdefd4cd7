package referral

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// span is how many rows one snapshot checks.
const span = 5000

// Verify proves V4 and V5.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	v4, err := verifyBindings(ctx, db)
	if err != nil {
		return nil, err
	}
	v5, err := verifyRewards(ctx, db)
	if err != nil {
		return nil, err
	}
	return []database.Proof{v4, v5}, nil
}

// verifyBindings walks the live bindings in ranges, then looks for circles in
// what it gathered. A circle gathered from several snapshots is read again in
// one before it counts.
func verifyBindings(ctx context.Context, db *database.DB) (database.Proof, error) {
	p := database.Proof{ID: "V4", Says: "one live binding per scope and invitee, no self, no circle"}
	up := map[id.Member]id.Member{}
	var now clock.Milli
	for after := id.Binding(0); ; {
		var rows []binding
		err := db.Snapshot(ctx, func(q *database.Query) error {
			var err error
			if now, err = database.StoreNow(q); err != nil {
				return err
			}
			if now == 0 { // nobody has served this store yet
				now = clock.MilliOf(db.Clock.Now())
			}
			err = q.Raw("SELECT "+bindingColumns+" FROM bindings WHERE id > ? AND live = 0 ORDER BY id LIMIT ?", after, span).Scan(&rows).Error
			if err != nil || len(rows) == 0 {
				return err
			}
			return doubles(q, after, rows[len(rows)-1].ID, &p)
		})
		if err != nil {
			return p, fmt.Errorf("referral: verify bindings: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		for _, b := range rows {
			p.Checked++
			if b.InviterID == b.InviteeID {
				p.Break("binding %s binds %s to himself", b.ID, b.InviteeID)
			}
			if b.Scope == ScopeNewMember && b.ExpiresAt > now {
				up[b.InviteeID] = b.InviterID
			}
		}
		after = rows[len(rows)-1].ID
	}
	for _, m := range circles(up) {
		err := db.Snapshot(ctx, func(q *database.Query) error {
			at := m
			for range len(up) {
				var next id.Member
				err := q.Raw("SELECT inviter_id FROM bindings WHERE scope = ? AND invitee_id = ? AND live = 0 AND expires_at > ?",
					ScopeNewMember, at, now).Scan(&next).Error
				if err != nil || next == 0 {
					return err
				}
				if at = next; at == m {
					p.Break("the invitations above %s lead back to him", m)
					return nil
				}
			}
			return nil
		})
		if err != nil {
			return p, fmt.Errorf("referral: verify bindings: %w", err)
		}
	}
	return p, nil
}

func doubles(q *database.Query, after, upto id.Binding, p *database.Proof) error {
	var bad []struct {
		Scope     string
		InviteeID id.Member
		N         int
	}
	err := q.Raw(`SELECT x.scope, x.invitee_id, COUNT(*) AS n
		FROM bindings x JOIN bindings b ON b.scope = x.scope AND b.invitee_id = x.invitee_id AND b.live = 0
		WHERE x.id > ? AND x.id <= ? AND x.live = 0 GROUP BY x.id, x.scope, x.invitee_id HAVING COUNT(*) > 1`, after, upto).Scan(&bad).Error
	for _, b := range bad {
		p.Break("%s has %d live bindings in %s", b.InviteeID, b.N, b.Scope)
	}
	return err
}

// circles names one member of every circle among the edges invitee → inviter.
func circles(up map[id.Member]id.Member) []id.Member {
	const (
		walking = 1
		done    = 2
	)
	state := make(map[id.Member]int, len(up))
	var found []id.Member
	for start := range up {
		var path []id.Member
		m := start
		for state[m] == 0 && up[m] != 0 {
			state[m] = walking
			path = append(path, m)
			m = up[m]
		}
		if state[m] == walking {
			found = append(found, m)
		}
		for _, x := range path {
			state[x] = done
		}
	}
	return found
}

// verifyRewards checks each reward with its events, and each program's promises
// against its budget.
func verifyRewards(ctx context.Context, db *database.DB) (database.Proof, error) {
	p := database.Proof{ID: "V5", Says: "one reward per key, depth 1, promised ≤ budget"}
	for after := id.Reward(0); ; {
		var rows []Reward
		err := db.Snapshot(ctx, func(q *database.Query) error {
			err := q.Raw("SELECT "+rewardColumns+" FROM rewards r WHERE r.id > ? ORDER BY r.id LIMIT ?", after, span).Scan(&rows).Error
			if err != nil || len(rows) == 0 {
				return err
			}
			if rows, err = foldAll(q, rows); err != nil {
				return err
			}
			return checkRewards(q, after, rows, &p)
		})
		if err != nil {
			return p, fmt.Errorf("referral: verify rewards: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		after = rows[len(rows)-1].ID
	}
	var programs []Program
	if err := db.Read(ctx).Raw("SELECT id, currency FROM programs ORDER BY id").Scan(&programs).Error; err != nil {
		return p, fmt.Errorf("referral: verify programs: %w", err)
	}
	for _, program := range programs {
		if err := db.Snapshot(ctx, func(q *database.Query) error { return checkBudget(q, program, &p) }); err != nil {
			return p, fmt.Errorf("referral: verify programs: %w", err)
		}
		p.Checked++
	}
	return p, nil
}

func checkRewards(q *database.Query, after id.Reward, rows []Reward, p *database.Proof) error {
	for _, r := range rows {
		p.Checked++
		if r.Amount < 0 || r.Net < 0 {
			p.Break("reward %s of %s has come to %s", r.ID, r.Amount, r.Net)
		}
		if r.Amount > 0 && !r.did(EventEarned, r.Fact) {
			p.Break("reward %s was promised without being reserved", r.ID)
		}
	}
	upto := rows[len(rows)-1].ID
	var far []id.Reward
	// A merge moves beneficiary and binding alike, so depth 1 stays visible.
	err := q.Raw(`SELECT r.id FROM rewards r LEFT JOIN bindings b ON b.id = r.binding_id
		WHERE r.id > ? AND r.id <= ? AND (b.id IS NULL
			OR (r.side = ? AND r.beneficiary_id <> b.inviter_id) OR (r.side = ? AND r.beneficiary_id <> b.invitee_id))`,
		after, upto, SideInviter, SideInvitee).Scan(&far).Error
	for _, r := range far {
		p.Break("reward %s goes to neither the inviter nor the invitee of its binding", r)
	}
	if err != nil {
		return err
	}
	var twice []id.Reward
	err = q.Raw(`SELECT r.id FROM rewards r JOIN rewards o ON o.program_id = r.program_id AND o.program_version = r.program_version
			AND o.fact = r.fact AND o.beneficiary_id = r.beneficiary_id AND o.rule = r.rule AND o.id < r.id
		WHERE r.id > ? AND r.id <= ?`, after, upto).Scan(&twice).Error
	for _, r := range twice {
		p.Break("reward %s repeats the key of an older one", r)
	}
	return err
}

// checkBudget compares what a program promised with what its budget account
// has left.
func checkBudget(q *database.Query, program Program, p *database.Proof) error {
	var sum struct{ Budget, Promised, Taken money.Amount }
	err := q.Raw(`SELECT (SELECT budget FROM programs WHERE id = ?) AS budget,
			COALESCE((SELECT SUM(amount) FROM rewards WHERE program_id = ?), 0) AS promised,
			COALESCE((SELECT SUM(e.amount) FROM rewards r JOIN reward_events e ON e.reward_id = r.id
				WHERE r.program_id = ? AND e.kind IN ('reduced', 'clawed_back', 'voided')), 0) AS taken`,
		program.ID, program.ID, program.ID).Scan(&sum).Error
	if err != nil {
		return err
	}
	left, err := wallet.Balance(q, wallet.StageBudget, wallet.Program(program.ID), program.Currency)
	if err != nil {
		return err
	}
	promised := sum.Promised + sum.Taken
	if promised > sum.Budget || left != sum.Budget-promised {
		p.Break("program %s: budget %s, promised %s, left %s", program.ID, sum.Budget, promised, left)
	}
	return nil
}
