package promotion

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/calendar"
	"siyu/campaign/campaigntest"
	"siyu/campaign/exposure"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

var bg = context.Background()

// outage is a channel that cannot be reached until it is mended.
type outage struct{ down bool }

func (*outage) Name() string { return "outage" }

func (o *outage) Deliver(context.Context, Send) (Receipt, error) {
	if o.down {
		return "", errors.New("no route to host")
	}
	return ReceiptShown, nil
}

func (*outage) Cancel(context.Context, Send) (Receipt, error) { return ReceiptCancelled, nil }

// house is a running campaign, groups, and the room under test.
type house struct {
	*campaigntest.World
	s      *Service
	offer  campaign.Campaign
	dir    string
	outage *outage
}

func newHouse(t *testing.T, db *database.DB) *house {
	t.Helper()
	h := &house{World: campaigntest.New(t, db), dir: t.TempDir(), outage: &outage{}}
	h.s = &Service{DB: db, Guard: &guard.Service{DB: db}, Exposure: &exposure.Service{DB: db}, Campaign: h.Campaign, Dates: &calendar.Service{DB: db, Campaign: h.Campaign},
		Channels: []Channel{FileChannel{Dir: h.dir}, WebhookChannel{DB: db}, h.outage}}
	h.s.Register(h.Registry)
	h.s.Guard.Register(h.Registry)
	h.offer = h.Run(campaigntest.Sale{Hours: 24 * 10})
	return h
}

func (h *house) now() clock.Milli { return clock.MilliOf(h.DB.Clock.Now()) }

func (h *house) check(err error) {
	h.T.Helper()
	if err != nil {
		h.T.Fatal(err)
	}
}

func (h *house) group(preset community.Preset) id.Group {
	h.T.Helper()
	g, err := h.Community.CreateGroup(bg, community.GroupIn{Name: "望京邻里群", OwnerID: 7, Preset: preset, BornAt: h.now().Add(-400 * 24 * time.Hour)})
	h.check(err)
	return g
}

// plan makes a promotion by staff 1 with one window from now.
func (h *house) plan(channel string, length time.Duration, groups ...id.Group) id.Promotion {
	h.T.Helper()
	author := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1})
	p, err := h.s.Create(author, In{CampaignID: h.offer.ID, Name: "周一好价", TextZH: "苹果今天 9.9", TextEN: "apples 9.9 today", Groups: groups,
		Windows: []guard.Window{{From: h.now(), To: h.now().Add(length)}}, Priority: 5, Channel: channel})
	h.check(err)
	return p
}

func (h *house) approve(p id.Promotion) {
	h.T.Helper()
	h.check(h.s.Approve(database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 2}), p, 0))
	h.Drain(0)
}

// sends are the promotion's groups of the first window.
func (h *house) sends(p id.Promotion) map[id.Group]PlannedGroup {
	h.T.Helper()
	plan, err := h.s.Plan(bg, p)
	h.check(err)
	out := map[id.Group]PlannedGroup{}
	for _, g := range plan.Windows[0].Groups {
		out[g.GroupID] = g
	}
	return out
}

func (h *house) files() []string {
	h.T.Helper()
	list, err := filepath.Glob(filepath.Join(h.dir, "*", "*.json"))
	h.check(err)
	return list
}

func (h *house) status(p id.Promotion) Status {
	h.T.Helper()
	got, err := h.s.Find(bg, p)
	h.check(err)
	return got.Status
}

func (h *house) mustHold() {
	h.T.Helper()
	proofs, err := guard.Verify(bg, h.DB)
	h.check(err)
	for _, b := range proofs[0].Broken {
		h.T.Error(b)
	}
}

