package database_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// A backup is one consistent copy, taken while the store is written.
func TestBackup(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			db := leased(t, dbtest.URL(t, engine), 1)
			if err := word(db, "王伟🀄"); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "it's a copy")
			err := db.Tx(bg, func(tx *database.Tx) error {
				if engine == "sqlite" {
					return nil // its one writer makes the copy
				}
				if err := tx.Exec("DELETE FROM identities").Error; err != nil {
					return err
				}
				return db.Backup(bg, path)
			})
			if engine == "sqlite" {
				err = db.Backup(bg, path)
			}
			if err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the copy's mode is %v (%v), want its owner's alone", info.Mode(), err)
			}
			if err := db.Backup(bg, path); err == nil {
				t.Error("a file that exists was overwritten")
			}
			if engine == "sqlite" {
				copied := handle(t, "sqlite:"+path)
				if n := number(t, copied, "SELECT COUNT(*) FROM identities WHERE value = '王伟🀄'"); n != 1 {
					t.Errorf("the copy has %d of the row", n)
				}
				if err := copied.Migrated(bg); err != nil {
					t.Error(err)
				}
				return
			}
			text, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(text), "王伟🀄") || !strings.Contains(string(text), "Dump completed") {
				t.Errorf("the dump lacks the row not yet deleted, or its end (%v, %d bytes)", err, len(text))
			}
		})
	}
}
