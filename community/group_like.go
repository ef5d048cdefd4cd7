package community

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
)

// GroupsLike narrows groups by what they are; zero fields do not.
type GroupsLike struct {
	Unit       id.Unit
	Presets    []Preset
	Owner      id.Staff
	MembersMin int // in the group now
}

// ActiveGroups are the active groups that the actor may see, by id, at most so
// many.
func ActiveGroups(q *database.Query, actor database.Actor, like GroupsLike, limit int) ([]id.Group, error) {
	cond, args := actor.Within("unit_id")
	if actor.Own {
		cond, args = cond+" AND owner_id = ?", append(args, actor.Staff)
	}
	if like.Unit != 0 {
		cond, args = cond+" AND unit_id = ?", append(args, like.Unit)
	}
	if like.Owner != 0 {
		cond, args = cond+" AND owner_id = ?", append(args, like.Owner)
	}
	if len(like.Presets) > 0 {
		cond, args = cond+" AND preset IN ?", append(args, like.Presets)
	}
	if like.MembersMin > 0 {
		cond += " AND (SELECT COUNT(*) FROM memberships m WHERE m.group_id = chat_groups.id AND m.left_at = 0) >= ?"
		args = append(args, like.MembersMin)
	}
	var list []id.Group
	err := q.Raw("SELECT id FROM chat_groups WHERE status = ?"+cond+" ORDER BY id LIMIT ?", append(append([]any{GroupActive}, args...), limit)...).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("community: groups like: %w", err)
	}
	return list, nil
}
