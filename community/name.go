package community

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
)

// NamesIn are the names of members, for pages that show them shortened; guests
// and unknown ids have none. A merged member has the name of the one it is now.
func NamesIn(q *database.Query, members []id.Member) (map[id.Member]string, error) {
	names := make(map[id.Member]string, len(members))
	if len(members) == 0 {
		return names, nil
	}
	var rows []struct {
		ID   id.Member
		Name string
	}
	err := q.Raw(`SELECT m.id, n.name FROM members m
		JOIN members n ON n.id = CASE WHEN m.merged_into = 0 THEN m.id ELSE m.merged_into END
		WHERE m.id IN ?`, members).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("community: names: %w", err)
	}
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, nil
}
