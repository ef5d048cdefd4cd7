package database_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// word writes a row whose unique key is one text.
func word(db *database.DB, value string) error {
	return db.Tx(bg, func(tx *database.Tx) error {
		return tx.Exec(`INSERT INTO identities (id, kind, app, value, member_id, created_at) VALUES (?, 'w', '', ?, 0, 0)`, tx.Next(), value).Error
	})
}

func TestText(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		t.Run("keys differ by case, trailing space, width and emoji", func(t *testing.T) {
			for _, w := range []string{"a", "A", "a ", "ａ", "é", "e", "王", "王伟", "🀄", "🀅", "👨‍👩‍👧"} {
				if err := word(db, w); err != nil {
					t.Errorf("%q: %v", w, err)
				}
				var back string
				if err := db.Read(bg).Raw("SELECT value FROM identities WHERE kind = 'w' AND value = ?", w).Scan(&back).Error; err != nil || back != w {
					t.Errorf("%q came back as %q (%v)", w, back, err)
				}
				if err := word(db, w); !database.IsDuplicate(err) {
					t.Errorf("%q again: got %v, want a duplicate", w, err)
				}
			}
		})
		t.Run("LIKE tells case apart", func(t *testing.T) {
			if n := number(t, db, "SELECT COUNT(*) FROM identities WHERE kind = 'w' AND value LIKE 'A%'"); n != 1 {
				t.Errorf("LIKE 'A%%' found %d rows, want 1", n)
			}
		})
		t.Run("a text too long is never cut", func(t *testing.T) {
			// SQLite knows no lengths and keeps it whole; the rooms'
			// Validate is what refuses it on both.
			long := strings.Repeat("长", 129)
			err := word(db, long)
			kept := number(t, db, "SELECT COUNT(*) FROM identities WHERE value = ?", long)
			cut := number(t, db, "SELECT COUNT(*) FROM identities WHERE value = ?", strings.Repeat("长", 128))
			if cut != 0 || (err == nil) != (kept == 1) || (db.Dialect.Name != "sqlite" && err == nil) {
				t.Errorf("129 characters into 128: err %v, kept %d, cut %d", err, kept, cut)
			}
		})
	})
}

// A digest made by a statement is the one made in Go, of bytes and not of
// characters.
func TestDigest(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		for _, w := range []string{"", "a", "王伟 🀄\n", "12:x;"} {
			var got struct {
				Sum   string
				Bytes int
			}
			err := db.Read(bg).Raw("SELECT SHA2(CONCAT(value, ?, 7, ';'), 256) AS sum, OCTET_LENGTH(value) AS bytes FROM (SELECT ? AS value) x", "王", w).Scan(&got).Error
			if want := fmt.Sprintf("%x", sha256.Sum256([]byte(w+"王7;"))); err != nil || got.Sum != want || got.Bytes != len(w) {
				t.Errorf("%q: got %+v (%v), want %s of %d bytes", w, got, err, want, len(w))
			}
		}
	})
}

func TestDuplicate(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		if err := word(db, "taken"); err != nil {
			t.Fatal(err)
		}
		t.Run("it does not spoil the transaction", func(t *testing.T) {
			err := db.Tx(bg, func(tx *database.Tx) error {
				insert := `INSERT INTO identities (id, kind, app, value, member_id, created_at) VALUES (?, 'w', '', ?, 0, 0)`
				if err := tx.Exec(insert, tx.Next(), "before").Error; err != nil {
					return err
				}
				if err := tx.Exec(insert, tx.Next(), "taken").Error; !database.IsDuplicate(err) {
					t.Errorf("unique key: got %v, want a duplicate", err)
				}
				return tx.Exec(insert, tx.Next(), "after").Error
			})
			if n := number(t, db, "SELECT COUNT(*) FROM identities"); err != nil || n != 3 {
				t.Errorf("got %d rows and %v, want 3", n, err)
			}
		})
		t.Run("one row of many refuses them all", func(t *testing.T) {
			err := db.Tx(bg, func(tx *database.Tx) error {
				err := tx.Exec(`INSERT INTO identities (id, kind, app, value, member_id, created_at)
					VALUES (?, 'w', '', 'x1', 0, 0), (?, 'w', '', 'taken', 0, 0), (?, 'w', '', 'x2', 0, 0)`, tx.Next(), tx.Next(), tx.Next()).Error
				if !database.IsDuplicate(err) {
					t.Errorf("got %v, want a duplicate", err)
				}
				return nil
			})
			if n := number(t, db, "SELECT COUNT(*) FROM identities WHERE value LIKE 'x%'"); err != nil || n != 0 {
				t.Errorf("%d rows of the refused statement stand (%v)", n, err)
			}
		})
		t.Run("a CHECK is told from it", func(t *testing.T) {
			err := db.Tx(bg, func(tx *database.Tx) error {
				return tx.Exec(`INSERT INTO accounts (id, stage, owner_kind, owner_id, currency, balance, guarded, created_at)
					VALUES (?, 's', 'o', 1, 'CNY', -1, 1, 0)`, tx.Next()).Error
			})
			if database.IsDuplicate(err) || !database.IsCheck(err) {
				t.Errorf("got %v, want a broken CHECK", err)
			}
		})
	})
}

