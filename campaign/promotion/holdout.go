package promotion

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// holdoutMax is the largest share that may be drawn: half the groups tell most.
const holdoutMax = 5_000

// checkHoldout refuses a holdout that is both drawn and named, and names
// outside the plan's own groups; what leaves one side empty is refused once
// the groups are known.
func (in In) checkHoldout(c *fault.Check) {
	c.Range(int64(in.HoldoutBP), "holdout_bp", 0, holdoutMax)
	c.That(in.HoldoutBP == 0 || len(in.Holdout) == 0, "holdout", "either", "对照群抽取与指定只能选其一", "draw the holdout groups or name them, not both")
	c.Range(int64(len(in.Holdout)), "holdout", 0, groupsMax)
	if in.GroupsLike != nil {
		c.That(len(in.Holdout) == 0, "holdout", "not_with_groups_like", "按条件选群时请用 holdout_bp 抽取", "with groups_like, draw them by holdout_bp")
		return
	}
	for i, g := range in.Holdout {
		at := fmt.Sprintf("holdout[%d]", i)
		c.That(slices.Contains(in.Groups, g), at, "unknown_value", "须是本计划的群", "must be one of the promotion's groups")
		c.That(!slices.Contains(in.Holdout[:i], g), at, "duplicate", "同一个群只能出现一次", "each group may be named once")
	}
}

// holdout are the groups that are shown nothing, by id: those that were named,
// or the share that the draw takes.
func (in In) holdout(promotion id.Promotion) ([]id.Group, error) {
	held := slices.Sorted(slices.Values(in.Holdout))
	if in.HoldoutBP > 0 {
		held = draw(promotion, in.Groups, in.HoldoutBP)
	}
	var c fault.Check
	field := "holdout"
	if in.HoldoutBP > 0 {
		field = "holdout_bp"
	}
	c.That(in.HoldoutBP == 0 || len(held) > 0, field, "too_small", "群太少，抽不出对照群；请提高比例或增加群", "the share of so few groups is no group; raise it or add groups")
	c.That(len(held) < len(in.Groups), field, "too_large", "至少要有一个群收到推送", "at least one group must be sent to")
	return held, c.Err()
}

// draw takes the share of the groups, rounded down, by a hash of promotion and
// group: nobody chooses, another promotion draws others, and whoever knows
// both ids can draw again.
func draw(promotion id.Promotion, groups []id.Group, bp int) []id.Group {
	type lot struct {
		group id.Group
		sum   [sha256.Size]byte
	}
	lots := make([]lot, len(groups))
	for i, g := range groups {
		var ids [24]byte
		copy(ids[:8], "holdout:") // the same ids spread variants of materials, independently
		binary.BigEndian.PutUint64(ids[8:], uint64(promotion))
		binary.BigEndian.PutUint64(ids[16:], uint64(g))
		lots[i] = lot{g, sha256.Sum256(ids[:])}
	}
	slices.SortFunc(lots, func(a, b lot) int { return cmp.Or(bytes.Compare(a.sum[:], b.sum[:]), cmp.Compare(a.group, b.group)) })
	held := make([]id.Group, len(groups)*bp/10_000)
	for i := range held {
		held[i] = lots[i].group
	}
	slices.Sort(held)
	return held
}

// heldOut are a promotion's holdout groups, by id.
func heldOut(q *database.Query, promotion id.Promotion) ([]id.Group, error) {
	held := []id.Group{}
	err := q.Raw("SELECT group_id FROM promotion_groups WHERE promotion_id = ? AND held_out = 1 ORDER BY group_id", promotion).Scan(&held).Error
	if err != nil {
		return nil, fmt.Errorf("promotion: holdout of %s: %w", promotion, err)
	}
	return held, nil
}