func TestPromotion(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		free, tired, service := h.group(community.PresetRetail), h.group(community.PresetBenefit), h.group(community.PresetService)
		_, err := h.s.Guard.PostByHand(bg, tired, h.offer.ID, 0)
		h.check(err)
		db.Clock.Jump(time.Hour)

		p := h.plan("file", 8*time.Hour, free, tired, service)
		dry := h.sends(p)
		if dry[free].Outcome != guard.OutcomeAllow || dry[tired].Outcome != guard.OutcomeDefer || dry[service].Outcome != guard.OutcomeDeny {
			t.Fatalf("the plan: got %+v", dry)
		}
		h.approve(p)
		got := h.sends(p)
		if got[free].Send != SendHanded || got[tired].Send != SendDeferred || got[service].Send != SendRefused {
			t.Fatalf("after opening: got %+v", got)
		}
		if n := len(h.files()); n != 1 {
			t.Fatalf("files: got %d, want 1", n)
		}
		var sent Send
		body, err := os.ReadFile(h.files()[0])
		h.check(err)
		h.check(json.Unmarshal(body, &sent))
		if sent.SlotID != got[free].SlotID || sent.Label != Label || sent.TextZH != "苹果今天 9.9" {
			t.Errorf("the file: got %+v", sent)
		}
		_, err = h.s.Guard.Confirm(bg, sent.SlotID, 0)
		h.check(err)

		h.Drain(time.Duration(got[tired].NotBefore-h.now()) * time.Millisecond)
		if again := h.sends(p)[tired]; again.Send != SendHanded || again.Slot != guard.StatusStarted {
			t.Fatalf("the deferred group at its minute: got %+v", again)
		}
		h.Drain(6 * time.Hour)
		got = h.sends(p)
		if got[free].Slot != guard.StatusConfirmed || got[tired].Slot != guard.StatusReleased || len(h.files()) != 1 {
			t.Errorf("after closing: got %+v and %d files", got, len(h.files()))
		}
		if s := h.status(p); s != StatusDone {
			t.Errorf("status: got %s, want done", s)
		}
		h.mustHold()
	})
}

func TestWindowsOpenInTime(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		g := h.group(community.PresetChain)
		day := 24 * time.Hour
		p, err := h.s.Create(bg, In{CampaignID: h.offer.ID, Name: "两天", TextZH: "接龙", Channel: "file", Groups: []id.Group{g}, Windows: []guard.Window{
			{From: h.now().Add(2 * time.Hour), To: h.now().Add(3 * time.Hour)}, {From: h.now().Add(day), To: h.now().Add(day + 20*time.Hour)},
		}})
		h.check(err)
		h.check(h.s.Approve(bg, p, 0))
		h.Drain(time.Hour)
		if len(h.files()) != 0 || h.status(p) != StatusApproved {
			t.Fatalf("before the window: %d files, %s", len(h.files()), h.status(p))
		}
		h.Drain(time.Hour)
		if len(h.files()) != 1 || h.status(p) != StatusRunning {
			t.Fatalf("in the window: %d files, %s", len(h.files()), h.status(p))
		}
		h.Drain(time.Hour)
		if len(h.files()) != 0 || h.status(p) != StatusRunning {
			t.Fatalf("between windows: %d files, %s", len(h.files()), h.status(p))
		}
		h.Drain(21 * time.Hour)
		if len(h.files()) != 1 {
			t.Fatalf("in the second window: %d files", len(h.files()))
		}
		// The slot ends where the charter's quiet hours begin, 21:30, long
		// before its window does.
		h.Drain(11*time.Hour + 30*time.Minute)
		if len(h.files()) != 0 {
			t.Fatalf("in quiet hours: %d files", len(h.files()))
		}
		h.Drain(9 * time.Hour)
		if s := h.status(p); s != StatusDone {
			t.Errorf("after the last window: %s", s)
		}
		h.mustHold()
	})
}

