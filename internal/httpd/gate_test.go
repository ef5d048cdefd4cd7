package httpd

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

func TestGateShares(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		g := NewGate(db)
		if got := g.replicas(ctx); got != 1 {
			t.Errorf("got %d, want 1 while nobody holds a lease", got)
		}
		until := time.Now().Add(time.Minute).UnixMilli()
		err := db.Tx(ctx, func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO node_leases (node, holder, until_at) VALUES (1, 'a', ?), (2, 'b', ?), (3, 'c', 1)", until, until).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := g.replicas(ctx); got != 1 {
			t.Errorf("got %d, want the last count within its ten seconds", got)
		}
		g.next.Store(0)
		if got := g.replicas(ctx); got != 2 {
			t.Errorf("got %d, want the live leases", got)
		}
	})
}

func TestGateKeepsRatesApart(t *testing.T) {
	g := NewGate(dbtest.Open(t, "sqlite"))
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest("GET", "/", nil)
	slow, other := PerMinute("slow", 1), PerMinute("other", 1)
	if err := g.Take(c, "a", slow); err != nil {
		t.Fatal(err)
	}
	if err := g.Take(c, "a", slow); !errors.Is(err, ErrTooMany) {
		t.Errorf("the second: %v, want a refusal", err)
	}
	if err := g.Spent(c, "a", slow); !errors.Is(err, ErrTooMany) {
		t.Errorf("looked at: %v, want a refusal", err)
	}
	if err := errors.Join(g.Take(c, "b", slow), g.Take(c, "a", other), g.Spent(c, "c", slow), g.Spent(c, "c", slow)); err != nil {
		t.Error(err)
	}
}

func TestAddress(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.7:1234": "192.0.2.7", "[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64", "[2001:db8:1:2:ffff::1]:81": "2001:db8:1:2::/64",
		"[::ffff:192.0.2.7]:80": "192.0.2.7",
	} {
		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		c.Request = httptest.NewRequest("GET", "/", nil)
		c.Request.RemoteAddr = from
		if got := Address(c); got != want {
			t.Errorf("%s: got %s, want %s", from, got, want)
		}
	}
}
