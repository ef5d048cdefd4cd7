package settlement

import (
	"context"
	"errors"

	"siyu/internal/database"
	"siyu/internal/id"
)

type closeJob struct {
	Settlement id.Settlement `json:"settlement"`
}

func (closeJob) Kind() string { return "settlement:close" }

// RunClose is the closing job. It reads the state and does the next step until
// the settlement is sealed, so it may be cut off anywhere, run again, or run
// twice at the same time.
func (s *Service) RunClose(ctx context.Context, sid id.Settlement) error {
	for {
		st, err := find(s.DB.Read(ctx), sid)
		if err != nil {
			return err
		}
		switch st.Status {
		case StatusClosing:
			err = s.collect(ctx, st)
		case StatusSealing:
			err = s.seal(ctx, st)
		default:
			return nil
		}
		if err != nil && !errors.Is(err, errMoved) {
			return err
		}
	}
}

// errMoved says that another run of the job took the settlement a step on.
var errMoved = errors.New("settlement: another run has moved it on")

// collect passes over all sources of lines until a full pass adds none, then
// freezes.
func (s *Service) collect(ctx context.Context, st Settlement) error {
	if st.OnRequest == 0 {
		if err := s.mark(ctx, st); err != nil {
			return err
		}
	}
	for {
		added, err := s.takeRequested(ctx, st)
		if err != nil {
			return err
		}
		if st.OnRequest == 0 {
			n, err := s.takeRewards(ctx, st)
			if err != nil {
				return err
			}
			added += n
		}
		for _, next := range []source{clawbacks, failures, debts} {
			n, err := s.drain(ctx, st, next)
			if err != nil {
				return err
			}
			added += n
		}
		n, err := s.deferDebts(ctx, st)
		if err != nil {
			return err
		}
		if added+n == 0 {
			return s.freeze(ctx, st.ID)
		}
	}
}

// drain inserts everything one source has, a chunk per transaction.
func (s *Service) drain(ctx context.Context, st Settlement, next source) (int, error) {
	in, err := fixed(s.DB.Read(ctx), st)
	if err != nil {
		return 0, err
	}
	added := 0
	for after := (cursor{}); ; {
		lines, last, err := next(s.DB.Read(ctx), in, after)
		if err != nil || last == after {
			return added, err
		}
		if len(lines) == 0 {
			after = last
			continue
		}
		err = s.DB.Tx(ctx, func(tx *database.Tx) error { return addLines(tx, st.ID, lines) })
		switch {
		case database.IsDuplicate(err):
			// Another settlement took one of them a moment ago: read again
			// from the same place, without those it has committed.
			continue
		case err != nil:
			return added, err
		}
		database.KillPoint("settlement:lines")
		added += len(lines)
		after = last
	}
}

// freeze ends the adding of lines: addLines refuses from here on.
func (s *Service) freeze(ctx context.Context, sid id.Settlement) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		return database.One(tx.Exec("UPDATE settlements SET status = ? WHERE id = ?"+tx.Only("status = ?"),
			StatusSealing, sid, StatusClosing), errMoved)
	})
}
