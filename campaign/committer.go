package campaign

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"siyu/internal/database"
	"siyu/internal/fault"
)

// Bounds of the committer: how many claims may wait, and how many one
// transaction takes.
const (
	queueMax = 4096
	batchMax = 256
)

// waiting is a claim with the channel its caller waits on.
type waiting struct {
	claim Claim
	done  chan Outcome
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

// commitLoop takes the claims that arrived while the last commit ran and
// grants them in one transaction.
func (s *Service) commitLoop() {
	defer close(s.stopped)
	batch := make([]*waiting, 0, batchMax)
	for first := range s.queue {
		batch = append(batch[:0], first)
	more:
		for len(batch) < batchMax {
			select {
			case w, ok := <-s.queue:
				if !ok {
					break more
				}
				batch = append(batch, w)
			default:
				break more
			}
		}
		s.commit(batch)
	}
}

// commit grants a batch and answers everyone with his own result. Replayed
// keys are rare, so the unique index finds them: then, and only then, the batch
// runs again with all its keys looked up first. A batch that fails as a whole
// is run again in halves, so that one bad claim refuses only itself.
func (s *Service) commit(batch []*waiting) {
	out, err := s.attempt(batch, keysAfter)
	if database.IsDuplicate(err) {
		out, err = s.attempt(batch, keysFirst)
	}
	database.KillPoint("claim:committed")
	if err != nil && len(batch) > 1 && !errors.Is(err, database.ErrCommitUnknown) {
		s.commit(batch[:len(batch)/2])
		s.commit(batch[len(batch)/2:])
		return
	}
	if err != nil {
		slog.Error("claims not committed", "claims", len(batch), "error", err)
	}
	for i, w := range batch {
		if err != nil {
			w.done <- Outcome{Refusal: fault.Unavailable.Wrap(err)}
			continue
		}
		w.done <- out[i]
	}
}

func (s *Service) attempt(group []*waiting, keys keyLookup) (out []Outcome, err error) {
	claims := make([]Claim, len(group))
	var b *batch
	started := time.Now()
	err = s.DB.Burst(context.Background(), func(tx *database.Tx) (err error) {
		for i, w := range group {
			claims[i] = w.claim
		}
		b, out, err = s.grant(tx, claims, keys)
		database.KillPoint("claim:granted")
		return err
	})
	if err == nil {
		s.shelves.learn(b, claims, out, started)
	}
	return out, err
}
