package guard_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"siyu/campaign/guard"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestFirstWave: two waves at once over groups that were never asked for, some
// of which lived before Siyu knew them. Each group gets one row and one slot,
// and of each that is observed it is told once when its days are over.
func TestFirstWave(t *testing.T) {
	const many = 4*190 + 7
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			db := dbtest.Open(t, engine)
			s := &guard.Service{DB: db}
			var groups, imported []id.Group
			for part := range slices.Chunk(make([]struct{}, many), 250) {
				err := db.Tx(bg, func(tx *database.Tx) error {
					for range part {
						g, old := id.Group(tx.Next()), len(groups)%190 == 5
						groups = append(groups, g)
						if old {
							imported = append(imported, g)
						}
						err := tx.Exec(`INSERT INTO chat_groups (id, unit_id, external_id, name, preset, zone, owner_id, born_at, imported, status, version, created_at)
							VALUES (?, 0, ?, '群', 'benefit', 'Asia/Shanghai', 7, 1, ?, 'active', 1, ?)`, g, g.String(), old, tx.Now).Error
						if err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			var work sync.WaitGroup
			var got [2][]guard.Answer
			var errs [2]error
			for i := range got {
				work.Go(func() {
					got[i], errs[i] = s.Reserve(bg, guard.Ask{Promotion: id.Promotion(i + 1), Window: aDay(db), Groups: groups}, nothing)
				})
			}
			work.Wait()
			for i, err := range errs {
				if err != nil || len(got[i]) != many {
					t.Fatalf("wave %d: %d answers, %v", i+1, len(got[i]), err)
				}
			}
			var rows, observed int
			err := db.Read(bg).Raw("SELECT COUNT(*), SUM(CASE WHEN mode = 'advise' AND observe_until > 0 THEN 1 ELSE 0 END) FROM group_guards").Row().Scan(&rows, &observed)
			if err != nil || rows != many || observed != len(imported) {
				t.Errorf("%d rows, %d of them observed, %v; want %d and %d", rows, observed, err, many, len(imported))
			}
			var told []string
			if err := db.Read(bg).Raw("SELECT payload FROM outbox WHERE kind = 'guard:tell_observed'").Scan(&told).Error; err != nil {
				t.Fatal(err)
			}
			for _, g := range imported {
				if n := strings.Count(strings.Join(told, " "), g.String()); n != 1 {
					t.Errorf("an imported group is told of %d times", n)
				}
			}
			mustHold(t, db)
		})
	}
}
