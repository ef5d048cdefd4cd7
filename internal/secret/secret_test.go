package secret

import (
	"bytes"
	"strings"
	"testing"
)

func mustNew(t *testing.T, keys []Key) *Set {
	t.Helper()
	s, err := New(keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rotated is the set after a new key was put in front of each old one.
func rotated(t *testing.T, old []Key) (both, last *Set) {
	t.Helper()
	fresh := Fresh()
	for i := range fresh {
		fresh[i].ID = "k2"
	}
	return mustNew(t, append(fresh, old...)), mustNew(t, fresh)
}

func TestRotation(t *testing.T) {
	keys := Fresh()
	old := mustNew(t, keys)
	both, last := rotated(t, keys)
	for _, u := range Uses() {
		msg, belongs := []byte("hello"), []byte("mem_1")
		kid, mac := old.Sign(u, msg)
		sealed := old.Seal(u, msg, belongs)
		if kid != "k1" || !old.Verify(u, kid, msg, mac) {
			t.Errorf("%s: the set does not verify its own", u)
		}
		t.Run(string(u)+" while rotating the old is still good", func(t *testing.T) {
			if !both.Verify(u, kid, msg, mac) {
				t.Error("signature refused")
			}
			if got, err := both.Open(u, sealed, belongs); err != nil || !bytes.Equal(got, msg) {
				t.Errorf("got %q (%v)", got, err)
			}
			if k, _ := both.Sign(u, msg); k != "k2" {
				t.Errorf("signed by %s, want the first key", k)
			}
			if got := both.MACs(u, msg); len(got) != 2 || !bytes.Equal(got[1], mac) {
				t.Error("MACs lack the old key's")
			}
		})
		t.Run(string(u)+" afterwards it is refused", func(t *testing.T) {
			if last.Verify(u, kid, msg, mac) {
				t.Error("signature accepted")
			}
			if _, err := last.Open(u, sealed, belongs); err == nil {
				t.Error("opened")
			}
		})
	}
}

func TestUsesAreApart(t *testing.T) {
	one := bytes.Repeat([]byte{7}, 32)
	var keys []Key
	for _, u := range Uses() {
		keys = append(keys, Key{ID: "k1", Use: u, Secret: one})
	}
	s := mustNew(t, keys)
	seen := map[string]Use{}
	for _, u := range Uses() {
		_, mac := s.Sign(u, []byte("m"))
		if other, twice := seen[string(mac)]; twice {
			t.Errorf("%s and %s sign alike under one secret", u, other)
		}
		seen[string(mac)] = u
	}
	if _, err := s.Open(Tokens, s.Seal(PII, []byte("x"), nil), nil); err == nil {
		t.Error("what was sealed for one use opens for another")
	}
}

func TestOpenRefuses(t *testing.T) {
	s := mustNew(t, Fresh())
	sealed := s.Seal(PII, []byte("王伟"), []byte("mem_1"))
	if bytes.Equal(sealed, s.Seal(PII, []byte("王伟"), []byte("mem_1"))) {
		t.Error("sealing twice gives the same bytes")
	}
	if _, err := s.Open(PII, sealed, []byte("mem_2")); err == nil {
		t.Error("opened for somebody else")
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := s.Open(PII, bad, []byte("mem_1")); err == nil {
			t.Errorf("opened with byte %d changed", i)
		}
		if _, err := s.Open(PII, sealed[:i], []byte("mem_1")); err == nil {
			t.Errorf("opened when cut to %d bytes", i)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	s := mustNew(t, Fresh())
	kid, mac := s.Sign(Tokens, []byte("m"))
	for name, ok := range map[string]bool{
		"another message": s.Verify(Tokens, kid, []byte("n"), mac),
		"another key":     s.Verify(Tokens, "k9", []byte("m"), mac),
		"another use":     s.Verify(Codes, kid, []byte("m"), mac),
		"a cut MAC":       s.Verify(Tokens, kid, []byte("m"), mac[:16]),
		"no MAC":          s.Verify(Tokens, kid, []byte("m"), nil),
	} {
		if ok {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	with := func(change func(keys []Key) []Key) error {
		_, err := New(change(Fresh()))
		return err
	}
	long := bytes.Repeat([]byte{1}, 32)
	for name, err := range map[string]error{
		"short":      with(func(k []Key) []Key { k[0].Secret = k[0].Secret[:31]; return k }),
		"no id":      with(func(k []Key) []Key { k[0].ID = ""; return k }),
		"long id":    with(func(k []Key) []Key { k[0].ID = "123456789"; return k }),
		"odd id":     with(func(k []Key) []Key { k[0].ID = "k.1"; return k }),
		"same id":    with(func(k []Key) []Key { return append(k, Key{"k1", Codes, long}) }),
		"three keys": with(func(k []Key) []Key { return append(k, Key{"a", Codes, long}, Key{"b", Codes, long}) }),
		"a use less": with(func(k []Key) []Key { return k[1:] }),
		"a use more": with(func(k []Key) []Key { return append(k, Key{"k1", "cookies", long}) }),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if strings.Contains(err.Error(), string(long)) || strings.ContainsRune(err.Error(), '\n') {
			t.Errorf("%s: %q shows a secret or breaks the line", name, err)
		}
	}
}
