package database_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// Migration 008 made one payout per settlement, was edited in place for a
// while, and stands again as it first was. Stores of all three times end with
// the same schema.
func TestMigrateOldStore(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			fresh := handle(t, dbtest.EmptyURL(t, engine))
			if _, err := fresh.Migrate(bg); err != nil {
				t.Fatal(err)
			}
			payout(t, fresh, 1)
			payout(t, fresh, 2)
			want := schema(t, fresh)

			t.Run("of 008 as it first was", func(t *testing.T) {
				db := handle(t, dbtest.EmptyURL(t, engine))
				if err := database.MigrateTo(bg, db, 33); err != nil {
					t.Fatal(err)
				}
				payout(t, db, 1)
				if err := insertPayout(db, 2); !database.IsDuplicate(err) {
					t.Fatalf("before 034 a second payout: got %v, want a duplicate", err)
				}
				upgraded(t, db, want)
			})
			t.Run("of 008 as it was edited", func(t *testing.T) {
				db := handle(t, dbtest.EmptyURL(t, engine))
				if err := database.MigrateTo(bg, db, 33); err != nil {
					t.Fatal(err)
				}
				do(t, db, "DROP INDEX payouts_settlement"+db.Dialect.On("payouts"), "CREATE INDEX payouts_settlement ON payouts (settlement_id)")
				payout(t, db, 1)
				upgraded(t, db, want)
			})
		})
	}
}

// upgraded brings a store with one payout up to date, twice as after a step
// that was not recorded.
func upgraded(t *testing.T, db *database.DB, want []string) {
	t.Helper()
	for range 2 {
		if _, err := db.Migrate(bg); err != nil {
			t.Fatal(err)
		}
		do(t, db, "DELETE FROM schema_steps WHERE version = 34")
	}
	payout(t, db, 2)
	if diff := cmp.Diff(want, schema(t, db)); diff != "" {
		t.Errorf("schema of the old store (-new +old):\n%s", diff)
	}
}

func payout(t *testing.T, db *database.DB, no int64) {
	t.Helper()
	if err := insertPayout(db, no); err != nil {
		t.Fatalf("payout %d of one settlement: %v", no, err)
	}
}

func insertPayout(db *database.DB, no int64) error {
	return db.Tx(bg, func(tx *database.Tx) error {
		return tx.Exec(`INSERT INTO payouts (id, settlement_id, unit_id, status, gross, tax, net, line_count, failed_count,
			created_by, created_at, paid_by, paying_at, paid_at) VALUES (?, 7, 1, 'paying', 1, 0, 1, 1, 0, 1, 1, 0, 0, 0)`, no).Error
	})
}

// schema lists columns and indexes, as the engine tells them.
func schema(t *testing.T, db *database.DB) []string {
	t.Helper()
	query := `SELECT CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, COALESCE(column_default, '')) FROM information_schema.columns
		WHERE table_schema = DATABASE() UNION ALL
		SELECT CONCAT_WS(' ', table_name, index_name, non_unique, seq_in_index, column_name) FROM information_schema.statistics
		WHERE table_schema = DATABASE() ORDER BY 1`
	if db.Dialect.Name == "sqlite" {
		query = "SELECT name || ' ' || COALESCE(sql, '') FROM sqlite_master ORDER BY 1"
	}
	var rows []string
	if err := db.Read(bg).Raw(query).Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	if len(rows) < 100 || !strings.Contains(strings.Join(rows, "\n"), "payouts_of_settlement") {
		t.Fatalf("the schema reads as %d rows, without the index of payouts", len(rows))
	}
	return rows
}
