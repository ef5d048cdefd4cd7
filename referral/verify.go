package referral

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// span is how many rows one snapshot checks.
const span = 2000

// Verify proves V4 and V5, of V10 what waits for its day, and of V22 what owners
// and KOCs were paid.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	return database.Proofs(ctx, db, verifyBindings, verifyCodes, verifyRewards, verifyRipening, verifyCounts, verifyGiven, verifyReviews, verifyFees)
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
