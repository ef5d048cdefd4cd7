package wallet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
)

const closeColumns = "no, day_no, until_at, status, transfer_count, entry_count, late_count, rows_digest, previous, digest, opened_by, opened_at, sealed_at"

// FindClose is the close of a day with its lines and balances.
func (s *Service) FindClose(ctx context.Context, day int) (Close, error) {
	if err := SeesBooks(ctx); err != nil {
		return Close{}, err
	}
	var c Close
	q := s.DB.Read(ctx)
	err := q.Raw("SELECT "+closeColumns+" FROM ledger_closes WHERE day_no = ?", day).Scan(&c).Error
	if err != nil {
		return Close{}, fmt.Errorf("wallet: close of %d: %w", day, err)
	}
	if c.No == 0 {
		return Close{}, fault.NotFound
	}
	return detailed(q, c)
}

// ListCloses pages the closes, newest first, without lines and balances.
func (s *Service) ListCloses(ctx context.Context, page database.Page) (database.Paged[Close], error) {
	if err := SeesBooks(ctx); err != nil {
		return database.Paged[Close]{}, err
	}
	var list []Close
	err := s.DB.Read(ctx).Raw("SELECT "+closeColumns+" FROM ledger_closes WHERE no < ? ORDER BY no DESC LIMIT ?", page.Bound(), page.Fetch()).Scan(&list).Error
	if err != nil {
		return database.Paged[Close]{}, fmt.Errorf("wallet: closes: %w", err)
	}
	return database.Cut(page, list, func(c Close) int64 { return c.No }), nil
}

// Next is the day that is closed next, and from when on it can be.
type Next struct {
	Day     int
	From    clock.Milli
	Closing bool // a run has begun with it
}

// NextDay is the day after the last that was closed; the first is yesterday,
// with all before it. Day 0: nothing is booked yet.
func (s *Service) NextDay(ctx context.Context) (Next, error) {
	if err := SeesBooks(ctx); err != nil {
		return Next{}, err
	}
	q, now := s.DB.Read(ctx), clock.MilliOf(s.DB.Clock.Now())
	last, err := lastClose(q)
	if err != nil {
		return Next{}, fmt.Errorf("wallet: the last close: %w", err)
	}
	day := last.Day
	switch {
	case last.No == 0:
		var first struct{ ID int64 }
		if err := q.Raw("SELECT id FROM transfers WHERE close_no = 0 ORDER BY at LIMIT 1").Scan(&first).Error; err != nil || first.ID == 0 {
			return Next{}, err
		}
		day, err = pointsDay(now.Add(-24 * time.Hour))
	case last.Status == CloseSealed:
		day, err = dayAfter(last.Day)
	}
	if err != nil {
		return Next{}, err
	}
	until, err := dayEnd(day)
	return Next{day, until.Add(closeAfter), last.No != 0 && last.Status != CloseSealed}, err
}

func lastClose(q *database.Query) (c Close, err error) {
	err = q.Raw("SELECT " + closeColumns + " FROM ledger_closes ORDER BY no DESC LIMIT 1").Scan(&c).Error
	return c, err
}

func findClose(q *database.Query, no int64) (c Close, err error) {
	err = q.Raw("SELECT "+closeColumns+" FROM ledger_closes WHERE no = ?", no).Scan(&c).Error
	if err == nil && c.No == 0 {
		err = fmt.Errorf("wallet: there is no close %d", no)
	}
	return c, err
}

// findSealed is a sealed close with its balances; number 0 is before the first.
func findSealed(q *database.Query, no int64) (Close, error) {
	if no == 0 {
		return Close{}, nil
	}
	c, err := findClose(q, no)
	if err != nil {
		return c, err
	}
	if c.Status != CloseSealed {
		return c, fmt.Errorf("wallet: close %d is not sealed", no)
	}
	return detailed(q, c)
}

// sealedBefore is the last close whose day was over then.
func sealedBefore(q *database.Query, at clock.Milli) (Close, error) {
	var no int64
	err := q.Raw("SELECT COALESCE(MAX(no), 0) FROM ledger_closes WHERE status = ? AND until_at <= ?", CloseSealed, at).Scan(&no).Error
	if err != nil {
		return Close{}, err
	}
	return findSealed(q, no)
}

func detailed(q *database.Query, c Close) (Close, error) {
	c.Lines, c.Balances = []CloseLine{}, []CloseBalance{}
	err := errors.Join(
		q.Raw("SELECT kind, stage, owner_kind, currency, entry_count, came, went FROM ledger_close_lines WHERE close_no = ?", c.No).Scan(&c.Lines).Error,
		q.Raw("SELECT stage, owner_kind, currency, opening, moved, closing FROM ledger_close_balances WHERE close_no = ?", c.No).Scan(&c.Balances).Error,
	)
	slices.SortFunc(c.Lines, func(a, b CloseLine) int { return a.key().compare(b.key()) })
	slices.SortFunc(c.Balances, func(a, b CloseBalance) int { return a.key().compare(b.key()) })
	return c, err
}
