package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// KeyPrefix begins every API key, so that scanners of leaked secrets know one.
const KeyPrefix = "sk_siyu_"

const (
	crockford = "0123456789abcdefghjkmnpqrstvwxyz"
	keyRandom = 32 // symbols of 5 bits: 160 bits
	keyCheck  = 4  // symbols of a CRC, so that a mistyped key costs no query
)

// APIKey is a staff member's key as it is kept; the key itself is not.
type APIKey struct {
	ID          id.APIKey   `json:"id"`
	StaffID     id.Staff    `json:"staff_id"`
	Name        string      `json:"name"`
	Hint        string      `json:"hint"` // its first and last symbols, to tell keys apart
	Hash        string      `json:"-"`
	Status      KeyStatus   `json:"status"`
	CreatedAt   clock.Milli `json:"created_at"`
	ExpiresAt   clock.Milli `json:"expires_at"`
	LastUsedDay int         `json:"last_used_day"` // yyyymmdd, UTC; 0 never
}

// TableName is gorm's.
func (APIKey) TableName() string { return "api_keys" }

// KeyStatus says whether a key is accepted.
type KeyStatus string

// The statuses of a key.
const (
	KeyActive  KeyStatus = "active"
	KeyRevoked KeyStatus = "revoked"
)

// KeyIn is a new key of a staff member; without ExpiresAt it never expires.
type KeyIn struct {
	StaffID   id.Staff    `json:"staff_id"`
	Name      string      `json:"name"`
	ExpiresAt clock.Milli `json:"expires_at"`
}

// Validate checks the input alone.
func (in *KeyIn) Validate() error {
	var c fault.Check
	checkName(&c, in.Name)
	c.That(in.StaffID != 0, "staff_id", "required", "必填", "is required")
	c.That(in.ExpiresAt >= 0, "expires_at", "range", "须在将来", "must lie in the future")
	return c.Err()
}

// AddKey makes a key for a colleague the actor sees. The text is returned this
// once; a replay of the call returns the key's id without it.
func (s *Service) AddKey(ctx context.Context, in KeyIn) (id.APIKey, string, error) {
	var made id.APIKey
	text := newKey()
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		if _, err := findStaff(tx.DB, tx.Actor, in.StaffID); err != nil {
			return err
		}
		if in.ExpiresAt != 0 && in.ExpiresAt <= tx.Now {
			return fault.Invalid.Field("expires_at", "range", "须在将来", "must lie in the future")
		}
		var err error
		if made, err = addKeyTx(tx, in, text); err != nil {
			return err
		}
		tx.SetResult("api_key", int64(made), 201)
		return nil
	})
	if err != nil {
		return 0, "", err
	}
	return made, text, nil
}

func addKeyTx(tx *database.Tx, in KeyIn, text string) (id.APIKey, error) {
	k := APIKey{
		ID: id.APIKey(tx.Next()), StaffID: in.StaffID, Name: in.Name,
		Hint: text[:len(KeyPrefix)+4] + "…" + text[len(text)-4:], Hash: keyHash(text),
		Status: KeyActive, CreatedAt: tx.Now, ExpiresAt: in.ExpiresAt,
	}
	if err := tx.Create(&k).Error; err != nil {
		return 0, fmt.Errorf("access: add key: %w", err)
	}
	return k.ID, database.AuditTx(tx, "api_key.add", k.ID, nil, k)
}

// RevokeKey ends a key for good; revoking it again changes nothing.
func (s *Service) RevokeKey(ctx context.Context, key id.APIKey) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		k, err := findKey(tx.DB, tx.Actor, key)
		if err != nil {
			return err
		}
		if k.Status == KeyRevoked {
			return nil
		}
		if err := database.One(tx.Exec("UPDATE api_keys SET status = ? WHERE id = ?", KeyRevoked, key), fault.NotFound); err != nil {
			return err
		}
		tx.AfterCommit(s.cache.clear)
		return database.AuditTx(tx, "api_key.revoke", key, k, nil)
	})
}

// FindKey is the key without its text, if the actor sees its owner.
func (s *Service) FindKey(ctx context.Context, key id.APIKey) (APIKey, error) {
	return findKey(s.DB.Read(ctx), database.ActorOf(ctx), key)
}

func findKey(q *database.Query, actor database.Actor, key id.APIKey) (APIKey, error) {
	cond, args := actor.Within("p.unit_id")
	var k APIKey
	err := q.Raw("SELECT k.* FROM api_keys k JOIN staff p ON p.id = k.staff_id WHERE k.id = ?"+cond, append([]any{key}, args...)...).Take(&k).Error
	return k, database.Absent(err)
}

// ListKeys are the keys of the colleagues the actor sees, newest first.
func (s *Service) ListKeys(ctx context.Context, page database.Page) (database.Paged[APIKey], error) {
	cond, args := database.ActorOf(ctx).Within("p.unit_id")
	var rows []APIKey
	err := s.DB.Read(ctx).Raw("SELECT k.* FROM api_keys k JOIN staff p ON p.id = k.staff_id WHERE k.id < ?"+cond+" ORDER BY k.id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	return database.Cut(page, rows, func(k APIKey) int64 { return int64(k.ID) }), err
}

// newKey is prefix, 160 random bits and a check, all lower case.
func newKey() string {
	b := make([]byte, keyRandom)
	rand.Read(b)
	for i := range b {
		b[i] = crockford[b[i]&31]
	}
	body := KeyPrefix + string(b)
	return body + checkOf(body)
}

func checkOf(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	var b [keyCheck]byte
	for i := range b {
		b[i] = crockford[sum&31]
		sum >>= 5
	}
	return string(b[:])
}

// wellFormed says whether the text could be a key at all.
func wellFormed(text string) bool {
	if len(text) != len(KeyPrefix)+keyRandom+keyCheck || !strings.HasPrefix(text, KeyPrefix) {
		return false
	}
	cut := len(text) - keyCheck
	return checkOf(text[:cut]) == text[cut:]
}

// keyHash is enough for a text of 160 random bits; it needs no slow hash.
func keyHash(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}
