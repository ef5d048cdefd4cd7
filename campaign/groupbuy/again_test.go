package groupbuy_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"siyu/campaign/campaigntest"
	"siyu/campaign/groupbuy"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func TestAgain(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := tell(t, db, campaigntest.Sale{Rules: `{"sizes":[{"size":2},{"size":5}],"open_for_s":3600}`, Hours: 48})
		again := func(team id.Team, who id.Member) (id.Team, error) {
			c, err := s.GroupBuy.Again(bg, team)
			if err != nil {
				t.Fatal(err)
			}
			c.Member = who
			oid, err := s.Claim(c)
			if err != nil {
				return 0, err
			}
			return s.Order(oid).TeamID, nil
		}
		old := s.open(s.m[0], 5)
		s.join(old.TeamID, s.m[1])
		s.Pay(s.join(old.TeamID, s.m[2]).ID)
		if _, err := again(old.TeamID, s.m[0]); !errors.Is(err, groupbuy.ErrNotOver) {
			t.Errorf("while it is open: %v", err)
		}
		s.sweep(time.Hour)
		if _, err := again(old.TeamID, s.m[5]); !errors.Is(err, fault.NotFound) {
			t.Errorf("by a stranger: %v", err)
		}
		// All of them, many times at once, open one team.
		var opened atomic.Int64
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range 64 {
			wg.Go(func() {
				<-start
				if _, err := again(old.TeamID, s.m[i%3]); err == nil {
					opened.Add(1)
				} else if !errors.Is(err, groupbuy.ErrAgain) {
					t.Errorf("reopened: %v", err)
				}
			})
		}
		close(start)
		wg.Wait()
		if n := opened.Load(); n != 1 {
			t.Fatalf("%d teams were opened again, want 1", n)
		}
		next := s.team(s.team(old.TeamID).AgainAs)
		if next.Size != 5 || next.LiveSeats != 1 || next.AgainOf != old.TeamID {
			t.Errorf("team %+v, want one of five with one seat", next)
		}
		var payload string
		if err := db.Read(bg).Raw("SELECT payload FROM events WHERE type = 'team.reopened'").Scan(&payload).Error; err != nil {
			t.Fatal(err)
		}
		for _, m := range s.m[:3] {
			if invited := strings.Contains(payload[strings.Index(payload, "invited"):], m.String()); invited == (m == next.OpenerID) {
				t.Errorf("%s is invited: %v, in %s", m, invited, payload)
			}
		}
		if !strings.Contains(payload, "https://shop.example/t/"+next.ID.String()) {
			t.Errorf("no link in %s", payload)
		}
		s.sweep(time.Hour) // it failed too, so the first may be opened once more
		if _, err := again(old.TeamID, s.m[2]); err != nil {
			t.Errorf("once more: %v", err)
		}
		s.Verify()
	})
}