// An idempotent insert must learn "already there" alike on every engine, and
// a guarded update "matched", not "changed".
func TestRowsAffected(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		do(t, db, "INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, 5, 0)")
		for _, c := range []struct {
			name, statement string
			want            int64
		}{
			{"changed", "UPDATE store_clock SET now_at = 6 WHERE id = 1", 1},
			{"matched but unchanged", "UPDATE store_clock SET now_at = 6 WHERE id = 1", 1},
			{"not matched", "UPDATE store_clock SET now_at = 6 WHERE id = 2", 0},
			{"deleted", "DELETE FROM store_clock WHERE id = 1", 1},
			{"deleted again", "DELETE FROM store_clock WHERE id = 1", 0},
			{"several inserted", "INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, 0, 0), (2, 0, 0)", 2},
		} {
			err := db.Tx(bg, func(tx *database.Tx) error {
				res := tx.Exec(c.statement)
				if res.RowsAffected != c.want {
					t.Errorf("%s: got %d rows, want %d", c.name, res.RowsAffected, c.want)
				}
				return res.Error
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		err := db.Tx(bg, func(tx *database.Tx) error {
			return database.One(tx.Exec("UPDATE store_clock SET now_at = 1"), fault.NotFound)
		})
		if err == nil {
			t.Error("One accepted two rows")
		}
	})
	t.Run("without clientFoundRows MariaDB counts changed rows", func(t *testing.T) {
		url := dbtest.URL(t, "mariadb")
		do(t, handle(t, url), "INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, 5, 0)")
		for params, want := range map[string]int64{"": 0, "?clientFoundRows=true": 1} {
			got, err := exec(t, raw(t, url, params), "UPDATE store_clock SET now_at = 5 WHERE id = 1").RowsAffected()
			if err != nil || got != want {
				t.Errorf("parameters %q: got %d rows (%v), want %d", params, got, err, want)
			}
		}
	})
}

func TestValues(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		const big = 1<<63 - 1
		err := db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO store_clock (id, now_at, wall_at) VALUES (?, ?, ?), (?, ?, ?)",
				1, clock.Milli(big), money.Amount(-7), 2, clock.Milli(1), money.Amount(2)).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Run("the largest integer comes back exact", func(t *testing.T) {
			var v clock.Milli
			if err := db.Read(bg).Raw("SELECT now_at FROM store_clock WHERE id = 1").Scan(&v).Error; err != nil || v != big {
				t.Errorf("got %d (%v), want %d", v, err, int64(big))
			}
		})
		t.Run("a sum is an integer, also of nothing", func(t *testing.T) {
			// MariaDB's SUM of BIGINT is a DECIMAL, and of no rows NULL.
			var row struct {
				Total money.Amount
				Zero  money.Amount
				ID    id.Member
			}
			err := db.Read(bg).Raw(`SELECT SUM(wall_at) AS total, MAX(id) AS id,
				(SELECT COALESCE(SUM(wall_at), 0) FROM store_clock WHERE id > 9) AS zero FROM store_clock`).Scan(&row).Error
			if err != nil || row.Total != -5 || row.Zero != 0 || row.ID != 2 {
				t.Errorf("got %+v (%v)", row, err)
			}
		})
		t.Run("bytes come back whole", func(t *testing.T) {
			secret := []byte{0, 1, '\'', '\\', 0xff, 0xfe, 0x1a}
			err := db.Tx(bg, func(tx *database.Tx) error {
				return tx.Exec(`INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at)
					VALUES (?, 0, ?, '', ?, '', 1, 0)`, tx.Next(), `it's "quoted" \ and ?`, secret).Error
			})
			var row struct {
				URL    string
				Secret []byte
			}
			if err == nil {
				err = db.Read(bg).Raw("SELECT url, secret FROM webhooks").Scan(&row).Error
			}
			if err != nil || string(row.Secret) != string(secret) || row.URL != `it's "quoted" \ and ?` {
				t.Errorf("got %+v (%v)", row, err)
			}
		})
	})
}

