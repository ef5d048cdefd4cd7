package community_test

import (
	"math/rand/v2"
	"testing"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// Which version is in force is told in Go; SQL of the test's own finds the
// same, however versions were announced and taken back.
func TestVersionsInForce(t *testing.T) {
	const asSQL = `SELECT group_id, version FROM charters c WHERE effective_at <= ?
		AND NOT EXISTS (SELECT 1 FROM charters n WHERE n.group_id = c.group_id AND n.version > c.version AND n.announced_at < c.effective_at)
		ORDER BY group_id, version`
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			db := dbtest.Open(t, engine)
			r := rand.New(rand.NewPCG(3, 5))
			groups := make([]id.Group, 60)
			err := db.Tx(bg, func(tx *database.Tx) error {
				for i := range groups {
					groups[i] = id.Group(tx.Next())
					for version, announced := range []int{r.IntN(5), 5 + r.IntN(5), 10 + r.IntN(5), 15 + r.IntN(5)}[:r.IntN(5)] {
						err := tx.Exec(`INSERT INTO charters (group_id, version, purpose, ads_per_day, ads_per_week, quiet_from, quiet_to, ends_at, announced_at, effective_at)
							VALUES (?, ?, '', 1, 1, 0, 0, 0, ?, ?)`, groups[i], version+1, announced, announced+r.IntN(12)).Error
						if err != nil {
							return err
						}
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for at := clock.Milli(0); at < 35; at++ {
				var rows []struct {
					GroupID id.Group
					Version int
				}
				if err := db.Read(bg).Raw(asSQL, at).Scan(&rows).Error; err != nil {
					t.Fatal(err)
				}
				want := map[id.Group]int{}
				for _, row := range rows {
					want[row.GroupID] = row.Version
				}
				got, err := community.Charters(db.Read(bg), groups, at)
				if err != nil {
					t.Fatal(err)
				}
				for _, span := range []bool{false, true} {
					told := map[id.Group]int{}
					read := community.CharterRows(database.Keys[id.Group]{List: groups, Span: span}, at, func(c community.Charter) { told[c.GroupID] = c.Version })
					if err := read.On(db.Read(bg)); err != nil {
						t.Fatal(err)
					}
					for _, g := range groups {
						if told[g] != want[g] || got[g].Version != want[g] {
							t.Fatalf("at %d group %s: %d told, %d found, want %d", at, g, told[g], got[g].Version, want[g])
						}
					}
				}
			}
			var replaced int
			err = db.Read(bg).Raw("SELECT COUNT(*) FROM charters c JOIN charters n ON n.group_id = c.group_id AND n.version > c.version AND n.announced_at < c.effective_at").Scan(&replaced).Error
			if err != nil || replaced == 0 {
				t.Errorf("no version was replaced, the test tests nothing: %v", err)
			}
		})
	}
}
