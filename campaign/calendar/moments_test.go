package calendar_test

import (
	"slices"
	"testing"

	"siyu/campaign/calendar"
	"siyu/campaign/guard"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestMoments: the guard hears of festivals and a unit's own days, those for
// all below it, and of days on which promotion is out of place that they are.
func TestMoments(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &calendar.Service{DB: db}
		err := db.Tx(bg, func(tx *database.Tx) error {
			for _, u := range [][]any{{1, 0, "/" + id.Unit(1).String() + "/"}, {2, 1, "/" + id.Unit(1).String() + "/" + id.Unit(2).String() + "/"}, {3, 1, "/" + id.Unit(1).String() + "/" + id.Unit(3).String() + "/"}} {
				if err := tx.Exec("INSERT INTO units (id, parent_id, kind, name, path, version, created_at) VALUES (?, ?, 'region', ?, ?, 1, 1)", u[0], u[1], u[2], u[2]).Error; err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []calendar.DayIn{
			{UnitID: 1, FromDay: 20260402, NameZH: "店庆"}, {UnitID: 2, FromDay: 20260410, ToDay: 20260411, NameZH: "东区茶节"},
			{UnitID: 1, FromDay: 20260420, NameZH: "闭馆", Avoid: true},
		} {
			if _, err := s.AddDay(bg, d); err != nil {
				t.Fatal(err)
			}
		}
		list, known, err := calendar.Moments(db.Read(bg), 20260401, 20260430)
		if err != nil || !known {
			t.Fatalf("got known %t, %v", known, err)
		}
		of := func(day int) *guard.Moment {
			i := slices.IndexFunc(list, func(m guard.Moment) bool { return m.FromDay == day })
			if i < 0 {
				return nil
			}
			return &list[i]
		}
		if m := of(20260402); m == nil || len(m.Units) != 3 {
			t.Errorf("the brand's own day is everybody's: got %+v", m)
		}
		if m := of(20260410); m == nil || m.ToDay != 20260411 || len(m.Units) != 1 || !m.Units[2] {
			t.Errorf("a region's own day is its own: got %+v", m)
		}
		if m := of(20260405); m == nil || !m.Avoid || m.Units != nil {
			t.Errorf("Qingming: got %+v", m)
		}
		if m := of(20260420); m == nil || !m.Avoid || len(m.Units) != 3 {
			t.Errorf("the brand's own day to avoid: got %+v", m)
		}
		if m := of(20260402); m == nil || m.Avoid {
			t.Errorf("a merry day: got %+v", m)
		}
		if _, known, err = calendar.Moments(db.Read(bg), 20281225, 20290110); err != nil || known {
			t.Errorf("beyond the data: got known %t, %v", known, err)
		}
	})
}
