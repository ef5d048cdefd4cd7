package promotion

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Bounds of a plan that groups were added to: a plan's page shows each group
// in each window.
const (
	planGroups = 20_000
	planCells  = windowsMax * groupsMax // groups × windows
)

// GroupsIn are groups by name or by what they are.
type GroupsIn struct {
	Groups     []id.Group  `json:"groups"`
	GroupsLike *GroupsLike `json:"groups_like"`
}

// Validate checks the form.
func (in GroupsIn) Validate() error {
	var c fault.Check
	in.check(&c)
	return c.Err()
}

func (in GroupsIn) check(c *fault.Check) {
	if in.GroupsLike != nil {
		c.That(len(in.Groups) == 0, "groups_like", "either", "群列表与条件只能选其一", "name groups or what they are like, not both")
		in.GroupsLike.check(c, "groups_like")
		return
	}
	c.Range(int64(len(in.Groups)), "groups", 1, groupsMax)
	groups := slices.Clone(in.Groups)
	slices.Sort(groups)
	c.That(len(slices.Compact(groups)) == len(in.Groups), "groups", "duplicate", "同一个群只能出现一次", "each group may be named once")
}

// AddGroups adds groups to a draft that stands at the version. Of each
// addition the plan's share is drawn to be held out. Groups by what they are
// are those that are not in the plan yet.
func (s *Service) AddGroups(ctx context.Context, promotion id.Promotion, version int, in GroupsIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		p, err := lock(tx, promotion)
		switch {
		case err != nil:
			return err
		case p.Status != StatusDraft:
			return ErrStatus.With("status", p.Status)
		case p.Version != version:
			return fault.Stale
		}
		had, err := groupsOf(tx.DB, promotion)
		if err != nil {
			return err
		}
		added, err := in.find(tx, had)
		if err != nil {
			return err
		}
		if err := bounded(len(had)+len(added), len(p.Windows)); err != nil {
			return err
		}
		if err := insertGroups(tx, promotion, added, draw(promotion, added, p.HoldoutBP)); err != nil {
			return err
		}
		err = database.One(tx.Exec("UPDATE promotions SET version = version + 1 WHERE id = ?"+tx.Only("version = ?"), promotion, version), fault.Stale)
		if err != nil {
			return err
		}
		tx.SetResult("promotion", int64(promotion), 200)
		return database.AuditTx(tx, "promotion.add_groups", promotion, map[string]int{"groups": len(had)}, map[string]any{"groups": len(had) + len(added), "added": added})
	})
}

// find lists the groups, of which the plan has none yet.
func (in GroupsIn) find(tx *database.Tx, had []id.Group) ([]id.Group, error) {
	if in.GroupsLike != nil {
		return in.GroupsLike.find(tx, had)
	}
	var c fault.Check
	for i, g := range in.Groups {
		_, twice := slices.BinarySearch(had, g)
		c.That(!twice, fmt.Sprintf("groups[%d]", i), "duplicate", "该群已在计划里", "the group is in the plan already")
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	return in.Groups, knownGroups(tx, in.Groups)
}

// bounded refuses more groups than a plan can show.
func bounded(groups, windows int) error {
	most := min(planGroups, planCells/max(1, windows))
	var c fault.Check
	c.That(groups <= most, "groups", "too_many",
		fmt.Sprintf("共 %d 个群；%d 个时段的计划最多 %d 个，请另建计划", groups, windows, most), fmt.Sprintf("makes %d groups; a plan of %d windows has at most %d, make another", groups, windows, most))
	return c.Err()
}

// groupsOf are a promotion's groups, by id.
func groupsOf(q *database.Query, promotion id.Promotion) ([]id.Group, error) {
	list := []id.Group{}
	err := q.Raw("SELECT group_id FROM promotion_groups WHERE promotion_id = ? ORDER BY group_id", promotion).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("promotion: groups of %s: %w", promotion, err)
	}
	return list, nil
}
