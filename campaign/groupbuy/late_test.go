package groupbuy_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/groupbuy"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

func TestLateChoice(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := tell(t, db, campaigntest.Sale{Rules: `{"sizes":[{"size":2},{"size":3}],"late_choice_minutes":60}`, Hours: 48, Price: 3900,
			Prices: []campaign.TeamPrice{{Size: 2, Price: 3900}, {Size: 3, Price: 2900}}})
		// late has an order of a team of two that nobody else was in, let go,
		// and paid after that.
		late := func() campaign.Order {
			t.Helper()
			o := s.open(s.m[0], 2)
			s.sweep(16 * time.Minute)
			s.Pay(o.ID)
			o = s.Order(o.ID)
			if l, err := s.Campaign.FindLate(bg, o.ID); err != nil || l.Status != campaign.LateOpen || len(o.Refunds) != 0 || o.Status != campaign.OrderExpired {
				t.Fatalf("order %+v with choice %+v, %v; want an open choice and no refund", o, l, err)
			}
			s.Verify()
			return o
		}
		move := func(o campaign.Order, to campaign.Order) error {
			return s.Campaign.ChooseLate(bg, o.ID, campaign.LateIn{Choice: "move", Team: to.TeamID})
		}
		t.Run("moves to another team", func(t *testing.T) {
			o := late()
			same, other := s.open(s.m[1], 2), s.open(s.m[1], 3)
			s.Pay(same.ID)
			if teams, err := s.GroupBuy.ListTeamsFor(bg, o); err != nil || len(teams) != 1 || teams[0].ID != same.TeamID {
				t.Errorf("offered %+v, %v; want the team of the same price", teams, err)
			}
			if err := move(o, other); !errors.Is(err, groupbuy.ErrPrice) {
				t.Errorf("to another price: %v", err)
			}
			var moved atomic.Int64
			var wg sync.WaitGroup
			for range 64 {
				wg.Go(func() {
					if err := move(o, same); err == nil {
						moved.Add(1)
					} else if !errors.Is(err, campaign.ErrNoChoice) {
						t.Errorf("moved: %v", err)
					}
				})
			}
			if wg.Wait(); moved.Load() != 1 {
				t.Fatalf("moved %d times", moved.Load())
			}
			got := s.Order(o.ID)
			if got.Status != campaign.OrderPaid || got.TeamID != same.TeamID || len(got.Refunds) != 0 {
				t.Errorf("order %+v, want paid in the other team", got)
			}
			if team := s.team(same.TeamID); team.Status != groupbuy.StatusFormed || team.Counted != 2 {
				t.Errorf("team %+v, want formed by who moved in", team)
			}
			if err := move(o, same); !errors.Is(err, campaign.ErrNoChoice) {
				t.Errorf("chosen twice: %v", err)
			}
			s.sweep(2 * time.Hour)
			if got := s.Order(o.ID); len(got.Refunds) != 0 {
				t.Errorf("refunded after it moved: %+v", got.Refunds)
			}
		})
		t.Run("what the mall refunded before he chose counts once he moves", func(t *testing.T) {
			o := late()
			if err := s.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: "half", Amount: 1900, Goods: 1900}); err != nil {
				t.Fatal(err)
			}
			if err := move(o, s.open(s.m[1], 2)); err != nil {
				t.Fatal(err)
			}
			if got := s.Order(o.ID); got.Status != campaign.OrderPaid || got.RefundedGoods != 1900 {
				t.Errorf("order %+v, want paid with 1900 refunded", got)
			}
		})
		t.Run("takes the money back", func(t *testing.T) {
			o := late()
			if err := s.Campaign.ChooseLate(bg, o.ID, campaign.LateIn{Choice: "refund"}); err != nil {
				t.Fatal(err)
			}
			if got := s.Order(o.ID); len(got.Refunds) != 1 || got.Refunds[0].Amount != got.Amount {
				t.Errorf("refunds %+v, want one of all", got.Refunds)
			}
		})
		t.Run("is refunded when nothing is chosen", func(t *testing.T) {
			o := late()
			err := s.Campaign.Pay(bg, o.ID, campaigntest.Payment(o, "again-"+o.ID.String()))
			if got := s.Order(o.ID); err != nil || len(got.Refunds) != 1 || got.Refunds[0].Reason != "paid_twice" {
				t.Errorf("a second payment: %+v, %v; want it sent back", got.Refunds, err)
			}
			s.sweep(59 * time.Minute)
			if got := s.Order(o.ID); len(got.Refunds) != 1 {
				t.Errorf("refunded before its time: %+v", got.Refunds)
			}
			s.sweep(time.Minute)
			if got := s.Order(o.ID); len(got.Refunds) != 2 || got.Refunds[1].Reason != "late_not_chosen" {
				t.Errorf("refunds %+v, want the late one too", got.Refunds)
			}
			if err := move(o, s.open(s.m[2], 2)); !errors.Is(err, campaign.ErrNoChoice) {
				t.Errorf("chosen too late: %v", err)
			}
		})
		t.Run("a full team refuses, and the choice stays", func(t *testing.T) {
			o := late()
			full := s.open(s.m[1], 2)
			s.join(full.TeamID, s.m[2])
			if err := move(o, full); !errors.Is(err, groupbuy.ErrTeamFull) {
				t.Errorf("into a full team: %v", err)
			}
			if l, err := s.Campaign.FindLate(bg, o.ID); err != nil || l.Status != campaign.LateOpen {
				t.Errorf("choice %+v, %v", l, err)
			}
			set(t, db, "UPDATE late_choices SET until_at = 1")
			set(t, db, "UPDATE sweeps SET swept = 2 WHERE name = 'late_choices'")
			if !broken(s, "V9") {
				t.Error("V9 held with a choice past its sweep")
			}
			set(t, db, "DELETE FROM late_choices WHERE status = 'open'")
			if !broken(s, "V9") {
				t.Error("V9 held with money that is nowhere")
			}
		})
	})
}
