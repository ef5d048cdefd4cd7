package calendar_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"siyu/campaign/calendar"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
)

// editAtOnce has 64 people edit the same version of a new day, and says how
// many did.
func editAtOnce(t *testing.T, db *database.DB) int64 {
	t.Helper()
	s := &calendar.Service{DB: db}
	day, err := s.AddDay(bg, calendar.DayIn{Kind: "brand", FromDay: 20260520, NameZH: "周年庆"})
	if err != nil {
		t.Fatal(err)
	}
	var done atomic.Int64
	var all sync.WaitGroup
	start := make(chan struct{})
	for range 64 {
		all.Go(func() {
			<-start
			name := "店庆"
			if err := s.EditDay(bg, day, 1, calendar.DayEdit{NameZH: &name}); err == nil {
				done.Add(1)
			} else if !errors.Is(err, fault.Stale) {
				t.Errorf("edited: %v", err)
			}
		})
	}
	close(start)
	all.Wait()
	return done.Load()
}

func TestEditsOfADayAtOnce(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			db := dbtest.Open(t, engine)
			for range 3 {
				if n := editAtOnce(t, db); n != 1 {
					t.Fatalf("%d of 64 edited one version, want 1", n)
				}
			}
		})
		t.Run(engine+" without locks they break", func(t *testing.T) {
			db := dbtest.Unlocked(t, engine)
			for range 100 {
				if editAtOnce(t, db) > 1 {
					return
				}
			}
			t.Fatal("one of 64 edited a version in 100 rounds without any lock")
		})
	}
}
