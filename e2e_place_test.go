package main_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/secret"
)

// place is a store with its queue and keys, on which processes of siyu run: a
// working folder and the settings they share.
type place struct {
	t     testing.TB
	dir   string
	store string // SIYU_DB
	env   []string
}

// newPlace is a migrated empty store: SQLite with the embedded queue, or
// MariaDB with Redis.
func newPlace(t testing.TB, engine string) *place {
	t.Helper()
	queue := ""
	if engine != "sqlite" {
		queue = dbtest.Redis(t)
	}
	return placeAt(t, dbtest.URL(t, engine), queue)
}

// placeAt is a place over a given store and Redis ("" is the embedded one).
func placeAt(t testing.TB, store, queue string) *place {
	t.Helper()
	return &place{t: t, dir: t.TempDir(), store: store, env: []string{
		"SIYU_DB=" + store, "SIYU_REDIS=" + queue, "SIYU_ADDR=127.0.0.1:0", "SIYU_SECRETS_JSON=" + keySet(),
		// The tests are one address and few members; the limits have tests of their own.
		"SIYU_RATE_STAFF=10000000", "SIYU_RATE_MEMBER=10000000", "SIYU_RATE_ADDRESS=10000000",
	}}
}

// keySet is the key set of all processes of this test run.
var keySet = sync.OnceValue(func() string {
	type key struct {
		Use    string `json:"use"`
		ID     string `json:"id"`
		Secret []byte `json:"secret"`
	}
	var set struct {
		Keys []key `json:"keys"`
	}
	for _, k := range secret.Fresh() {
		set.Keys = append(set.Keys, key{string(k.Use), k.ID, k.Secret})
	}
	b, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	return string(b)
})

// run runs a command to its end: what it printed, what it complained, its
// exit status.
func (p *place) run(args ...string) (out, errs string, code int) {
	p.t.Helper()
	return p.runWith(nil, args...)
}

// runWith is run with further settings.
func (p *place) runWith(env []string, args ...string) (out, errs string, code int) {
	p.t.Helper()
	c := spawn(p.t, p.dir, append(p.env[:len(p.env):len(p.env)], env...), args...)
	code = c.wait(2 * time.Minute)
	return c.out.String(), c.log.String(), code
}

// must is run for a command that has to succeed.
func (p *place) must(args ...string) string {
	p.t.Helper()
	out, errs, code := p.run(args...)
	if code != 0 {
		p.t.Fatalf("siyu %s: exit status %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

// key makes a key of the role, as an operator does.
func (p *place) key(role string) string {
	p.t.Helper()
	return strings.TrimSpace(p.must("access", "add", "--name", "测试 "+role, "--role", role))
}

// start starts a server; it may not be ready yet.
func (p *place) start(env ...string) *process {
	p.t.Helper()
	return spawn(p.t, p.dir, append(p.env[:len(p.env):len(p.env)], env...), "serve")
}

// serve starts a server and waits until it is ready.
func (p *place) serve(env ...string) (*process, string) {
	p.t.Helper()
	s := p.start(env...)
	url := s.url()
	if url == "" {
		p.t.Fatalf("siyu serve ended:\n%s", s.log.tail())
	}
	return s, url
}

// db is a handle on the store for looking into it.
func (p *place) db() *database.DB {
	p.t.Helper()
	return dbtest.At(p.t, p.store)
}

// drained waits until no task is due, at most the minute of quiet that a
// chaos test grants, and fails on a dead one.
func (p *place) drained() {
	p.t.Helper()
	db := p.db()
	defer db.Close()
	var open, dead int
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		q := db.Read(context.Background())
		now := time.Now().UnixMilli()
		err := q.Raw(`SELECT (SELECT COUNT(*) FROM outbox WHERE status IN (0, 1) AND next_at <= ?)
			+ (SELECT COUNT(*) FROM ripening WHERE matures_at <= ?)`, now, now).Scan(&open).Error
		if err == nil && open == 0 {
			break
		}
		if time.Now().After(end) {
			var first struct {
				Kind, LastError  string
				Status, Attempts int
			}
			q.Raw("SELECT kind, last_error, status, attempts FROM outbox WHERE status IN (0, 1) AND next_at <= ? ORDER BY next_at LIMIT 1", now).Scan(&first)
			p.t.Fatalf("after a minute of quiet %d tasks are due (%v), the first of them %+v", open, err, first)
		}
	}
	if err := db.Read(context.Background()).Raw("SELECT COUNT(*) FROM outbox WHERE status = 3").Scan(&dead).Error; err != nil || dead > 0 {
		p.t.Errorf("%d tasks are dead (%v)", dead, err)
	}
}

// proven drains the queue and has siyu prove every invariant.
func (p *place) proven() {
	p.t.Helper()
	p.drained()
	if out, errs, code := p.run("verify", "--strict"); code != 0 {
		p.t.Errorf("verify --strict: exit status %d\n%s%s", code, out, errs)
	}
}
