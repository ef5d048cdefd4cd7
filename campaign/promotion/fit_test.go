package promotion

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
)

// worth is a promotion of the value with one window that begins now.
func (h *house) worth(value money.Amount, priority int, length time.Duration, groups ...id.Group) id.Promotion {
	h.T.Helper()
	p, err := h.s.Create(bg, In{CampaignID: h.offer.ID, Name: "周一好价", TextZH: "苹果今天 9.9", Groups: groups, Channel: "file",
		Windows: []guard.Window{{From: h.now(), To: h.now().Add(length)}}, Priority: priority, Value: value})
	h.check(err)
	return p
}

// approveAll lets drafts run before any of their windows opens.
func (h *house) approveAll(all ...id.Promotion) {
	h.T.Helper()
	for _, p := range all {
		h.check(h.s.Approve(database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 2}), p, 0))
	}
	h.Drain(0)
}

func TestPlanner(t *testing.T) {
	day := 24 * time.Hour
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)

		t.Run("the slot goes to what is worth more, and back when that is cancelled", func(t *testing.T) {
			g := h.group(community.PresetRetail)
			poor, rich := h.worth(200, 0, 8*time.Hour, g), h.worth(500, 0, 8*time.Hour, g)
			h.approveAll(poor, rich)
			if got := h.sends(rich)[g]; got.Send != SendHanded || got.Answer.Window.To != h.now().Add(2*time.Hour) {
				t.Fatalf("the one worth more: got %+v", got)
			}
			got := h.sends(poor)[g]
			if got.Send != SendDeferred || got.Rule != guard.RulePlan || got.NotBefore != h.now().Add(time.Hour) {
				t.Fatalf("the other: got %+v", got)
			}
			h.check(h.s.Cancel(bg, rich))
			h.Drain(0)
			if got := h.sends(poor)[g]; got.Send != SendHanded {
				t.Errorf("with its rival gone: got %+v", got)
			}
		})

		t.Run("each step of priority counts double", func(t *testing.T) {
			g := h.group(community.PresetRetail)
			urgent, rich := h.worth(200, 2, 8*time.Hour, g), h.worth(700, 0, 8*time.Hour, g)
			h.approveAll(rich, urgent)
			if a, b := h.sends(urgent)[g], h.sends(rich)[g]; a.Send != SendHanded || b.Send != SendDeferred {
				t.Errorf("got %+v and %+v", a, b)
			}
		})

		t.Run("who can wait waits, and both are shown", func(t *testing.T) {
			g := h.group(community.PresetRetail)
			rich, short := h.worth(900, 0, 3*day, g), h.worth(100, 0, 6*time.Hour, g)
			dry := h.sends(rich)[g]
			h.approveAll(rich, short)
			if got := h.sends(short)[g]; got.Send != SendHanded {
				t.Fatalf("the short one: got %+v", got)
			}
			got := h.sends(rich)[g]
			if got.Send != SendDeferred || got.Rule != guard.RulePlan || got.NotBefore <= h.now().Add(20*time.Hour) {
				t.Fatalf("the long one: got %+v; as a draft, before the other ran: %+v", got, dry)
			}
			_, err := h.s.Guard.Confirm(bg, h.sends(short)[g].SlotID, 0)
			h.check(err)
			h.Drain(time.Duration(got.NotBefore-h.now()) * time.Millisecond)
			if got := h.sends(rich)[g]; got.Send != SendHanded {
				t.Errorf("at its time: got %+v", got)
			}
		})

		t.Run("what is paused keeps nobody waiting", func(t *testing.T) {
			g, first := h.group(community.PresetRetail), h.offer
			rich := h.worth(900, 0, 6*time.Hour, g)
			h.offer = h.Run(campaigntest.Sale{Hours: 24 * 10})
			h.check(h.Campaign.Turn(bg, first.ID, campaign.Pause))
			h.check(h.s.Approve(bg, rich, 0))
			poor := h.worth(100, 0, 3*time.Hour, g)
			h.approveAll(poor)
			if got := h.sends(poor)[g]; got.Send != SendHanded {
				t.Errorf("beside one that is paused: got %+v", got)
			}
			h.check(h.Campaign.Turn(bg, first.ID, campaign.Resume))
			h.offer = first
		})

		t.Run("what is left out to the end is closed", func(t *testing.T) {
			g := h.group(community.PresetRetail)
			poor, rich := h.worth(200, 0, 3*time.Hour, g), h.worth(500, 0, 3*time.Hour, g)
			h.approveAll(poor, rich)
			h.Drain(3 * time.Hour)
			if got := h.sends(poor)[g]; got.Send != SendClosed || h.status(poor) != StatusDone {
				t.Errorf("got %+v, %s", got, h.status(poor))
			}
			var tasks int
			h.check(db.Read(bg).Raw("SELECT COUNT(*) FROM outbox WHERE kind = 'promotion:open_window'").Scan(&tasks).Error)
			if tasks > 40 {
				t.Errorf("%d tasks to open windows were made", tasks)
			}
		})
		h.mustHold()
	})
}

