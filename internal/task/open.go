package task

import (
	"encoding/json"
	"fmt"

	"siyu/internal/database"
)

// Open is what the tasks of a kind that are not done were told, dead ones
// included.
func Open[A Args](q *database.Query) ([]A, error) {
	var list []A
	err := database.Read{
		SQL:  "SELECT payload FROM outbox WHERE kind = ? AND status IN ?",
		Args: []any{kindOf[A](), []int{statusWaiting, statusLeased, statusDead}},
		Row: func(rows database.Row) error {
			var payload []byte
			if err := rows.Scan(&payload); err != nil {
				return err
			}
			var a A
			if err := json.Unmarshal(payload, &a); err != nil {
				return err
			}
			list = append(list, a)
			return nil
		},
	}.On(q)
	if err != nil {
		return nil, fmt.Errorf("task: open %s: %w", kindOf[A](), err)
	}
	return list, nil
}
