package database_test

import (
	"os"
	osexec "os/exec"
	"strings"
	"sync"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// childURL makes this test binary a second process that migrates the store.
const childURL = "SIYU_TEST_MIGRATE_CHILD"

func TestMain(m *testing.M) {
	url := os.Getenv(childURL)
	if url == "" {
		os.Exit(m.Run())
	}
	db, err := database.Open(bg, database.Config{URL: url})
	if err == nil {
		_, err = db.Migrate(bg)
	}
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
}

func TestMigrate(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			db := handle(t, dbtest.EmptyURL(t, engine))
			if err := db.Migrated(bg); err == nil || !strings.Contains(err.Error(), "siyu migrate") {
				t.Errorf("without a schema: got %v, want the remedy", err)
			}
			steps, err := db.Migrate(bg)
			if err != nil || steps == 0 {
				t.Fatalf("first run: %d steps, %v", steps, err)
			}
			if err := db.Migrated(bg); err != nil {
				t.Errorf("after it: %v", err)
			}
			if again, err := db.Migrate(bg); again != 0 || err != nil {
				t.Errorf("second run: %d steps, %v; want none", again, err)
			}
			t.Run("steps cut off before they were recorded run again", func(t *testing.T) {
				do(t, db, "DELETE FROM schema_steps")
				if again, err := db.Migrate(bg); again != steps || err != nil {
					t.Errorf("got %d steps, %v; want %d", again, err, steps)
				}
				if err := db.Migrated(bg); err != nil {
					t.Error(err)
				}
			})
			t.Run("a schema behind is named", func(t *testing.T) {
				do(t, db, "DELETE FROM schema_steps WHERE version = 2")
				if err := db.Migrated(bg); err == nil || !strings.Contains(err.Error(), "002_") {
					t.Errorf("got %v, want the missing file", err)
				}
				if _, err := db.Migrate(bg); err != nil {
					t.Error(err)
				}
			})
			t.Run("a newer schema is refused", func(t *testing.T) {
				do(t, db, "INSERT INTO schema_steps (version, step, applied_at) VALUES (999, 1, 0)")
				if _, err := db.Migrate(bg); err == nil || !strings.Contains(err.Error(), "newer") {
					t.Errorf("Migrate: got %v", err)
				}
				if err := db.Migrated(bg); err == nil || !strings.Contains(err.Error(), "newer") {
					t.Errorf("Migrated: got %v", err)
				}
			})
		})
	}
}

// Replicas of a new release start together; one migrates, the others wait.
func TestMigrateTogether(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.EmptyURL(t, engine)
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					cmd := osexec.Command(os.Args[0])
					cmd.Env = append(os.Environ(), childURL+"="+url)
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("%v: %s", err, out)
					}
				})
			}
			wg.Wait()
			if err := handle(t, url).Migrated(bg); err != nil {
				t.Error(err)
			}
		})
	}
}
