package community

import (
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
)

// GatherTx notes how many people of a group took part together on a local day,
// by the word of who held it; ref names what was held, and the last word of it
// counts. The caller holds the group's row lock.
func GatherTx(tx *database.Tx, group id.Group, day int, ref int64, people int) error {
	err := tx.Exec("DELETE FROM group_gatherings WHERE group_id = ? AND day = ? AND ref = ?", group, day, ref).Error
	if err == nil {
		err = tx.Exec("INSERT INTO group_gatherings (group_id, day, ref, people) VALUES (?, ?, ?, ?)", group, day, ref, people).Error
	}
	if err != nil {
		return fmt.Errorf("community: gathering of %s: %w", group, err)
	}
	return MarkTx(tx, group, []int{day})
}

// Gatherings are the most people that one gathering of each day drew; days
// without one are left out.
func Gatherings(q *database.Query, group id.Group, days []int) (map[int]int, error) {
	out := map[int]int{}
	for part := range slices.Chunk(days, activityLook) {
		var rows []struct{ Day, People int }
		err := q.Raw("SELECT day, MAX(people) AS people FROM group_gatherings WHERE group_id = ? AND day IN ? GROUP BY day", group, part).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("community: gatherings of %s: %w", group, err)
		}
		for _, r := range rows {
			out[r.Day] = r.People
		}
	}
	return out, nil
}