func TestApprovalNeedsASecondPerson(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		p := h.plan("file", time.Hour, h.group(community.PresetChain))
		author := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1})
		if err := h.s.Approve(author, p, 0); !errors.Is(err, ErrSameStaff) {
			t.Errorf("the author approves: got %v", err)
		}
		h.approve(p)
		if err := h.s.Approve(bg, p, 0); !errors.Is(err, ErrStatus) {
			t.Errorf("twice: got %v", err)
		}
		elsewhere := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 3, Units: []id.Unit{99}})
		if err := h.s.Cancel(elsewhere, p); !errors.Is(err, fault.NotFound) {
			t.Errorf("from another unit: got %v", err)
		}
	})
}

func TestCancelTakesEverythingBack(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		g, waiting := h.group(community.PresetChain), h.group(community.PresetChain)
		_, err := h.s.Guard.PostByHand(bg, waiting, 0, 0)
		h.check(err)
		p := h.plan("file", 8*time.Hour, g, waiting)
		h.approve(p)
		h.check(h.s.Cancel(bg, p))
		h.Drain(0)
		got := h.sends(p)
		if got[g].Slot != guard.StatusReleased || got[waiting].Send != SendClosed || len(h.files()) != 0 {
			t.Fatalf("got %+v and %d files", got, len(h.files()))
		}
		h.Drain(4 * time.Hour) // the deferral's moment
		if len(h.files()) != 0 || h.status(p) != StatusCancelled {
			t.Errorf("a cancelled promotion goes on: %d files, %s", len(h.files()), h.status(p))
		}
		if err := h.s.Cancel(bg, p); !errors.Is(err, ErrStatus) {
			t.Errorf("twice: got %v", err)
		}
		h.mustHold()
	})
}

func TestWebhookChannel(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		g := h.group(community.PresetChain)
		in := In{CampaignID: h.offer.ID, Name: "周一好价", TextZH: "苹果今天 9.9", Groups: []id.Group{g}, Channel: "webhook",
			Windows: []guard.Window{{From: h.now(), To: h.now().Add(2 * time.Hour)}}}
		if _, err := h.s.Create(bg, in); !errors.Is(err, fault.Invalid) {
			t.Errorf("with nobody listening: got %v", err)
		}
		h.check(db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, 1, 'http://wecom.example/', 'promotion.*', '', 'active', 1, 1)", tx.Next()).Error
		}))
		p := h.plan("webhook", 2*time.Hour, g)
		h.approve(p)
		events := func(kind webhook.Type) (n int) {
			h.check(db.Read(bg).Raw("SELECT COUNT(*) FROM events WHERE type = ?", kind).Scan(&n).Error)
			return n
		}
		o, err := h.s.outgoing(bg, h.sends(p)[g].SlotID)
		h.check(err)
		_, err = o.channel.Deliver(bg, o.send)
		h.check(err)
		if n := events(EventDeliver); n != 1 {
			t.Errorf("delivered twice: got %d events, want 1", n)
		}
		h.Drain(2 * time.Hour)
		if got := h.sends(p)[g]; events(EventCancel) != 1 || got.Slot != guard.StatusStarted {
			t.Errorf("until somebody reports, the slot counts: got %+v", got)
		}
		_, err = h.s.Release(bg, o.slot.ID, guard.ReleaseNotSent)
		h.check(err)
		if got := h.sends(p)[g]; got.Slot != guard.StatusReleased {
			t.Errorf("reported as not sent: got %+v", got)
		}
		h.mustHold()
	})
}

func TestNoDeliveryAfterTheWindow(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.outage.down = true
		g, quick := h.group(community.PresetChain), h.group(community.PresetChain)
		h.check(h.s.Approve(bg, h.plan("outage", 2*time.Hour, g), 0))
		if err := task.Drain(bg, db, h.Registry); err == nil {
			t.Fatal("the outage was not noticed")
		}
		p := h.plan("outage", 2*time.Hour, quick)
		h.check(h.s.Approve(bg, p, 0))
		_ = task.Drain(bg, db, h.Registry)
		h.outage.down = false
		h.Drain(time.Minute)
		if got := h.sends(p)[quick]; got.Slot != guard.StatusConfirmed {
			t.Errorf("mended in time: got %+v", got)
		}
		h.outage.down = true
		late := h.plan("outage", time.Hour, h.group(community.PresetChain))
		h.check(h.s.Approve(bg, late, 0))
		_ = task.Drain(bg, db, h.Registry)
		h.outage.down = false
		h.Drain(2 * time.Hour)
		for _, got := range h.sends(late) {
			if got.Slot != guard.StatusReleased || got.Send != SendClosed {
				t.Errorf("mended too late: got %+v", got)
			}
		}
		h.mustHold()
	})
}