// SQLite takes 32,766 values per statement, MySQL a packet of 16 MiB; rooms
// keep to 500 rows per statement, which the widest table (30 columns) stays
// within on both.
func TestBatch(t *testing.T) {
	insert := func(db *database.DB, rows int) error {
		return db.Tx(bg, func(tx *database.Tx) error {
			args := make([]any, 0, rows*3)
			for i := range rows {
				args = append(args, i+10, 1, 2)
			}
			values := strings.TrimSuffix(strings.Repeat("(?,?,?),", rows), ",")
			return tx.Exec("INSERT INTO store_clock (id, now_at, wall_at) VALUES "+values, args...).Error
		})
	}
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		if err := insert(db, 500*10); err != nil {
			t.Errorf("as many values as 500 rows of 30 columns: %v", err)
		}
		ids := make([]int, 2000)
		for i := range ids {
			ids[i] = i + 10
		}
		if n := number(t, db, "SELECT COUNT(*) FROM store_clock WHERE id IN ?", ids); n != 2000 {
			t.Errorf("IN of 2,000: got %d rows", n)
		}
		do(t, db, "DELETE FROM store_clock")
		if err := insert(db, 12_000); (err != nil) != (db.Dialect.Name == "sqlite") {
			t.Errorf("36,000 values: got %v; SQLite alone refuses them", err)
		}
		if n := count(t, db); n != 0 && db.Dialect.Name == "sqlite" {
			t.Errorf("the refused statement left %d rows", n)
		}
	})
}

// A transaction that waited for a lock must then read what the other one
// committed; REPEATABLE READ would go on showing the old row.
func TestReadAfterLock(t *testing.T) {
	url := dbtest.URL(t, "mariadb")
	db, other := handle(t, url), handle(t, url)
	do(t, db, "INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, 1, 0), (2, 1, 0)")
	err := db.Tx(bg, func(tx *database.Tx) error {
		var v int
		if err := tx.Raw("SELECT now_at FROM store_clock WHERE id = 1").Scan(&v).Error; err != nil {
			return err
		}
		do(t, other, "UPDATE store_clock SET now_at = now_at + 1")
		if err := tx.Raw("SELECT now_at FROM store_clock WHERE id = 2" + tx.Dialect.ForUpdate).Scan(&v).Error; err != nil {
			return err
		}
		if err := tx.Raw("SELECT now_at FROM store_clock WHERE id = 1").Scan(&v).Error; err != nil || v != 2 {
			t.Errorf("after the lock: got %d (%v), want what the other one committed", v, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A process that stands still inside a transaction holds its locks against
// everybody, until the server ends its session.
func TestStandstillLetsGo(t *testing.T) {
	url := dbtest.URL(t, "mariadb")
	db, other := handle(t, url), handle(t, url)
	if db.Dialect.Name == "mysql" {
		return // has no such limit, as docs/operations.md says
	}
	do(t, db, "INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, 1, 0)")
	err := db.Tx(bg, func(tx *database.Tx) error {
		var seconds, v int
		if err := tx.Raw("SELECT @@SESSION.idle_transaction_timeout").Scan(&seconds).Error; err != nil || seconds != 10 {
			t.Errorf("a transaction may stand still for %d s (%v), want 10", seconds, err)
		}
		if err := tx.Exec("SET SESSION idle_transaction_timeout = 1").Error; err != nil {
			return err
		}
		if err := tx.Raw("SELECT now_at FROM store_clock WHERE id = 1" + tx.Dialect.ForUpdate).Scan(&v).Error; err != nil {
			return err
		}
		do(t, other, "UPDATE store_clock SET now_at = 5") // waits for the row
		return tx.Exec("UPDATE store_clock SET now_at = 9").Error
	})
	if err == nil {
		t.Error("what stood still went on")
	}
	if n := count(t, other); n != 1 {
		t.Errorf("%d rows", n)
	}
	var v int
	if err := other.Read(bg).Raw("SELECT now_at FROM store_clock WHERE id = 1").Scan(&v).Error; err != nil || v != 5 {
		t.Errorf("got %d (%v), want what the one that went on wrote", v, err)
	}
}
