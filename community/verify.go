package community

import (
	"context"
	"fmt"

	"siyu/internal/database"
)

// verifyRange is how many rows one snapshot of Verify looks at.
const verifyRange = 20_000

// claimOf is one invariant: the table it walks, and a query that finds the
// breaches among the rows with lo < id <= hi as id and what is wrong.
type claimOf struct {
	id, says string
	table    string
	breaches []string
}

var claims = []claimOf{
	{"C1", "merged members point to live ones, in one step, and own nothing", "members", []string{
		`SELECT m.id, 'is merged into a member that is missing or merged itself' AS what FROM members m
			LEFT JOIN members t ON t.id = m.merged_into
			WHERE m.id > @lo AND m.id <= @hi AND m.merged_into <> 0 AND (t.id IS NULL OR t.merged_into <> 0)`,
		`SELECT m.id, 'has a status that contradicts merged_into' AS what FROM members m
			WHERE m.id > @lo AND m.id <= @hi AND (m.status = 'merged') <> (m.merged_into <> 0)`,
		`SELECT m.id, 'is merged without a record' AS what FROM members m
			LEFT JOIN member_merges r ON r.from_id = m.id
			WHERE m.id > @lo AND m.id <= @hi AND m.merged_into <> 0 AND r.from_id IS NULL`,
		`SELECT m.id, 'is merged or erased and still has an identity' AS what FROM members m
			JOIN identities i ON i.member_id = m.id
			WHERE m.id > @lo AND m.id <= @hi AND m.status <> 'active'`,
		`SELECT m.id, 'is merged or erased and still has a tag' AS what FROM members m
			JOIN member_tags t ON t.member_id = m.id
			WHERE m.id > @lo AND m.id <= @hi AND m.status <> 'active'`,
		`SELECT m.id, 'is merged or erased and still on the blocklist' AS what FROM members m
			JOIN member_blocks b ON b.member_id = m.id
			WHERE m.id > @lo AND m.id <= @hi AND m.status <> 'active'`,
		`SELECT m.id, 'is merged and still in a group' AS what FROM members m
			JOIN memberships s ON s.member_id = m.id
			WHERE m.id > @lo AND m.id <= @hi AND m.merged_into <> 0`,
	}},
	{"C2", "each membership is the only one of its pair and names a member and a group", "memberships", []string{
		`SELECT s.id, 'has a twin' AS what FROM memberships s
			JOIN memberships o ON o.group_id = s.group_id AND o.member_id = s.member_id AND o.id <> s.id
			WHERE s.id > @lo AND s.id <= @hi`,
		`SELECT s.id, 'names a missing member or group' AS what FROM memberships s
			LEFT JOIN members m ON m.id = s.member_id LEFT JOIN chat_groups g ON g.id = s.group_id
			WHERE s.id > @lo AND s.id <= @hi AND (m.id IS NULL OR g.id IS NULL)`,
	}},
	{"C3", "every group has had a charter from its first moment, in unbroken versions", "chat_groups", []string{
		`SELECT g.id, 'has no charter that counted at once' AS what FROM chat_groups g
			LEFT JOIN charters c ON c.group_id = g.id AND c.version = 1 AND c.effective_at = c.announced_at
			WHERE g.id > @lo AND g.id <= @hi AND c.group_id IS NULL`,
		`SELECT c.group_id AS id, 'has a gap in its charters' AS what FROM charters c
			WHERE c.group_id > @lo AND c.group_id <= @hi GROUP BY c.group_id HAVING COUNT(*) <> MAX(c.version)`,
	}},
	{"C4", "each identity names a member that exists", "identities", []string{
		`SELECT i.id, 'names a missing member' AS what FROM identities i LEFT JOIN members m ON m.id = i.member_id
			WHERE i.id > @lo AND i.id <= @hi AND m.id IS NULL`,
	}},
}

// Verify proves what the package comment says holds always, a range of ids per
// snapshot.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	var out []database.Proof
	for _, c := range claims {
		p := database.Proof{ID: c.id, Says: c.says}
		for lo, more := int64(0), true; more; {
			err := db.Snapshot(ctx, func(q *database.Query) error {
				var ids []int64
				err := q.Raw("SELECT id FROM "+c.table+" WHERE id > ? ORDER BY id LIMIT ?", lo, verifyRange).Scan(&ids).Error
				if err != nil || len(ids) == 0 {
					more = false
					return err
				}
				p.Checked += int64(len(ids))
				hi := ids[len(ids)-1]
				err = c.prove(q, &p, lo, hi)
				lo = hi
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("community: verify %s: %w", c.id, err)
			}
		}
		out = append(out, p)
	}
	return out, nil
}

func (c claimOf) prove(q *database.Query, p *database.Proof, lo, hi int64) error {
	for _, sql := range c.breaches {
		var broken []struct {
			ID   int64
			What string
		}
		if err := q.Raw(sql, map[string]any{"lo": lo, "hi": hi}).Scan(&broken).Error; err != nil {
			return err
		}
		for _, b := range broken {
			p.Break("%s %d %s", c.table, b.ID, b.What)
		}
	}
	return nil
}
