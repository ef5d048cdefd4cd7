package groupbuy_test

import (
	"fmt"
	"testing"
	"time"

	"siyu/campaign/campaigntest"
	"siyu/campaign/groupbuy"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// One refund that cannot be requested keeps no other waiting: it is tried
// again, becomes an alert, and goes out once it can.
func TestRefundsApart(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			db := dbtest.Open(t, engine)
			s := tell(t, db, campaigntest.Sale{Rules: `{"size":5,"open_for_s":3600}`, Hours: 48})
			first := s.open(s.m[0], 0)
			second, third := s.join(first.TeamID, s.m[1]), s.join(first.TeamID, s.m[2])
			other := s.open(s.m[3], 0)
			s.Pay(first.ID)
			s.Pay(second.ID)
			s.Pay(third.ID)
			s.Pay(other.ID)
			refuse(t, db, engine, int64(second.ID))
			s.sweep(time.Hour)
			if got := s.team(first.TeamID); got.Status != groupbuy.StatusFailed || got.Refunds.Requested != 2 || got.Refunds.Owed != 1 {
				t.Errorf("team %+v with %+v, want two refunds of three", got, got.Refunds)
			}
			if got := s.team(other.TeamID); got.Refunds == nil || got.Refunds.Requested != 1 {
				t.Errorf("another team waited: %+v", got.Refunds)
			}
			s.Verify()                           // it is young
			putOff := func(want time.Duration) { // twice as long each time
				t.Helper()
				var next clock.Milli
				if err := db.Read(bg).Raw("SELECT next_at FROM team_refunds WHERE order_id = ?", second.ID).Row().Scan(&next); err != nil {
					t.Fatal(err)
				}
				if got := next.Time().Sub(db.Clock.Now()); got != want {
					t.Errorf("put off for %s, want %s", got, want)
				}
			}
			putOff(10 * time.Second)
			for i := range time.Duration(3) {
				s.sweep(2 * time.Minute)
				putOff(20 * time.Second << i)
			}
			if n := s.heard("refund.stuck"); n != 1 {
				t.Errorf("%d alerts, want one", n)
			}
			for range 4 {
				s.sweep(10 * time.Minute)
			}
			putOff(10 * time.Minute)
			s.Verify() // it is old, and said so
			set(t, db, "DROP TRIGGER no_refund")
			s.sweep(10 * time.Minute)
			got := s.team(first.TeamID)
			if got.Refunds.Requested != 3 || got.Refunds.Owed != 0 || len(got.Refunds.List) != 3 {
				t.Errorf("after it could: %+v", got.Refunds)
			}
			set(t, db, fmt.Sprintf("DELETE FROM refunds WHERE order_id = %d", third.ID))
			if !broken(s, "V3") {
				t.Error("V3 held without a refund")
			}
		})
	}
}

// refuse makes the engine refuse refunds of the order.
func refuse(t *testing.T, db *database.DB, engine string, order int64) {
	t.Helper()
	if engine == "sqlite" {
		set(t, db, fmt.Sprintf("CREATE TRIGGER no_refund BEFORE INSERT ON refunds WHEN NEW.order_id = %d BEGIN SELECT RAISE(ABORT, 'no'); END", order))
		return
	}
	set(t, db, fmt.Sprintf("CREATE TRIGGER no_refund BEFORE INSERT ON refunds FOR EACH ROW IF NEW.order_id = %d THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END IF", order))
}

func set(t *testing.T, db *database.DB, sql string) {
	t.Helper()
	if err := db.Tx(bg, func(tx *database.Tx) error { return tx.Exec(sql).Error }); err != nil {
		t.Fatal(err)
	}
}
