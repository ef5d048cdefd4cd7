package promotion

import (
	"fmt"
	"slices"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// GroupsLike are groups by what they are, as they stand when the promotion is
// made; those that come later are not in it. Zero fields do not narrow.
type GroupsLike struct {
	UnitID     id.Unit            `json:"unit_id"`
	Presets    []community.Preset `json:"presets"`
	OwnerID    id.Staff           `json:"owner_id"`
	MembersMin int                `json:"members_min"`
	Except     []id.Group         `json:"except"`
}

func (l GroupsLike) check(c *fault.Check, at string) {
	for i, p := range l.Presets {
		c.That(p.Known(), fmt.Sprintf("%s.presets[%d]", at, i), "unknown_value", "没有这种群类型", "there is no such preset")
	}
	c.Range(int64(l.MembersMin), at+".members_min", 0, 100_000)
	c.Range(int64(len(l.Except)), at+".except", 0, groupsMax)
}

// find lists the groups that are not had already, by id.
func (l GroupsLike) find(tx *database.Tx, had []id.Group) ([]id.Group, error) {
	list, err := community.ActiveGroups(tx.DB, tx.Actor, community.GroupsLike{Unit: l.UnitID, Presets: l.Presets, Owner: l.OwnerID, MembersMin: l.MembersMin},
		groupsMax+len(l.Except)+len(had)+1)
	if err != nil {
		return nil, err
	}
	without := make(map[id.Group]bool, len(l.Except)+len(had))
	for _, g := range slices.Concat(l.Except, had) {
		without[g] = true
	}
	list = slices.DeleteFunc(list, func(g id.Group) bool { return without[g] })
	var c fault.Check
	c.That(len(list) > 0, "groups_like", "empty", "没有符合条件的群", "no group is like that")
	c.That(len(list) <= groupsMax, "groups_like", "too_many", fmt.Sprintf("一次最多 %d 个群，请按区域分次加入", groupsMax), fmt.Sprintf("at most %d groups at once; add them to the draft region by region", groupsMax))
	return list, c.Err()
}
