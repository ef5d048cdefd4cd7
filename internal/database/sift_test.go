package database_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// TestSift reads lists of drawn rows by drawn steps: every row that meets the
// condition comes once, newest first, however early its pages end.
func TestSift(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		exec := func(sql string) {
			if err := db.Tx(ctx, func(tx *database.Tx) error { return tx.Exec(sql).Error }); err != nil {
				t.Fatal(err)
			}
		}
		exec("CREATE TABLE sifted (id BIGINT NOT NULL PRIMARY KEY, unit_id BIGINT NOT NULL, meets BIGINT NOT NULL)")
		rapid.Check(t, func(t *rapid.T) {
			exec("DELETE FROM sifted")
			var all []string
			var want []int64
			for id, n := int64(1), rapid.Int64Range(1, 60).Draw(t, "rows"); id <= n; id++ {
				unit, meets := rapid.IntRange(1, 2).Draw(t, "unit"), rapid.IntRange(0, 1).Draw(t, "meets")
				all = append(all, fmt.Sprintf("(%d, %d, %d)", id, unit, meets))
				if unit == 1 && meets == 1 {
					want = append(want, id)
				}
			}
			exec("INSERT INTO sifted (id, unit_id, meets) VALUES " + strings.Join(all, ", "))
			slices.Reverse(want)
			sift := database.Sift[int64]{
				Columns: "s.id", Table: "sifted s", ID: "s.id", Cond: " AND s.unit_id = ?", CondArgs: []any{1}, Is: " AND s.meets = ?", IsArgs: []any{1},
				IDOf: func(id int64) int64 { return id },
				Step: rapid.IntRange(1, 7).Draw(t, "step"), Most: rapid.IntRange(1, 30).Draw(t, "most"),
			}
			var got []int64
			for page, pages := (database.Page{Limit: rapid.IntRange(1, 9).Draw(t, "limit")}), 0; ; pages++ {
				out, err := sift.Page(db.Read(ctx), page)
				if err != nil || out.Items == nil || len(out.Items) > page.Limit || pages > len(all) {
					t.Fatalf("page %d: got %+v, %v", pages, out, err)
				}
				got = append(got, out.Items...)
				if out.NextCursor == "" {
					break
				}
				if page.Before, err = database.ParseCursor(out.NextCursor); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("got %v, want %v", got, want)
			}
		})
	})
}

// TestSiftEndsEarly looks for what is rare: a page goes no further than it may.
func TestSiftEndsEarly(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		err := db.Tx(ctx, func(tx *database.Tx) error {
			if err := tx.Exec("CREATE TABLE sifted_rare (id BIGINT NOT NULL PRIMARY KEY, meets BIGINT NOT NULL)").Error; err != nil {
				return err
			}
			return tx.Exec("INSERT INTO sifted_rare (id, meets) VALUES (1, 1)"+strings.Repeat(", (?, 0)", 29), func() (ids []any) {
				for id := 2; id <= 30; id++ {
					ids = append(ids, id)
				}
				return ids
			}()...).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		sift := database.Sift[int64]{
			Columns: "id", Table: "sifted_rare", ID: "id", Is: " AND meets = 1", Step: 3, Most: 6,
			IDOf: func(id int64) int64 { return id },
		}
		var page database.Page
		for _, want := range []int64{25, 19, 13, 7} {
			out, err := sift.Page(db.Read(ctx), page)
			if err != nil || len(out.Items) != 0 {
				t.Fatalf("got %+v, %v", out, err)
			}
			if page.Before, err = database.ParseCursor(out.NextCursor); err != nil || page.Before != want {
				t.Fatalf("the next page is of what is below %d, %v; want %d", page.Before, err, want)
			}
		}
		out, err := sift.Page(db.Read(ctx), page)
		if err != nil || !slices.Equal(out.Items, []int64{1}) {
			t.Fatalf("got %+v, %v", out, err)
		}
	})
}
