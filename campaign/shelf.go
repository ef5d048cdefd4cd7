package campaign

import (
	"hash/maphash"
	"sync"
	"time"

	"siyu/internal/clock"
	"siyu/internal/id"
)

// Bounds of what a process remembers of the items it sells.
const (
	// freshFor is how old an answer from memory may be.
	freshFor = 200 * time.Millisecond
	// foreignFor is how long after another replica's grant a key that is not
	// remembered may yet be one of its.
	foreignFor = time.Second
	// shelfMax is how many grants and members of one item are remembered.
	shelfMax = 1 << 20
)

// shelves are what a process remembers of its hot items, so that most refusals
// need no database: not running, wrong quantity, limit reached, sold out. It is
// as old as the commit or the look that wrote it, at most freshFor; anything
// older, unknown or possibly granted before goes to the committer, which
// decides under the lock. So memory may refuse for freshFor too long, and
// never grants.
type shelves struct {
	mu    sync.RWMutex
	items map[id.Item]*shelf
}

// shelf is one item as last seen.
type shelf struct {
	mu       sync.Mutex
	campaign Campaign
	item     Item
	seenAt   time.Time
	askedAt  time.Time
	forgot   time.Time              // what was read before this is not believed
	foreign  time.Time              // when grants of another replica were last noticed
	lacking  bool                   // some grants are not remembered
	keys     map[uint64]struct{}    // of the grants; whole when as many as the item counts
	takers   map[id.Member]struct{} // who claimed them
	cursor   int64                  // up to which order id grants were read from the database
	room     map[id.Member]int      // pieces a member may yet have, as last decided
}

// seed makes the hashes of keys unguessable from outside.
var seed = maphash.MakeSeed()

func hashKey(by id.Member, key string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	maphash.WriteComparable(&h, by)
	h.WriteString(key)
	return h.Sum64()
}

func (s *shelves) find(item id.Item) *shelf {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.items[item]
}

