package groupbuy_test

import (
	"errors"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/groupbuy"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// At least k of N at the deadline.
func TestLeast(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := tell(t, db, campaigntest.Sale{Rules: `{"size":5,"min_size":3,"open_for_s":3600}`, Hours: 48})
		enough, few := s.open(s.m[0], 0), s.open(s.m[0], 0)
		s.Pay(enough.ID)
		s.Pay(few.ID)
		s.Pay(s.join(enough.TeamID, s.m[1]).ID)
		s.Pay(s.join(enough.TeamID, s.m[2]).ID)
		s.Pay(s.join(few.TeamID, s.m[1]).ID)
		s.DB.Clock.Jump(50 * time.Minute)
		held := s.join(enough.TeamID, s.m[3])
		if got := s.team(enough.TeamID); got.Status != groupbuy.StatusOpen || got.MinSize != 3 {
			t.Errorf("before its deadline: %+v, want open", got)
		}
		if n := s.heard("order.to_ship"); n != 0 {
			t.Errorf("%d orders may be sent before any team formed", n)
		}
		s.sweep(10 * time.Minute)
		if got := s.team(enough.TeamID); got.Status != groupbuy.StatusFormed || got.Counted != 3 {
			t.Errorf("three of at least three: %+v, want formed", got)
		}
		if got := s.team(few.TeamID); got.Status != groupbuy.StatusFailed || got.EndReason != groupbuy.EndTooFew || got.Refunds.Requested != 2 {
			t.Errorf("two of at least three: %+v, want failed with two refunds", got)
		}
		if n := s.heard("order.to_ship"); n != 3 {
			t.Errorf("%d orders may be sent, want the three of the formed team", n)
		}
		s.Pay(held.ID) // whose time to pay is not over
		if n := s.heard("order.to_ship"); n != 4 {
			t.Errorf("%d orders may be sent, want the fourth too", n)
		}
		s.Verify()
		err := db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("UPDATE teams SET counted = 2 WHERE id = ?", enough.TeamID).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		if !broken(s, "V3") {
			t.Error("V3 held for a team formed with two of at least three")
		}
	})
}

// broken says whether a proof finds something.
func broken(s story, proof string) bool {
	for _, p := range s.Proofs() {
		if p.ID == proof && len(p.Broken) > 0 {
			return true
		}
	}
	return false
}

func TestHandOver(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		sale := tiers
		sale.Hours = 48
		s := tell(t, db, sale)
		t.Run("an opener who does not pay is followed by the next", func(t *testing.T) {
			first := s.open(s.m[0], 5)
			second := s.join(first.TeamID, s.m[1])
			s.join(first.TeamID, s.m[2])
			s.Pay(second.ID)
			s.sweep(16 * time.Minute) // the opener's and the third's time is over
			if got := s.team(first.TeamID); got.OpenerID != s.m[1] || got.Status != groupbuy.StatusOpen || got.LiveSeats != 1 {
				t.Errorf("team %+v, want handed to %s", got, s.m[1])
			}
			if o := s.Order(second.ID); o.UnitPrice != 2900 {
				t.Errorf("the new opener's order costs %s, want what he joined at", o.UnitPrice)
			}
			var rows []struct{ FromOrder, ToOrder int64 }
			if err := db.Read(bg).Raw("SELECT from_order, to_order FROM team_handovers WHERE team_id = ?", first.TeamID).Scan(&rows).Error; err != nil {
				t.Fatal(err)
			}
			if len(rows) != 1 || rows[0].FromOrder != int64(first.ID) || rows[0].ToOrder != int64(second.ID) || s.heard("team.handed_over") != 1 {
				t.Errorf("records %+v and %d events, want one", rows, s.heard("team.handed_over"))
			}
			full := s.Order(second.ID)
			if err := s.Campaign.Refund(bg, full.ID, campaign.RefundIn{RefundNo: "r", Amount: full.Amount, Goods: full.Amount}); err != nil {
				t.Fatal(err)
			}
			if got := s.team(first.TeamID); got.Status != groupbuy.StatusFailed || got.EndReason != groupbuy.EndEmpty {
				t.Errorf("team %+v, want ended with nobody left", got)
			}
		})
		t.Run("an opener who cancels is followed too, and a joiner is not", func(t *testing.T) {
			first := s.open(s.m[0], 5)
			second := s.join(first.TeamID, s.m[1])
			third := s.join(first.TeamID, s.m[2])
			if err := s.Campaign.CancelOrder(bg, third.ID); err != nil {
				t.Fatal(err)
			}
			if got := s.team(first.TeamID); got.OpenerID != s.m[0] {
				t.Errorf("team %+v, want its opener's still", got)
			}
			if err := s.Campaign.CancelOrder(bg, first.ID); err != nil {
				t.Fatal(err)
			}
			if got := s.team(first.TeamID); got.OpenerID != s.m[1] || got.OpenerOrder != second.ID {
				t.Errorf("team %+v, want handed to %s", got, s.m[1])
			}
		})
		t.Run("a team nobody is in ends", func(t *testing.T) {
			first := s.open(s.m[3], 2)
			if err := s.Campaign.CancelOrder(bg, first.ID); err != nil {
				t.Fatal(err)
			}
			_, err := s.Claim(campaign.Claim{Campaign: s.c.ID, Item: s.c.Items[0].ID, Member: s.m[4], Team: first.TeamID})
			if got := s.team(first.TeamID); got.EndReason != groupbuy.EndEmpty || !errors.Is(err, groupbuy.ErrTeamGone) {
				t.Errorf("team %+v, joined: %v", got, err)
			}
		})
		s.Verify()
	})
}
