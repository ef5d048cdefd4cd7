package task

import (
	"context"
	"testing"

	"siyu/internal/database"
	"siyu/internal/id"
)

// ExpireLease makes the row's lease run out now.
func ExpireLease(t testing.TB, db *database.DB, task id.Task) {
	t.Helper()
	err := db.Tx(context.Background(), func(tx *database.Tx) error {
		return tx.Exec("UPDATE outbox SET leased_until = 1 WHERE id = ?", task).Error
	})
	if err != nil {
		t.Fatal(err)
	}
}
