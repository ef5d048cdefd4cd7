package access

import (
	"errors"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
)

func milli(db *database.DB, in time.Duration) clock.Milli {
	return clock.MilliOf(db.Clock.Now().Add(in))
}

// clocked is a service whose tokens need a clock and keys alone.
func clocked(t testing.TB, keys []secret.Key) *Service {
	t.Helper()
	set, err := secret.New(keys)
	if err != nil {
		t.Fatal(err)
	}
	return &Service{DB: &database.DB{Clock: clock.At(dbtest.Start)}, Secrets: set}
}

func TestToken(t *testing.T) {
	s := clocked(t, secret.Fresh())
	const who = id.Member(42)
	token, err := s.IssueMemberToken(bg, who, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("names its member, again and again", func(t *testing.T) {
		for range 2 {
			if got, err := s.Member(token); err != nil || got != who {
				t.Errorf("got %v, %v", got, err)
			}
		}
	})
	t.Run("is not a guest's, nor the other way", func(t *testing.T) {
		if _, err := s.Guest(token); !errors.Is(err, ErrCredentials) {
			t.Errorf("got %v", err)
		}
		guest := s.GuestToken(who)
		if got, err := s.Guest(guest); err != nil || got != who {
			t.Errorf("got %v, %v", got, err)
		}
		if _, err := s.Member(guest); !errors.Is(err, ErrCredentials) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("with any symbol changed is refused", func(t *testing.T) {
		for i := range token {
			for _, b := range []byte("Aa0.-_") {
				bad := []byte(token)
				if bad[i] == b {
					continue
				}
				bad[i] = b
				if _, err := s.Member(string(bad)); !errors.Is(err, ErrCredentials) {
					t.Fatalf("symbol %d as %c: got %v", i, b, err)
				}
			}
		}
	})
	t.Run("ends at its moment", func(t *testing.T) {
		s.DB.Clock.Jump(time.Minute - time.Millisecond)
		if _, err := s.Member(token); err != nil {
			t.Error(err)
		}
		s.DB.Clock.Jump(time.Millisecond)
		if _, err := s.Member(token); !errors.Is(err, ErrCredentials) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("lives 15 minutes at most", func(t *testing.T) {
		for _, ttl := range []time.Duration{0, -time.Second, 15*time.Minute + time.Second} {
			if _, err := s.IssueMemberToken(bg, who, ttl); !errors.Is(err, fault.Invalid) {
				t.Errorf("%s: got %v", ttl, err)
			}
		}
	})
	t.Run("outlives the rotation of its key, and no other's", func(t *testing.T) {
		old := secret.Fresh()
		fresh := secret.Fresh()
		for i := range fresh {
			fresh[i].ID = "k2"
		}
		token := clocked(t, old).GuestToken(who)
		if got, err := clocked(t, append(fresh, old...)).Guest(token); err != nil || got != who {
			t.Errorf("while both live: got %v, %v", got, err)
		}
		if _, err := clocked(t, fresh).Guest(token); !errors.Is(err, ErrCredentials) {
			t.Errorf("afterwards: got %v", err)
		}
	})
}

// FuzzToken: nothing but what was issued is accepted.
func FuzzToken(f *testing.F) {
	s := clocked(f, secret.Fresh())
	token := s.GuestToken(1)
	f.Add(token)
	f.Add(tokenPrefix + "k1.")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := s.Guest(text); err == nil && text != token {
			t.Fatalf("accepted %q", text)
		}
		if _, err := s.Member(text); err == nil {
			t.Fatalf("accepted %q", text)
		}
	})
}

// FuzzKey: only the canonical form is worth a look-up.
func FuzzKey(f *testing.F) {
	f.Add(newKey())
	f.Add(KeyPrefix)
	f.Fuzz(func(t *testing.T, text string) {
		if wellFormed(text) && text != KeyPrefix+text[len(KeyPrefix):len(text)-keyCheck]+checkOf(text[:len(text)-keyCheck]) {
			t.Fatalf("accepted %q", text)
		}
	})
}
