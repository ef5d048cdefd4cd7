package main_test

import (
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// invitePoints are the moments at which a process may die while it measures a
// referral campaign.
var invitePoints = []string{
	"invite:granted", // a step's reward is written, not committed
	"invite:given",   // its points are given, not committed
}

// TestInviteKillPoints ends a server while it grants a step, and while it
// gives what the step promises: with the next server the member has it, once.
func TestInviteKillPoints(t *testing.T) {
	for _, engine := range dbtest.Engines {
		for _, point := range invitePoints {
			t.Run(engine+"/"+point, func(t *testing.T) {
				t.Parallel()
				e := newErrand(t, engine)
				campaign := e.inviting()
				armed := e.arm(point + ":1")
				for end := time.Now().Add(30 * time.Second); armed.alive(); time.Sleep(50 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatal("the point was not reached")
					}
				}
				var list struct {
					Items []struct{ State string }
				}
				e.until("the step's points are given", func() bool {
					e.call(e.caller, "GET", "/v1/campaigns/"+campaign+"/step-rewards", "", nil, &list)
					return len(list.Items) == 1 && list.Items[0].State == "given"
				})
				if n := e.count("SELECT COUNT(*) FROM events WHERE type = 'points.earned'"); n != 1 {
					t.Errorf("points were given %d times", n)
				}
				e.end()
			})
		}
	}
}

// inviting runs a referral campaign of which one friend has bought, and
// forgets that it was measured, so that the next server does so at once.
func (e *errand) inviting() (campaign string) {
	e.t.Helper()
	var made struct{ ID string }
	e.must(e.t, "POST", "/v1/campaigns", "invite", map[string]any{
		"kind": "referral", "name": "邀请有礼", "program_id": e.program,
		"rules": map[string]any{"steps": []map[string]any{{
			"kind": "bought", "count": 1, "gift": map[string]any{"kind": "points", "points": 100},
		}}},
		"starts_at": time.Now().Add(-time.Minute).Format(time.RFC3339), "ends_at": time.Now().Add(24 * time.Hour).Format(time.RFC3339),
	}, &made)
	e.must(e.t, "POST", "/v1/campaigns/"+made.ID+"/publish", "publish-invite", nil, nil)
	var code struct{ Code string }
	e.as(e.tokens[0]).must(e.t, "POST", "/v1/codes", "invite-code", map[string]any{"program_id": e.program, "campaign_id": made.ID}, &code)
	var o order
	e.call(e.as(e.tokens[1]), "POST", "/v1/campaigns/"+e.campaign+"/claims", "friend", map[string]any{"item_id": e.items[0], "code": code.Code}, &o)
	pay := map[string]any{"provider": "wechat", "payment_no": "wx" + o.ID, "goods_fen": o.Amount, "amount_fen": o.Amount}
	e.call(e.caller, "POST", "/v1/orders/"+o.ID+"/payments", "pay-friend", pay, nil)
	e.server.kill()
	err := e.db.Tx(e.t.Context(), func(tx *database.Tx) error {
		return tx.Exec("DELETE FROM periodic WHERE job = 'invite:measure'").Error
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return made.ID
}
