package exposure

import (
	"cmp"
	"context"
	"fmt"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
)

// listMost is how many groups one page lists.
const listMost = 100

// Listed is a group in a list.
type Listed struct {
	Standing
	Name   string  `json:"name"`
	UnitID id.Unit `json:"unit_id"`
}

// ListGroups lists the groups the actor may see some of whose members were at
// the ceiling when they were counted, the largest share first.
func (s *Service) ListGroups(ctx context.Context, page database.Page) (database.Paged[Listed], error) {
	page.Limit = min(cmp.Or(page.Limit, listMost), listMost)
	q, actor := s.DB.Read(ctx), database.ActorOf(ctx)
	cond, args := actor.Within("g.unit_id")
	own, mine := community.OwnGroups(actor, "e.group_id")
	cond, args = cond+own, append(args, mine...)
	if page.Before != 0 { // after that group, by the share it has now
		var last groupRow
		if err := q.Raw("SELECT group_id, share_bp FROM exposure_groups WHERE group_id = ?", page.Before).Scan(&last).Error; err != nil {
			return database.Paged[Listed]{}, fmt.Errorf("exposure: groups: %w", err)
		}
		cond, args = cond+" AND (e.share_bp < ? OR e.share_bp = ? AND e.group_id < ?)", append(args, last.ShareBP, last.ShareBP, page.Before)
	}
	var groups []id.Group
	err := q.Raw("SELECT e.group_id FROM exposure_groups e JOIN chat_groups g ON g.id = e.group_id WHERE e.share_bp > 0"+cond+
		" ORDER BY e.share_bp DESC, e.group_id DESC LIMIT ?", append(args, page.Fetch())...).Scan(&groups).Error
	if err != nil {
		return database.Paged[Listed]{}, fmt.Errorf("exposure: groups: %w", err)
	}
	known, err := community.GroupsIn(q, groups)
	if err != nil {
		return database.Paged[Listed]{}, err
	}
	list, err := s.standings(q, groups)
	if err != nil {
		return database.Paged[Listed]{}, err
	}
	rows := make([]Listed, len(list))
	for i, x := range list {
		rows[i] = Listed{x, known[x.GroupID].Name, known[x.GroupID].UnitID}
	}
	return database.Cut(page, rows, func(l Listed) int64 { return int64(l.GroupID) }), nil
}
