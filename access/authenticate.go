package access

import (
	"context"
	"sync"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Staleness is how long a revoked key may still be accepted by a process that
// did not revoke it.
const Staleness = 5 * time.Second

// cachedKeys bounds the cache; beyond it everything is asked anew.
const cachedKeys = 4096

// keyCache keeps who a key belongs to for Staleness of wall time. It holds
// only keys that were accepted, by their hash.
type keyCache struct {
	mu   sync.Mutex
	seen map[string]cachedKey
	wall func() time.Time // time.Now, but for tests of this package
	turn int              // counts clears, so that a look-up begun before one stores nothing
}

type cachedKey struct {
	actor   database.Actor
	expires clock.Milli
	until   time.Time
}

func (k *keyCache) now() time.Time {
	if k.wall != nil {
		return k.wall()
	}
	return time.Now()
}

func (k *keyCache) get(hash string) (cachedKey, int, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.seen[hash]
	return c, k.turn, ok && k.now().Before(c.until)
}

func (k *keyCache) put(hash string, c cachedKey, turn int, asked time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if turn != k.turn {
		return
	}
	if k.seen == nil || len(k.seen) >= cachedKeys {
		k.seen = map[string]cachedKey{}
	}
	c.until = asked.Add(Staleness)
	k.seen[hash] = c
}

func (k *keyCache) clear() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen = nil
	k.turn++
}

// Authenticate is the staff member behind an API key.
func (s *Service) Authenticate(ctx context.Context, bearer string) (database.Actor, error) {
	if !wellFormed(bearer) {
		return database.Actor{}, ErrCredentials
	}
	hash := keyHash(bearer)
	now := s.DB.Clock.Now()
	c, turn, ok := s.cache.get(hash)
	if !ok {
		asked := s.cache.now()
		var err error
		if c, err = s.lookUp(ctx, hash); err != nil {
			return database.Actor{}, err
		}
		s.cache.put(hash, c, turn, asked)
	}
	if c.expires != 0 && c.expires <= clock.MilliOf(now) {
		return database.Actor{}, ErrCredentials
	}
	return c.actor, nil
}

func (s *Service) lookUp(ctx context.Context, hash string) (cachedKey, error) {
	q := s.DB.Read(ctx)
	var row struct {
		KeyID       id.APIKey
		StaffID     id.Staff
		Role        Role
		UnitID      id.Unit
		ExpiresAt   clock.Milli
		LastUsedDay int
	}
	err := q.Raw(`SELECT k.id AS key_id, p.id AS staff_id, p.role, p.unit_id, k.expires_at, k.last_used_day
		FROM api_keys k JOIN staff p ON p.id = k.staff_id
		WHERE k.hash = ? AND k.status = ? AND p.status = ?`, hash, KeyActive, StaffActive).Scan(&row).Error
	if err != nil {
		return cachedKey{}, err
	}
	if row.KeyID == 0 {
		return cachedKey{}, ErrCredentials
	}
	actor, err := staffActor(q, row.StaffID, row.Role, row.UnitID)
	if err != nil {
		return cachedKey{}, err
	}
	actor.Key = row.KeyID
	if today := clock.Day(s.DB.Clock.Now(), time.UTC); row.LastUsedDay != today {
		if err := s.markUsed(ctx, row.KeyID, today); err != nil {
			return cachedKey{}, err
		}
	}
	return cachedKey{actor: actor, expires: row.ExpiresAt}, nil
}

// staffActor is a colleague as an actor, who sees his unit and all below it.
func staffActor(q *database.Query, staff id.Staff, role Role, in id.Unit) (database.Actor, error) {
	unit, err := findUnit(q, database.Actor{}, in)
	if err != nil {
		return database.Actor{}, err
	}
	units, err := subtree(q, unit)
	if err != nil {
		return database.Actor{}, err
	}
	return database.Actor{Kind: database.ActorStaff, Staff: staff, Role: string(role), Unit: in, Units: units, Own: role == GroupOwner}, nil
}

// markUsed notes once a day that the key is in use, so that idle keys can be
// found and revoked.
func (s *Service) markUsed(ctx context.Context, key id.APIKey, day int) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		return tx.Exec("UPDATE api_keys SET last_used_day = ? WHERE id = ? AND last_used_day < ?", day, key, day).Error
	})
}
