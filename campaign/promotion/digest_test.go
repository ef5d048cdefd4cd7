package promotion

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
)

// late is a promotion whose window of three hours lies where the group has had
// its ad of the day.
func (h *house) late(what OnNoSlot, value money.Amount, priority int, groups ...id.Group) id.Promotion {
	h.T.Helper()
	p, err := h.s.Create(bg, In{CampaignID: h.offer.ID, Name: "好价", TextZH: "值 " + value.String(), Groups: groups, Channel: "file", OnNoSlot: what, Priority: priority, Value: value,
		Windows: []guard.Window{{From: h.now(), To: h.now().Add(3 * time.Hour)}}})
	h.check(err)
	return p
}

// had makes a group that has had its ad of the day: the next may come at 8:00
// tomorrow, which is 22 hours after the test begins.
func (h *house) had() id.Group {
	h.T.Helper()
	g := h.group(community.PresetRetail)
	_, err := h.s.Guard.PostByHand(bg, g, 0, 0)
	h.check(err)
	return g
}

func (h *house) report(p id.Promotion) Report {
	h.T.Helper()
	r, err := h.s.Report(bg, p)
	h.check(err)
	return r
}

// TestDigest: six ads that found no slot wait and go out in two messages, five
// and one, each of which takes one slot; what is to be dropped is.
func TestDigest(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		g, service := h.had(), h.group(community.PresetService)
		dropped := h.late(OnNoSlotDrop, 900, 0, g)
		var all []id.Promotion
		for i := range 6 {
			all = append(all, h.late(OnNoSlotDigest, money.Amount(600-100*i), 0, g))
		}
		nowhere := h.late(OnNoSlotDigest, 500, 0, service)
		h.approveAll(append([]id.Promotion{dropped, nowhere}, all...)...)
		h.Drain(3 * time.Hour)
		for i, p := range all {
			if got := h.sends(p)[g]; got.Send != SendDigest || h.status(p) != StatusRunning || i == 0 && got.NotBefore != h.now().Add(19*time.Hour) {
				t.Fatalf("ad %d when its window is over: got %+v, %s", i, got, h.status(p))
			}
		}
		if r := h.report(dropped); r.Total.Refused+r.Total.Missed != 1 || h.status(dropped) != StatusDone {
			t.Errorf("what is dropped: got %+v, %s", r.Total, h.status(dropped))
		}
		if r := h.report(nowhere); r.Total.Missed != 1 || h.status(nowhere) != StatusDone {
			t.Errorf("where no ad may ever be: got %+v, %s", r.Total, h.status(nowhere))
		}
		h.Drain(19 * time.Hour)
		if len(h.files()) != 1 {
			t.Fatalf("the next morning: %d files, want 1", len(h.files()))
		}
		var sent Send
		body, err := os.ReadFile(h.files()[0])
		h.check(err)
		h.check(json.Unmarshal(body, &sent))
		var lines []id.Promotion
		for _, l := range sent.Lines {
			lines = append(lines, l.PromotionID)
			if l.Label != Label || l.TextZH == "" || l.CampaignID != h.offer.ID {
				t.Errorf("a line: got %+v", l)
			}
		}
		if diff := cmp.Diff(all[1:5], lines); diff != "" || sent.PromotionID != all[0] || sent.TextZH != "值 6.00" {
			t.Fatalf("the message of %s, %s (-want +got):\n%s", sent.PromotionID, sent.TextZH, diff)
		}
		todo, err := h.s.ListPostings(bg, []id.Group{g})
		h.check(err)
		lines = nil
		for _, x := range todo {
			for _, l := range x.Lines {
				lines = append(lines, l.PromotionID)
			}
		}
		if diff := cmp.Diff(all[1:5], lines); diff != "" || len(todo) != 1 || todo[0].Slot.ID != sent.SlotID {
			t.Errorf("what the owner is to post (-want +got):\n%s", diff)
		}
		_, err = h.s.Guard.Confirm(bg, sent.SlotID, 0)
		h.check(err)
		if todo, err = h.s.ListPostings(bg, []id.Group{g}); err != nil || len(todo) != 0 {
			t.Errorf("posted, and still to do: %+v, %v", todo, err)
		}
		for i, p := range all[:5] {
			r := h.report(p)
			want := []InDigest{{1, g, sent.SlotID, i, h.now()}}
			if diff := cmp.Diff(want, r.Digests); diff != "" || r.Total.Digest != 1 || r.Total.Asked != 1 {
				t.Errorf("the report of ad %d: got %+v, (-want +got):\n%s", i, r.Total, diff)
			}
		}
		kept, err := h.s.Guard.ListDecisions(bg, guard.SlotFilter{Promotion: all[3]}, database.Page{Limit: 5})
		h.check(err)
		if d := kept.Items[0]; d.Outcome != guard.OutcomeDigest || d.SlotID != sent.SlotID || d.Reasons[0].Text("en") != "went out as a line of a digest: 5 ads in one message and one slot, 5 at most" {
			t.Errorf("the guard's record: got %+v", d)
		}

		// The sixth goes out alone, 20 hours after the first message's window,
		// which was still open when it asked.
		h.Drain(34 * time.Hour)
		if got := h.sends(all[5])[g]; got.Send != SendHanded || len(h.report(all[5]).Digests) != 1 {
			t.Errorf("the sixth: got %+v", got)
		}
		var slots int
		h.check(db.Read(bg).Raw("SELECT COUNT(*) FROM slots WHERE group_id = ?", g).Scan(&slots).Error)
		if slots != 3 {
			t.Errorf("%d slots, want 3: one by hand and two messages", slots)
		}
		h.Drain(14 * time.Hour) // to the end of its slot
		for i, p := range all {
			if h.status(p) != StatusDone {
				t.Errorf("ad %d is %s", i, h.status(p))
			}
		}
		h.mustHold()
	})
}

