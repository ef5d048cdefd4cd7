package review

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/secret"
)

// How long a sighting is kept after the last time, and how many of a member
// one look reads.
const (
	keepNetwork   = 30 * 24 * time.Hour
	keepOther     = 180 * 24 * time.Hour
	sightingsMost = 20
)

// Seen is what a member was seen with. Empty fields say nothing; none is kept
// but as a keyed hash.
type Seen struct {
	Device  string // an opaque name of the device, as the visitor's cookie gives
	Address string // where his goods go, as the mall writes it
	IP      string // only its network is hashed: /24, or /48 of IPv6
}

// hashes are the marks of what was seen.
func (s *Service) hashes(member id.Member, seen Seen) []Mark {
	var out []Mark
	for _, x := range []struct {
		kind MarkKind
		text string
	}{{MarkDevice, seen.Device}, {MarkAddress, plainAddress(seen.Address)}, {MarkNetwork, network(seen.IP)}} {
		if x.text != "" {
			_, mac := s.Secrets.Sign(secret.PII, []byte("sighting "+string(x.kind)+" "+x.text))
			out = append(out, Mark{member, x.kind, hex.EncodeToString(mac)})
		}
	}
	return out
}

// network is the part of an address that its neighbours share.
func network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	bits := 24
	if a = a.Unmap().WithZone(""); a.Is6() {
		bits = 48
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// plainAddress takes out what people write differently: spaces, punctuation
// and the width and case of letters.
func plainAddress(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}

// sightings holds what is not written yet, each mark once. A crash loses at
// most a second of them: a look that misses one still sees the others.
type sightings struct {
	mu      sync.Mutex
	list    map[Mark]clock.Milli
	written map[Mark]clock.Milli // when; what was written today is not written again
}

// Bounds of the buffer, of one write, and of what is remembered as written.
const (
	sightingsHeld   = 10_000
	sightingsAtOnce = 200
	rewriteAfter    = 24 * time.Hour
)

// Sight notes what a member was seen with. It only writes memory; beyond
// 10,000 unwritten marks more are dropped.
func (s *Service) Sight(member id.Member, seen Seen) {
	if member == 0 {
		return
	}
	now := clock.MilliOf(s.DB.Clock.Now())
	marks := s.hashes(member, seen)
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	if s.seen.list == nil {
		s.seen.list, s.seen.written = map[Mark]clock.Milli{}, map[Mark]clock.Milli{}
	}
	for _, m := range marks {
		if at, ok := s.seen.written[m]; ok && at.Add(rewriteAfter) > now || len(s.seen.list) >= sightingsHeld {
			continue
		}
		s.seen.list[m] = now
	}
}

// Flush writes what was noted. What cannot be written is dropped: it will be
// seen again.
func (s *Service) Flush(ctx context.Context) error {
	s.seen.mu.Lock()
	list := s.seen.list
	s.seen.list = nil
	if len(s.seen.written) > sightingsHeld {
		s.seen.written = nil
	}
	if s.seen.written == nil {
		s.seen.written = map[Mark]clock.Milli{}
	}
	for m, at := range list {
		s.seen.written[m] = at
	}
	s.seen.list = map[Mark]clock.Milli{}
	s.seen.mu.Unlock()
	for part := range slices.Chunk(slices.SortedFunc(maps.Keys(list), byMark), sightingsAtOnce) {
		if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return sightTx(tx, part) }); err != nil {
			return err
		}
	}
	return nil
}

// byMark is the one order in which rows are written, so that two replicas do
// not wait for each other.
func byMark(a, b Mark) int {
	return cmp.Or(cmp.Compare(a.Member, b.Member), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Hash, b.Hash))
}

// sightTx writes marks: a new row each, or the moment on the row that stands.
func sightTx(tx *database.Tx, marks []Mark) error {
	for _, m := range marks {
		res := tx.Exec("UPDATE sightings SET last_at = ? WHERE kind = ? AND hash = ? AND member_id = ?", tx.Now, m.Kind, m.Hash, m.Member)
		if res.Error != nil || res.RowsAffected > 0 {
			if res.Error != nil {
				return fmt.Errorf("review: sighting: %w", res.Error)
			}
			continue
		}
		err := tx.Exec("INSERT INTO sightings (id, member_id, kind, hash, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?)",
			tx.Next(), m.Member, m.Kind, m.Hash, tx.Now, tx.Now).Error
		if err != nil && !database.IsDuplicate(err) { // another replica saw it too
			return fmt.Errorf("review: sighting: %w", err)
		}
	}
	return nil
}
