package campaign

import (
	"context"
	"log/slog"
	"time"

	"siyu/internal/id"
	"siyu/internal/webhook"
)

// How memory of hot items is kept fresh: looked at every lookEvery while
// somebody asks, dropped when nobody did for dropAfter. Grants of other
// replicas, or from before the start, are read in pages; because ids are not
// in commit order each page begins lookBack before the last one ended.
const (
	lookEvery = 100 * time.Millisecond
	coldAfter = 5 * time.Second
	dropAfter = 10 * time.Minute
	pageMax   = 20_000
	lookBack  = 10_000 << 22 // ten seconds of ids
)

// watchShelves keeps the shelves fresh until the claims end.
func (s *Service) watchShelves() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.stopped:
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		if err := s.look(ctx); err != nil {
			slog.Warn("hot items not looked at; refusals ask the database", "error", err)
		}
		cancel()
	}
}

// look reads the hot items in one statement.
func (s *Service) look(ctx context.Context) error {
	hot := s.shelves.hot(time.Now())
	if len(hot) == 0 {
		s.unheard.Store(false) // unknown; until the next look they are announced
		return nil
	}
	// Where no webhook wants these events, batches write no row to announce
	// them. A webhook that is made now hears of claims from the next look on.
	heard, err := webhook.Wanted(s.DB.Read(ctx), s.claimEvents()...)
	if err != nil {
		return err
	}
	s.unheard.Store(!heard)
	// This process remembers its own grants a moment after they are committed.
	// While a commit is under way the row may therefore count more than memory
	// does, so the two are compared only if none ran; otherwise the next batch
	// compares them under its lock.
	began := s.flights.Load()
	quiet := func() bool { return began%2 == 0 && s.flights.Load() == began }
	var rows []Item
	wall := time.Now() // what is read is at least as new as this
	if err := s.DB.Read(ctx).Raw("SELECT * FROM items WHERE id IN ?", sorted(hot)).Scan(&rows).Error; err != nil {
		return err
	}
	for _, item := range rows {
		sh := hot[item.ID]
		sh.mu.Lock()
		c, partial := sh.campaign, false
		if item.Epoch != sh.item.Epoch {
			sh.seenAt = time.Time{} // the next claim reads the campaign anew
		} else {
			// While an item is selling fast, grants that were just read would
			// be out of date again at once, so those of other replicas are read
			// only when it has calmed down.
			calm := item.Left == 0 || item.Grants == sh.item.Grants
			sh.see(c, item, wall)
			if quiet() {
				sh.compare(item.Grants, wall)
			}
			partial = sh.lacking && calm
		}
		sh.mu.Unlock()
		if partial {
			if err := s.readGrants(ctx, sh); err != nil {
				return err
			}
		}
	}
	return nil
}

// readGrants reads a page of the grants this process did not make.
func (s *Service) readGrants(ctx context.Context, sh *shelf) error {
	sh.mu.Lock()
	from, item := sh.cursor, sh.item.ID
	sh.mu.Unlock()
	var rows []struct {
		ID        int64
		ItemID    id.Item
		ClaimedBy id.Member
		IdemKey   string
	}
	err := s.DB.Read(ctx).Raw("SELECT id, item_id, claimed_by, idem_key FROM orders WHERE id > ? ORDER BY id LIMIT ?", from, pageMax).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return err
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, r := range rows {
		if r.ItemID == item {
			sh.remember(r.ClaimedBy, r.IdemKey)
		}
	}
	sh.cursor = rows[len(rows)-1].ID
	if len(rows) < pageMax {
		sh.cursor = max(from, sh.cursor-lookBack)
	}
	return nil
}

// hot are the shelves somebody asked for lately; those nobody did for long are
// dropped.
func (s *shelves) hot(now time.Time) map[id.Item]*shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[id.Item]*shelf{}
	for item, sh := range s.items {
		sh.mu.Lock()
		idle := now.Sub(sh.askedAt)
		sh.mu.Unlock()
		switch {
		case idle < coldAfter:
			out[item] = sh
		case idle > dropAfter:
			delete(s.items, item)
		}
	}
	return out
}
