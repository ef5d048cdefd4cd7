// Package secret is the house's key set.
//
// Each use (invite codes, tokens, personal data, webhooks) has one or two live
// keys with ids: the first signs and seals, both verify and open, so that a
// key can be rotated without a moment in which something valid is refused.
// Keys come from a file or the environment; on an embedded store they are made
// on the first start and kept beside the data. Nothing here is ever logged.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Use is what a key is for.
type Use string

// The uses.
const (
	Codes    Use = "codes"
	Tokens   Use = "tokens"
	PII      Use = "pii"
	Webhooks Use = "webhooks"
)

// Uses lists every use a set must have a key for.
func Uses() []Use { return []Use{Codes, Tokens, PII, Webhooks} }

// Key is one secret of at least 32 bytes with its id.
type Key struct {
	ID     string
	Use    Use
	Secret []byte
}

// Set holds the live keys of every use.
type Set struct{ keys map[Use][]live }

type live struct {
	id   string
	mac  []byte
	aead cipher.AEAD
}

// idForm keeps ids free of the separators that tokens and codes are cut at.
var idForm = regexp.MustCompile(`^[0-9A-Za-z]{1,8}$`)

// New checks the keys: one or two per use, ids of 1 to 8 letters or digits
// unique within the use, 32 bytes or more each.
func New(keys []Key) (*Set, error) {
	s := &Set{keys: map[Use][]live{}}
	for _, k := range keys {
		if len(k.Secret) < 32 {
			return nil, fmt.Errorf("secrets: key %q for %s has %d bytes; give it at least 32", k.ID, k.Use, len(k.Secret))
		}
		if !idForm.MatchString(k.ID) {
			return nil, fmt.Errorf("secrets: key id %q for %s must have 1 to 8 letters or digits", k.ID, k.Use)
		}
		if !slices.Contains(Uses(), k.Use) {
			return nil, fmt.Errorf("secrets: key %q is for %q; use one of %v", k.ID, k.Use, Uses())
		}
		for _, other := range s.keys[k.Use] {
			if other.id == k.ID {
				return nil, fmt.Errorf("secrets: two keys for %s have the id %q", k.Use, k.ID)
			}
		}
		l, err := derive(k)
		if err != nil {
			return nil, err
		}
		s.keys[k.Use] = append(s.keys[k.Use], l)
	}
	for _, u := range Uses() {
		if n := len(s.keys[u]); n < 1 || n > 2 {
			return nil, fmt.Errorf("secrets: %s has %d keys; give it one, or two while rotating", u, n)
		}
	}
	return s, nil
}

func derive(k Key) (live, error) {
	mac, err := hkdf.Key(sha256.New, k.Secret, nil, "siyu mac "+string(k.Use), 32)
	if err != nil {
		return live{}, fmt.Errorf("secrets: derive: %w", err)
	}
	seal, err := hkdf.Key(sha256.New, k.Secret, nil, "siyu seal "+string(k.Use), 32)
	if err != nil {
		return live{}, fmt.Errorf("secrets: derive: %w", err)
	}
	block, err := aes.NewCipher(seal)
	if err != nil {
		return live{}, fmt.Errorf("secrets: derive: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return live{}, fmt.Errorf("secrets: derive: %w", err)
	}
	return live{k.ID, mac, aead}, nil
}

// Fresh makes a set of random keys, one per use.
func Fresh() []Key {
	keys := make([]Key, 0, 4)
	for _, u := range Uses() {
		b := make([]byte, 32)
		rand.Read(b)
		keys = append(keys, Key{ID: "k1", Use: u, Secret: b})
	}
	return keys
}

// Sign returns the id of the signing key and the MAC of msg.
func (s *Set) Sign(u Use, msg []byte) (kid string, mac []byte) {
	k := s.keys[u][0]
	return k.id, sum(k.mac, msg)
}

// Verify says whether mac is that of msg under the key named kid.
func (s *Set) Verify(u Use, kid string, msg, mac []byte) bool {
	for _, k := range s.keys[u] {
		if k.id == kid {
			return hmac.Equal(sum(k.mac, msg), mac)
		}
	}
	return false
}

// MACs returns the MAC of msg under every live key, the signing one first;
// for look-ups by keyed hash and for check symbols that carry no key id.
func (s *Set) MACs(u Use, msg []byte) [][]byte {
	out := make([][]byte, 0, 2)
	for _, k := range s.keys[u] {
		out = append(out, sum(k.mac, msg))
	}
	return out
}

func sum(key, msg []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(msg)
	return h.Sum(nil)
}

var errOpen = errors.New("secrets: sealed text cannot be opened with the live keys")

// Seal encrypts text, bound to what it belongs to.
func (s *Set) Seal(u Use, text, belongs []byte) []byte {
	k := s.keys[u][0]
	nonce := make([]byte, k.aead.NonceSize())
	rand.Read(nonce)
	head := append([]byte{byte(len(k.id))}, k.id...)
	return k.aead.Seal(append(head, nonce...), nonce, text, belongs)
}

// Open decrypts what Seal made for the same belongs.
func (s *Set) Open(u Use, sealed, belongs []byte) ([]byte, error) {
	if len(sealed) < 1 || len(sealed) < 1+int(sealed[0]) {
		return nil, errOpen
	}
	n := int(sealed[0])
	kid, body := string(sealed[1:1+n]), sealed[1+n:]
	for _, k := range s.keys[u] {
		if k.id == kid && len(body) >= k.aead.NonceSize() {
			nonce, box := body[:k.aead.NonceSize()], body[k.aead.NonceSize():]
			if text, err := k.aead.Open(nil, nonce, box, belongs); err == nil {
				return text, nil
			}
		}
	}
	return nil, errOpen
}
