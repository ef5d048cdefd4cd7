package promotion

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

func (*outage) Remind(context.Context, Send) error { return nil }

// TestOwners has the file channel play each kind of owner over a slot of an
// hour, and looks when he was reminded and what the report says of it.
func TestOwners(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		for owner, c := range map[Owner]struct {
			posted   time.Duration // from the beginning; 0 is never
			reminded bool
			want     Outcome
		}{
			OwnerPrompt: {time.Second, false, Outcome{Asked: 1, Sent: 1}},
			OwnerSlow:   {45 * time.Minute, true, Outcome{Asked: 1, Sent: 1}},
			OwnerAbsent: {0, true, Outcome{Asked: 1, Unsent: 1}},
			OwnerLate:   {90 * time.Minute, true, Outcome{Asked: 1, Late: 1}},
		} {
			dir := t.TempDir()
			h.s.Channels = []Channel{FileChannel{Dir: dir, Owner: owner, DB: db}}
			g := h.group(community.PresetChain)
			p := h.plan("file", time.Hour, g)
			h.approve(p)
			began := h.windows(p)[0].From
			notes := func() int {
				list, err := filepath.Glob(filepath.Join(dir, "*", "*.remind"))
				h.check(err)
				return len(list)
			}
			if notes() != 0 {
				t.Errorf("%s: reminded at once", owner)
			}
			h.Drain(30 * time.Minute)
			if got := notes() == 1; got != c.reminded {
				t.Errorf("%s: reminded halfway is %v, want %v", owner, got, c.reminded)
			}
			h.Drain(15 * time.Minute)
			h.Drain(15 * time.Minute)
			h.Drain(30 * time.Minute)
			got, err := h.s.Report(bg, p)
			h.check(err)
			if diff := cmp.Diff(c.want, got.Total); diff != "" {
				t.Errorf("%s (-want +got):\n%s", owner, diff)
			}
			if c.posted != 0 {
				after := time.Duration(got.Shown[0].At-began) * time.Millisecond
				if after > c.posted || after < c.posted-time.Minute {
					t.Errorf("%s: posted after %s, want %s", owner, after, c.posted)
				}
			}
			if files, err := filepath.Glob(filepath.Join(dir, "*", "*")); err != nil || owner == OwnerAbsent && len(files) != 0 {
				t.Errorf("%s: left behind %v, %v", owner, files, err)
			}
			db.Clock.Jump(24 * time.Hour)
		}
		h.mustHold()
	})
}

// TestRemindOnce sends the reminder of the webhook channel once, and none for
// an ad that was confirmed.
func TestRemindOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.check(db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, 1, 'http://wecom.example/', 'promotion.*', '', 'active', 1, 1)", tx.Next()).Error
		}))
		idle, prompt := h.group(community.PresetChain), h.group(community.PresetChain)
		p := h.plan("webhook", 2*time.Hour, idle, prompt)
		h.approve(p)
		_, err := h.s.Guard.Confirm(bg, h.sends(p)[prompt].SlotID, 0)
		h.check(err)
		h.Drain(time.Hour)
		o, err := h.s.outgoing(bg, h.sends(p)[idle].SlotID)
		h.check(err)
		h.check(o.channel.Remind(bg, o.send))
		var n int
		h.check(db.Read(bg).Raw("SELECT COUNT(*) FROM events WHERE type = ?", EventRemind).Scan(&n).Error)
		if n != 1 || o.row.RemindedAt == 0 {
			t.Errorf("%d reminders, noted at %s; want one", n, o.row.RemindedAt)
		}
	})
}

// TestPosts says when each owner posts.
func TestPosts(t *testing.T) {
	w := guard.Window{From: 0, To: 4_000_000}
	for owner, want := range map[Owner]int64{OwnerReal: 0, OwnerPrompt: 0, OwnerAbsent: 0, OwnerSlow: 3_250_000, OwnerLate: 5_800_000} {
		if got := owner.posts(1_000_000, w); int64(got) != want {
			t.Errorf("%q: got %d, want %d", owner, got, want)
		}
	}
}
