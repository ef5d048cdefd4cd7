package campaign

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Bounds of the committer: how many claims may wait, and how many one
// transaction takes. MySQL and MariaDB look into an index for each member of a
// list only up to 200 of them (eq_range_index_dive_limit); for a longer list
// they guess, and may read a million orders instead of a few.
const (
	queueMax = 12_288
	batchMax = 192
)

// waiting is a claim with the channel its caller waits on.
type waiting struct {
	claim   Claim
	done    chan *Outcome
	putBack int // how often its item was locked by somebody else
}

// Start runs the process's one committer, and what keeps its memory of hot
// items fresh, until Close.
func (s *Service) Start() {
	go s.commitLoop()
	go s.watchShelves()
}

// Close answers what waits, then stops the committer.
func (s *Service) Close() {
	s.closing.Do(func() {
		s.gate.Lock()
		s.closed = true
		close(s.queue)
		s.gate.Unlock()
	})
	<-s.stopped
}

func (s *Service) enqueue(w *waiting) error {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.closed {
		return fault.Unavailable
	}
	select {
	case s.queue <- w:
		return nil
	default:
		return ErrBusy
	}
}

// commitLoop takes the claims that arrived while the last commit ran, those
// put back first, and grants them in one transaction.
func (s *Service) commitLoop() {
	defer close(s.stopped)
	var back []*waiting // of items somebody else has locked
	for {
		batch := append(make([]*waiting, 0, batchMax), back...)
		if len(batch) == 0 {
			first, open := <-s.queue
			if !open {
				return
			}
			batch = append(batch, first)
		}
		batch = s.drain(batch)
		back = s.commit(batch)
	}
}

// drain adds what waits, up to a full batch.
func (s *Service) drain(batch []*waiting) []*waiting {
	for len(batch) < batchMax {
		select {
		case w, open := <-s.queue:
			if !open {
				return batch
			}
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

// commit grants a batch and answers everyone with his own result; it returns
// the claims of items that somebody else has locked for longer than a batch
// should wait. Replayed keys are rare, so the unique index finds them: then,
// and only then, the batch runs again with all its keys looked up first. A
// batch that fails as a whole is run again in halves, so that one bad claim
// refuses only itself.
func (s *Service) commit(batch []*waiting) (back []*waiting) {
	out, err := s.attempt(batch, manner{})
	if database.IsDuplicate(err) {
		out, err = s.attempt(batch, manner{keysFirst: true})
	}
	database.KillPoint("claim:committed")
	switch {
	case err == nil:
		for i, w := range batch {
			w.done <- &out[i]
		}
		return nil
	case database.LockedOut(err):
		return s.leaveOut(batch)
	case len(batch) > 1 && !errors.Is(err, fault.Unavailable): // not when the store is away
		back = s.commit(batch[:len(batch)/2])
		return append(back, s.commit(batch[len(batch)/2:])...)
	}
	refuseAll(batch, err)
	return nil
}

func refuseAll(batch []*waiting, err error) {
	slog.Error("claims not committed", "claims", len(batch), "error", err)
	for _, w := range batch {
		w.done <- &Outcome{Refusal: fault.Unavailable.Wrap(err)}
	}
}

// putBackMost is how often a claim is put back before its item gets a batch of
// its own with the ordinary wait.
const putBackMost = 3

// leaveOut goes on with the items that answer at once, and puts the claims of
// the others back. An item put back often enough is waited for alone.
func (s *Service) leaveOut(batch []*waiting) (back []*waiting) {
	locked := s.probe(batch)
	var free []*waiting
	alone := map[id.Item][]*waiting{}
	for _, w := range batch {
		switch {
		case !locked[w.claim.Item]:
			free = append(free, w)
		case w.putBack >= putBackMost:
			alone[w.claim.Item] = append(alone[w.claim.Item], w)
		default:
			w.putBack++
			back = append(back, w)
		}
	}
	if len(free) > 0 {
		back = append(back, s.commit(free)...)
	}
	for _, item := range sorted(alone) {
		out, err := s.attempt(alone[item], manner{keysFirst: true, patient: true})
		if err != nil {
			refuseAll(alone[item], err)
			continue
		}
		for i, w := range alone[item] {
			w.done <- &out[i]
		}
	}
	return back
}

// probe asks for each item of the batch alone whether its row is free.
func (s *Service) probe(batch []*waiting) map[id.Item]bool {
	locked := map[id.Item]bool{}
	for _, w := range batch {
		locked[w.claim.Item] = false
	}
	for _, item := range sorted(locked) {
		err := s.DB.Tx(context.Background(), func(tx *database.Tx) error {
			var one id.Item
			return tx.Raw("SELECT id FROM items WHERE id = ?"+tx.Dialect.NoWait, item).Scan(&one).Error
		})
		locked[item] = err != nil
	}
	return locked
}

func (s *Service) attempt(group []*waiting, how manner) (out []Outcome, err error) {
	claims := make([]Claim, len(group))
	var b *batch
	started := time.Now()
	s.flights.Add(1)
	defer s.flights.Add(1)
	err = s.DB.Burst(context.Background(), func(tx *database.Tx) (err error) {
		for i, w := range group {
			claims[i] = w.claim
		}
		b, out, err = s.grant(tx, claims, how)
		database.KillPoint("claim:granted")
		return err
	})
	if err == nil {
		s.shelves.learn(b, claims, out, started)
	}
	return out, err
}