// refuse is the refusal memory can give, or nil: then the committer decides.
func (s *shelves) refuse(c *Claim, kinds map[string]Kind, now clock.Milli, wall time.Time) error {
	sh := s.find(c.Item)
	if sh == nil {
		return nil
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.askedAt = wall
	if wall.Sub(sh.seenAt) > freshFor || !sh.whole() || wall.Sub(sh.foreign) < foreignFor || c.Campaign != sh.campaign.ID {
		return nil
	}
	if _, granted := sh.keys[hashKey(c.By, c.Key)]; granted {
		return nil // its own order, or another input under the same key
	}
	if err := open(kinds[sh.campaign.Kind], &sh.campaign, &sh.item, c, now); err != nil {
		return err
	}
	if room, known := sh.room[c.Member]; known && c.Qty > room {
		return ErrLimit.With("limit", sh.item.PerMember)
	}
	if sh.item.Free() < int64(c.Qty) {
		return ErrSoldOut
	}
	return sh.item.sessionRoom(&sh.campaign, now, 0, c.Qty)
}

// whole says whether every grant of the item is remembered.
func (sh *shelf) whole() bool { return int64(len(sh.keys)) == sh.item.Grants }

// learn remembers what a batch decided, once it is committed.
func (s *shelves) learn(b *batch, claims []Claim, out []Outcome, wall time.Time) {
	granted, stale := map[id.Item][]Order{}, map[id.Item]bool{}
	for _, o := range b.granted {
		granted[o.ItemID] = append(granted[o.ItemID], o)
	}
	for item, locked := range b.items {
		sh := s.shelf(b.campaigns[locked.CampaignID], locked)
		sh.mu.Lock()
		now := locked
		now.Left -= b.taken[item]
		now.Held += b.taken[item]
		now.Grants += int64(len(granted[item]))
		camp := b.campaigns[locked.CampaignID]
		if pieces, joined := b.joined[item]; joined {
			now.joinSession(&camp, b.now, pieces)
		}
		if b.taken[item] > 0 {
			now.Version++
		}
		// The locked row counts grants this process does not know: another
		// replica's, or those from before the start.
		sh.compare(locked.Grants, wall)
		stale[item] = !sh.see(b.campaigns[locked.CampaignID], now, wall)
		for _, o := range granted[item] {
			sh.remember(o.ClaimedBy, o.IdemKey)
		}
		sh.mu.Unlock()
	}
	for i, c := range claims {
		item := b.items[c.Item]
		if item.PerMember == 0 || out[i].Replayed || stale[c.Item] {
			continue
		}
		sh := s.find(c.Item)
		sh.mu.Lock()
		if len(sh.room) > shelfMax {
			clear(sh.room)
		}
		at := place{c.Item, c.Member}
		sh.room[c.Member] = item.PerMember + b.brought[at] - b.holds[at]
		sh.mu.Unlock()
	}
}

// shelf is the item's place in memory, made when it is first sold.
func (s *shelves) shelf(c Campaign, item Item) *shelf {
	if sh := s.find(item.ID); sh != nil {
		return sh
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.items[item.ID]
	if sh == nil {
		if s.items == nil {
			s.items = map[id.Item]*shelf{}
		}
		sh = &shelf{
			campaign: c, item: item, askedAt: time.Now(), cursor: int64(c.ID),
			keys: map[uint64]struct{}{}, takers: map[id.Member]struct{}{}, room: map[id.Member]int{},
		}
		s.items[item.ID] = sh
	}
	return sh
}

// see takes a newer state of the item, read after wall, and says whether it
// was one.
func (sh *shelf) see(c Campaign, item Item, wall time.Time) bool {
	if item.Version < sh.item.Version || wall.Before(sh.forgot) {
		return false // an older look that came late
	}
	if item.Freed != sh.item.Freed || item.Epoch != sh.item.Epoch {
		clear(sh.room) // somebody may have room again
	}
	sh.campaign, sh.item, sh.seenAt = c, item, wall
	return true
}

// compare notes whether the item's row counts more grants than this process
// remembers. It is asked only while no commit of this process is under way.
func (sh *shelf) compare(grants int64, wall time.Time) {
	if sh.lacking = grants > int64(len(sh.keys)) && len(sh.keys) < shelfMax; sh.lacking {
		sh.foreign = wall
	}
}

// forget makes the next claim of the item ask the database.
func (s *shelves) forget(item id.Item) {
	if sh := s.find(item); sh != nil {
		sh.mu.Lock()
		sh.seenAt, sh.forgot = time.Time{}, time.Now()
		sh.mu.Unlock()
	}
}

func (sh *shelf) remember(by id.Member, key string) {
	if len(sh.keys) < shelfMax {
		sh.keys[hashKey(by, key)] = struct{}{}
		sh.takers[by] = struct{}{}
	}
}

// mayHold says of which members a batch must read what they hold, and how many
// grants of each item memory knows. A member without a remembered grant of an
// item holds nothing of it, provided that the locked row counts no more grants
// than memory does. It answers nil where memory is not complete.
func (s *shelves) mayHold(claims []Claim, wall time.Time) (ask map[id.Member]bool, sure map[id.Item]int64) {
	ask, sure = map[id.Member]bool{}, map[id.Item]int64{}
	for _, c := range claims {
		sh := s.find(c.Item)
		if sh == nil || !sh.held(c.Member, wall, ask, sure) {
			return nil, nil
		}
	}
	return ask, sure
}

func (sh *shelf) held(m id.Member, wall time.Time, ask map[id.Member]bool, sure map[id.Item]int64) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.lacking || wall.Sub(sh.foreign) < foreignFor || len(sh.keys) >= shelfMax {
		return false
	}
	if _, took := sh.takers[m]; took {
		ask[m] = true
	}
	sure[sh.item.ID] = int64(len(sh.keys))
	return true
}