func TestPausedCampaignsWait(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		g := h.group(community.PresetChain)
		p := h.plan("file", 2*time.Hour, g)
		h.check(h.Campaign.Turn(bg, h.offer.ID, campaign.Pause))
		h.check(h.s.Approve(bg, p, 0))
		_ = task.Drain(bg, db, h.Registry)
		if len(h.files()) != 0 {
			t.Fatal("sent for a paused campaign")
		}
		h.check(h.Campaign.Turn(bg, h.offer.ID, campaign.Resume))
		h.Drain(2 * time.Minute)
		if len(h.files()) != 1 {
			t.Errorf("after the pause: %d files", len(h.files()))
		}
	})
}

// TestHandlersTwice runs each task again after it was done.
func TestHandlersTwice(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		g, tired := h.group(community.PresetChain), h.group(community.PresetChain)
		_, err := h.s.Guard.PostByHand(bg, tired, 0, 0)
		h.check(err)
		p := h.plan("file", 4*time.Hour, g, tired)
		h.approve(p)
		rows := func() (n int) {
			h.check(db.Read(bg).Raw(`SELECT (SELECT COUNT(*) FROM slots) + (SELECT COUNT(*) FROM promotion_sends) * 100
				+ (SELECT COUNT(*) FROM decisions) * 10000 + (SELECT SUM(times) FROM decisions) * 1000000`).Scan(&n).Error)
			return n
		}
		before, slot := rows(), h.sends(p)[g].SlotID
		again := func(args ...task.Args) {
			h.check(db.Tx(bg, func(tx *database.Tx) error {
				for _, a := range args {
					h.check(task.EnqueueTx(tx, a, 0))
				}
				return nil
			}))
			h.Drain(0)
		}
		again(openWindow{Promotion: p, Window: 1}, openWindow{Promotion: p, Window: 1}, deliver{[]id.Slot{slot}}, deliver{[]id.Slot{slot}}, closeWindow{p, 1})
		if after := rows(); after != before || len(h.files()) != 1 {
			t.Errorf("in the window: got %d rows, want %d; %d files", after, before, len(h.files()))
		}
		h.Drain(4 * time.Hour)
		closed := h.sends(p)
		again(openWindow{Promotion: p, Window: 1}, deliver{[]id.Slot{slot}}, closeWindow{p, 1}, closeWindow{p, 1})
		if got := h.sends(p); got[g].Send != closed[g].Send || got[g].Slot != guard.StatusReleased || h.status(p) != StatusDone {
			t.Errorf("after the window: got %+v", got)
		}
		h.mustHold()
	})
}

func TestValidate(t *testing.T) {
	g := []id.Group{1, 1}
	err := (In{Groups: g, Windows: []guard.Window{{From: 5, To: 3}, {From: 1, To: 9}}, Priority: 10}).Validate()
	if f, ok := fault.As(err); !ok || len(f.Fields) != 8 {
		t.Errorf("got %v, want 8 fields", err)
	}
	for text, want := range map[string]int{"转发领红包": 1, "全网最低": 0, "苹果 9.9": 0} {
		err := (In{CampaignID: 1, Name: "a", TextZH: text, Groups: g[:1], Windows: []guard.Window{{From: 1, To: 9}}, Channel: "file"}).Validate()
		if f, _ := fault.As(err); (f == nil) != (want == 0) || f != nil && (len(f.Fields) != want || f.Fields[0].Code != "share_inducement") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}