func TestPlan_shows_who_is_outranked(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		g, free := h.group(community.PresetRetail), h.group(community.PresetRetail)
		rich := h.worth(500, 0, 8*time.Hour, g)
		h.check(h.s.Approve(bg, rich, 0))
		got := h.sends(h.worth(200, 0, 8*time.Hour, g, free))
		if x := got[g]; !x.Outranked || x.Outcome != guard.OutcomeDeny || x.Rule != guard.RulePlan || len(x.Reasons) != 1 {
			t.Errorf("outranked: got %+v", x)
		}
		if x := got[free]; x.Outranked || x.Outcome != guard.OutcomeAllow {
			t.Errorf("alone: got %+v", x)
		}
		service := h.group(community.PresetService)
		h.check(h.s.Approve(bg, h.worth(500, 0, 8*time.Hour, service), 0))
		if x := h.sends(h.worth(200, 0, 8*time.Hour, service))[service]; x.Outranked || x.Rule != guard.RuleDay {
			t.Errorf("where the guard is in the way: got %+v", x)
		}
	})
}

func TestCalendar(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		a, b := h.group(community.PresetRetail), h.group(community.PresetRetail)
		rich, poor := h.worth(500, 1, 3*24*time.Hour, a, b), h.worth(200, 0, 4*time.Hour, a)
		draft := h.worth(900, 9, 4*time.Hour, a)
		h.check(h.s.Approve(bg, rich, 0))
		h.check(h.s.Approve(bg, poor, 0))
		got, err := h.s.Calendar(bg)
		h.check(err)
		want := []Entry{
			{PromotionID: rich, Name: "周一好价", Status: StatusApproved, Priority: 1, Value: 500, Sends: 2, Placed: 2, ByDay: []int{1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, LeftOut: []Cause{}},
			{PromotionID: poor, Name: "周一好价", Status: StatusApproved, Value: 200, Sends: 1, Placed: 1, ByDay: []int{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, LeftOut: []Cause{}},
		}
		if diff := cmp.Diff(want, got.Promotions); diff != "" || got.Groups != 2 || got.GroupsMore || len(got.Days) != 14 {
			t.Errorf("got %d groups, more %t, days %v, and (-want +got):\n%s", got.Groups, got.GroupsMore, got.Days, diff)
		}
		h.check(h.s.Approve(bg, draft, 0))
		got, err = h.s.Calendar(bg)
		h.check(err)
		if diff := cmp.Diff([]Cause{{guard.RuleGap, 1, 1}}, got.Promotions[2].LeftOut); diff != "" || got.Promotions[0].PromotionID != draft {
			t.Errorf("left out by the new one (-want +got):\n%s", diff)
		}
		elsewhere := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 3, Units: []id.Unit{99}})
		if got, err := h.s.Calendar(elsewhere); err != nil || len(got.Promotions) != 0 || got.Groups != 2 {
			t.Errorf("from another unit: got %+v, %v", got, err)
		}
	})
}