// TestDigest_changes: until it is handed out a line may be cancelled, and the
// slot taken by an ad of higher priority; nothing is lost or shown twice.
func TestDigest_changes(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		g := h.had()
		main, gone, line := h.late(OnNoSlotDigest, 300, 1, g), h.late(OnNoSlotDigest, 200, 0, g), h.late(OnNoSlotDigest, 100, 0, g)
		h.approveAll(main, gone, line)
		h.Drain(3 * time.Hour)
		db.Clock.Jump(19 * time.Hour)
		gather := func() {
			t.Helper()
			h.check(h.s.gatherDigest(bg, task.Job{}, digest{Promotion: main, Window: 1, Once: true}))
		}
		gather()
		gather()
		if a, b := h.sends(main)[g], h.sends(line)[g]; a.Send != SendReserved || b.Send != SendJoined || a.SlotID != b.SlotID {
			t.Fatalf("reserved: got %+v and %+v", a, b)
		}
		h.check(h.s.Cancel(bg, gone))

		high, err := h.s.Create(bg, In{CampaignID: h.offer.ID, Name: "好价", TextZH: "急", Groups: []id.Group{g}, Channel: "file", Priority: 7,
			Windows: []guard.Window{{From: h.now(), To: h.now().Add(4 * time.Hour)}}})
		h.check(err)
		h.check(h.s.Approve(bg, high, 0))
		h.check(h.s.openWindow(bg, task.Job{}, openWindow{Promotion: high, Window: 1}))
		if a, b, c := h.sends(high)[g], h.sends(main)[g], h.sends(line)[g]; a.Send != SendReserved || b.Send != SendDigest || c.Send != SendDigest {
			t.Fatalf("taken: got %+v, %+v and %+v", a, b, c)
		}
		h.Drain(0)
		_, err = h.s.Guard.Confirm(bg, h.sends(high)[g].SlotID, 0)
		h.check(err)
		h.Drain(24 * time.Hour)
		r := h.report(line)
		if a, b := h.sends(main)[g], h.sends(line)[g]; a.Send != SendHanded || b.Send != SendJoined || len(r.Digests) != 1 || r.Digests[0].LineNo != 1 || r.Total.Waiting != 1 {
			t.Fatalf("the morning after: got %+v and %+v, %+v", a, b, r)
		}
		if r := h.report(gone); r.Total.Missed != 1 || h.status(gone) != StatusCancelled {
			t.Errorf("what was cancelled: got %+v", r.Total)
		}
		// Nobody posts it: all of it is over with its slot.
		h.Drain(14 * time.Hour)
		for _, p := range []id.Promotion{main, line} {
			if r := h.report(p); r.Total.Unsent != 1 || h.status(p) != StatusDone {
				t.Errorf("not posted: got %+v, %s", r.Total, h.status(p))
			}
		}
		h.mustHold()
	})
}

