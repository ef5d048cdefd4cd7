package access

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
)

// GuestCookie is the cookie that carries a guest's token.
const GuestCookie = "siyu_guest"

const (
	// MemberTokenFor is the longest a member token lives; it may be used again
	// within it, the Idempotency-Key stops doubles.
	MemberTokenFor = 15 * time.Minute
	// GuestFor is how long a browser is remembered as one guest.
	GuestFor = 365 * 24 * time.Hour
)

// audience is what a token is for; one never serves as another.
type audience byte

const (
	audMember audience = 'm'
	audGuest  audience = 'g'
)

const (
	tokenPrefix = "mt_siyu_"
	nonceBytes  = 12
	tokenBytes  = 1 + 8 + 8 + 8 + nonceBytes // audience, member, issue, expiry, nonce
	macBytes    = 32
)

// IssueMemberToken makes a token with which the mall lets its member act here.
func (s *Service) IssueMemberToken(_ context.Context, member id.Member, ttl time.Duration) (string, error) {
	var c fault.Check
	c.Range(int64(ttl/time.Second), "ttl_seconds", 1, int64(MemberTokenFor/time.Second))
	if err := c.Err(); err != nil {
		return "", err
	}
	return s.sign(audMember, member, ttl), nil
}

// Member is whom a member token names.
func (s *Service) Member(token string) (id.Member, error) {
	m, _, err := s.MemberSince(token)
	return m, err
}

// MemberSince is whom a member token names, and since when it says so.
func (s *Service) MemberSince(token string) (id.Member, clock.Milli, error) {
	return s.open(audMember, token)
}

// GuestToken is the value of a guest's cookie.
func (s *Service) GuestToken(guest id.Member) string { return s.sign(audGuest, guest, GuestFor) }

// Guest is whom a guest's cookie names.
func (s *Service) Guest(token string) (id.Member, error) {
	m, _, err := s.open(audGuest, token)
	return m, err
}

// sign lays the token out as prefix, key id, payload and MAC. Each key id is
// its own key, so the MAC need not cover it.
func (s *Service) sign(aud audience, member id.Member, ttl time.Duration) string {
	p := make([]byte, tokenBytes)
	p[0] = byte(aud)
	binary.BigEndian.PutUint64(p[1:], uint64(member))
	now := s.DB.Clock.Now()
	binary.BigEndian.PutUint64(p[9:], uint64(clock.MilliOf(now)))
	binary.BigEndian.PutUint64(p[17:], uint64(clock.MilliOf(now.Add(ttl))))
	rand.Read(p[25:])
	kid, mac := s.Secrets.Sign(secret.Tokens, p)
	return tokenPrefix + kid + "." + base64.RawURLEncoding.EncodeToString(append(p, mac...))
}

func (s *Service) open(aud audience, token string) (id.Member, clock.Milli, error) {
	body, ok := strings.CutPrefix(token, tokenPrefix)
	kid, text, cut := strings.Cut(body, ".")
	if !ok || !cut || len(text) != base64.RawURLEncoding.EncodedLen(tokenBytes+macBytes) {
		return 0, 0, ErrCredentials
	}
	// Strict: the unused bits of the last symbol must be zero, so that a token
	// has one written form.
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return 0, 0, ErrCredentials
	}
	p, mac := b[:tokenBytes], b[tokenBytes:]
	if !s.Secrets.Verify(secret.Tokens, kid, p, mac) {
		return 0, 0, ErrCredentials
	}
	issued, expires := clock.Milli(binary.BigEndian.Uint64(p[9:])), clock.Milli(binary.BigEndian.Uint64(p[17:]))
	if audience(p[0]) != aud || expires <= clock.MilliOf(s.DB.Clock.Now()) {
		return 0, 0, ErrCredentials
	}
	return id.Member(binary.BigEndian.Uint64(p[1:])), issued, nil
}
