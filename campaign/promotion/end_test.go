package promotion

import (
	"context"
	"errors"
	"testing"
	"time"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/task"
)

// waiting lets so many more groups wait in the first window of a promotion, for
// the guard or for a digest.
func (h *house) waiting(p id.Promotion, n int, what SendStatus) {
	h.T.Helper()
	for from := 0; from < n; from += 500 {
		h.check(h.DB.Tx(bg, func(tx *database.Tx) error {
			var sends []sendRow
			var digests []digestRow
			for i := range min(500, n-from) {
				g := id.Group(from + i + 1)
				sends = append(sends, sendRow{PromotionID: p, WindowNo: 1, GroupID: g, Status: what})
				digests = append(digests, digestRow{PromotionID: p, WindowNo: 1, GroupID: g, UntilAt: tx.Now.Add(time.Hour)})
			}
			if what == SendDigest {
				if err := tx.Create(&digests).Error; err != nil {
					return err
				}
			}
			return tx.Create(&sends).Error
		}))
	}
}

func (h *house) closed(p id.Promotion) (n int) {
	h.T.Helper()
	h.check(h.DB.Read(bg).Raw("SELECT COUNT(*) FROM promotion_sends WHERE promotion_id = ? AND status = ?", p, SendClosed).Scan(&n).Error)
	return n
}

// TestEndInParts: a window in which many groups wait is closed some at a time;
// broken off between two, the promotion has not ended and it is done again.
func TestEndInParts(t *testing.T) {
	const many = 2*endGroups + 100
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		p := h.plan("file", time.Hour, h.group(community.PresetChain))
		h.check(h.s.Approve(bg, p, 0))
		h.waiting(p, many, SendDeferred)
		db.Clock.Jump(2 * time.Hour)

		broken := errors.New("the process dies")
		var last id.Group
		h.check(db.Tx(bg, func(tx *database.Tx) (err error) {
			last, err = closeDeferredTx(tx, p, 1, 0)
			return err
		}))
		err := db.Tx(bg, func(tx *database.Tx) error {
			if _, err := closeDeferredTx(tx, p, 1, last); err != nil {
				return err
			}
			return broken
		})
		if got := h.closed(p); !errors.Is(err, broken) || last != endGroups || got != endGroups || h.status(p) != StatusApproved {
			t.Fatalf("broken off: %v, up to group %d, %d closed, the promotion is %s", err, int64(last), got, h.status(p))
		}

		row, err := find(db.Read(bg), database.Actor{}, p)
		h.check(err)
		stopped, stop := context.WithCancel(bg)
		stop()
		if err := h.s.end(stopped, row, 1); !errors.Is(err, context.Canceled) || h.status(p) != StatusApproved {
			t.Errorf("a process that stops: %v, the promotion is %s", err, h.status(p))
		}
		for range 2 {
			h.check(h.s.end(bg, row, 1))
			if got := h.closed(p); got != many || h.status(p) != StatusDone {
				t.Errorf("again: %d closed, the promotion is %s", got, h.status(p))
			}
		}
	})
}

// TestCancelInParts: what waits for a digest is closed with a promotion that is
// cancelled.
func TestCancelInParts(t *testing.T) {
	const many = 1100
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		p := h.plan("file", time.Hour, h.group(community.PresetChain))
		h.check(h.s.Approve(bg, p, 0))
		h.waiting(p, many, SendDigest)
		h.check(h.s.Cancel(bg, p))
		h.Drain(0)
		if open, err := openDigests(db.Read(bg), p); err != nil || open || h.closed(p) != many {
			t.Errorf("open %v, %v; %d closed", open, err, h.closed(p))
		}
	})
}

// TestCancelledLine: a line of a digest whose promotion was cancelled is closed
// when the digest's main ad is taken back; one whose promotion runs looks for a
// slot of its own.
func TestCancelledLine(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		g := h.had()
		main, gone, line := h.late(OnNoSlotDigest, 300, 1, g), h.late(OnNoSlotDigest, 200, 0, g), h.late(OnNoSlotDigest, 100, 0, g)
		h.approveAll(main, gone, line)
		h.Drain(3 * time.Hour)
		db.Clock.Jump(19 * time.Hour)
		h.check(h.s.gatherDigest(bg, task.Job{}, digest{Promotion: main, Window: 1, Once: true}))
		if a, b, c := h.sends(main)[g], h.sends(gone)[g], h.sends(line)[g]; a.Send != SendReserved || b.Send != SendJoined || c.Send != SendJoined {
			t.Fatalf("reserved: got %+v, %+v and %+v", a, b, c)
		}
		h.check(h.s.Cancel(bg, gone))
		h.check(h.s.closeWindow(bg, task.Job{}, closeWindow{gone, allWindows}))
		h.check(db.Tx(bg, func(tx *database.Tx) error { // it has run; the delivery waits for its channel's pace
			return tx.Exec("DELETE FROM outbox WHERE kind IN ?", []string{closeWindow{}.Kind(), deliver{}.Kind()}).Error
		}))
		h.check(h.s.Cancel(bg, main))
		h.Drain(0)
		for _, p := range []id.Promotion{gone, main} {
			if open, err := openDigests(db.Read(bg), p); err != nil || open || h.closed(p) != 1 {
				t.Errorf("%s, cancelled: open %v, %v; %d sends closed", p, open, err, h.closed(p))
			}
		}
		if got := h.sends(line)[g]; got.Send != SendHanded {
			t.Errorf("the line that runs: got %+v", got)
		}
		h.mustHold()
	})
}

// TestEndCancelled: a line that came back to wait after its promotion was
// cancelled, as it once was left, is closed within the hour; what runs waits on.
func TestEndCancelled(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		g := h.had()
		gone, runs := h.late(OnNoSlotDigest, 200, 0, g), h.late(OnNoSlotDigest, 100, 0, g)
		h.approveAll(gone, runs)
		h.Drain(3 * time.Hour)
		h.check(h.s.Cancel(bg, gone))
		h.Drain(0)
		h.check(db.Tx(bg, func(tx *database.Tx) error {
			err := tx.Exec("UPDATE promotion_digests SET done = 0, slot_id = 0 WHERE promotion_id = ?", gone).Error
			if err == nil {
				err = tx.Exec("UPDATE promotion_sends SET status = ? WHERE promotion_id = ?", SendDigest, gone).Error
			}
			if err == nil {
				err = tx.Exec("DELETE FROM outbox WHERE kind = ?", digest{}.Kind()).Error
			}
			return err
		}))
		db.Clock.Jump(time.Hour)
		h.check(task.Tick(bg, db, h.Registry))
		if open, err := openDigests(db.Read(bg), gone); err != nil || open || h.closed(gone) != 1 || h.status(gone) != StatusCancelled {
			t.Errorf("cancelled: open %v, %v; %d sends closed, %s", open, err, h.closed(gone), h.status(gone))
		}
		if got := h.sends(runs)[g]; got.Send != SendDigest || h.status(runs) != StatusRunning {
			t.Errorf("what runs: got %+v, %s", got, h.status(runs))
		}
		h.mustHold()
	})
}