// TestSwapIsThePlan: an ad worth more has the slot that another was planned
// for, which is moved to a later one while its window lasts and else left out;
// there is no choice to make for it.
func TestSwapIsThePlan(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		g := h.had()
		day := 24 * time.Hour
		poor := h.worth(100, 0, 3*day, g)
		h.approveAll(poor)
		planned := h.sends(poor)[g].NotBefore
		if planned != h.now().Add(22*time.Hour) {
			t.Fatalf("alone: got %+v", h.sends(poor)[g])
		}
		rich, err := h.s.Create(bg, In{CampaignID: h.offer.ID, Name: "好价", TextZH: "值", Groups: []id.Group{g}, Channel: "file", Value: 900,
			Windows: []guard.Window{{From: planned, To: planned.Add(4 * time.Hour)}}})
		h.check(err)
		h.check(h.s.Approve(bg, rich, 0))
		h.Drain(22 * time.Hour)
		got := h.sends(poor)[g]
		if x := h.sends(rich)[g]; x.Send != SendHanded || got.Send != SendDeferred || got.NotBefore < planned.Add(20*time.Hour) {
			t.Fatalf("worth more: got %+v; worth less, moved: %+v", x, got)
		}
		_, err = h.s.Guard.Confirm(bg, h.sends(rich)[g].SlotID, 0)
		h.check(err)
		h.Drain(time.Duration(got.NotBefore-h.now()) * time.Millisecond)
		if got := h.sends(poor)[g]; got.Send != SendHanded {
			t.Errorf("at its later slot: got %+v", got)
		}
		_, err = h.s.Create(bg, In{CampaignID: h.offer.ID, Name: "好价", TextZH: "值", Groups: []id.Group{g}, Channel: "file", OnNoSlot: "swap", Windows: []guard.Window{{From: planned, To: planned + 1}}})
		if f, ok := fault.As(err); !ok || f.Fields[0].Name != "on_no_slot" {
			t.Errorf("a swap by choice: got %v", err)
		}
		h.mustHold()
	})
}

// TestDigest_paused: an ad of a paused campaign keeps no other of its group from
// a digest, and goes along in none; when it runs again it waits for its own.
func TestDigest_paused(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		g, first := h.had(), h.offer
		rich := h.late(OnNoSlotDigest, 900, 0, g)
		h.offer = h.Run(campaigntest.Sale{Hours: 24 * 10})
		poor, poorer := h.late(OnNoSlotDigest, 200, 0, g), h.late(OnNoSlotDigest, 100, 0, g)
		h.approveAll(rich, poor, poorer)
		h.Drain(3 * time.Hour)
		h.check(h.Campaign.Turn(bg, first.ID, campaign.Pause))
		h.Drain(20 * time.Hour)
		a, b, c := h.sends(rich)[g], h.sends(poor)[g], h.sends(poorer)[g]
		if a.Send != SendDigest || b.Send != SendHanded || c.Send != SendJoined {
			t.Fatalf("paused: got %+v; the others: %+v and %+v", a, b, c)
		}
		_, err := h.s.Guard.Confirm(bg, b.SlotID, 0)
		h.check(err)
		h.check(h.Campaign.Turn(bg, first.ID, campaign.Resume))
		h.Drain(24 * time.Hour)
		if got := h.sends(rich)[g]; got.Send != SendHanded {
			t.Errorf("when it runs again: got %+v", got)
		}
		h.mustHold()
	})
}
