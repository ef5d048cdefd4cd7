package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"siyu/access"
	"siyu/configs"
	"siyu/internal/database"
	"siyu/internal/secret"
)

// lab is everything one run stands on.
type lab struct {
	options
	out      io.Writer
	folder   string
	store    *store
	redis    *process
	redisURL string
	secrets  string // SIYU_SECRETS_JSON
	key      string // of an admin
	houses   []*house
	front    *front
	rest     *rest
	crowd    crowd
	figures  []figure
	filled   int           // existing orders made so far
	exactly  int           // claims found exact so far
	drained  time.Duration // the outbox took at most
	probing  bool          // the engine's own COMMIT is timed in every turn
	baseItem int           // the baselines' last item, and team
	baseTeam int
}

func openLab(ctx context.Context, o options, out io.Writer) (l *lab, err error) {
	l = &lab{options: o, out: out}
	if l.folder, err = os.MkdirTemp("", "siyu-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	began := time.Now()
	if l.bin, err = absolute(l.bin); err != nil {
		return l, err
	}
	if l.bin == "" {
		if l.bin, err = buildHouse(ctx, l.folder); err != nil {
			return l, err
		}
	}
	if l.store, err = openStore(ctx, o, l.folder); err != nil {
		return l, err
	}
	if !l.store.sqlite {
		if l.redis, l.redisURL, err = startRedis(l.folder); err != nil {
			return l, err
		}
	}
	if err := l.makeKeys(); err != nil {
		return l, err
	}
	if err := l.firstHouse(ctx); err != nil {
		return l, err
	}
	if err := l.people(ctx); err != nil {
		return l, err
	}
	l.printf("%s\n%s; %d CPUs, GOMAXPROCS %d, load from one thread of this process; ready in %.1f s\n",
		l.store.db.Dialect.Name+": "+l.store.settings, runtime.Version(), runtime.NumCPU(), runtime.GOMAXPROCS(0), time.Since(began).Seconds())
	return l, nil
}

// close takes everything down, whatever of it stands.
func (l *lab) close() {
	l.stopFront()
	for _, h := range l.houses {
		h.stop()
	}
	if l.store != nil {
		l.store.close()
	}
	l.redis.stop()
	if l.keep {
		l.printf("kept: %s\n", l.folder)
		return
	}
	if err := os.RemoveAll(l.folder); err != nil {
		l.printf("not removed: %v\n", err)
	}
}

func (l *lab) printf(format string, args ...any) { fmt.Fprintf(l.out, format, args...) }

// makeKeys makes the house's key set, or takes that of the running house.
func (l *lab) makeKeys() error {
	keys := make([]configs.Key, 0, 4)
	if l.url != "" {
		uses := make([]string, 0, 4)
		for _, u := range secret.Uses() {
			uses = append(uses, string(u))
		}
		cfg, err := configs.Load("")
		if err != nil {
			return err
		}
		if keys, err = cfg.Keys(uses); err != nil {
			return err
		}
	} else {
		for _, k := range secret.Fresh() {
			keys = append(keys, configs.Key{Use: string(k.Use), ID: k.ID, Secret: k.Secret})
		}
	}
	text, err := json.Marshal(map[string]any{"keys": keys})
	l.secrets = string(text)
	return err
}

// access is the house's tokens and keys over the handle.
func (l *lab) access(db *database.DB) (*access.Service, error) {
	set, err := keySet(l.secrets)
	return &access.Service{DB: db, Secrets: set}, err
}

func keySet(text string) (*secret.Set, error) {
	var file struct{ Keys []configs.Key }
	if err := json.Unmarshal([]byte(text), &file); err != nil {
		return nil, err
	}
	keys := make([]secret.Key, 0, len(file.Keys))
	for _, k := range file.Keys {
		keys = append(keys, secret.Key{ID: k.ID, Use: secret.Use(k.Use), Secret: k.Secret})
	}
	return secret.New(keys)
}

// leased runs fn on a handle that makes ids. The node number is given back at
// once: the rate limiter divides by the live ones.
func (l *lab) leased(ctx context.Context, fn func(db *database.DB) error) error {
	db, err := database.Open(ctx, database.Config{URL: l.store.url})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Lease(ctx); err != nil {
		return err
	}
	return fn(db)
}

// firstHouse makes the admin's key and starts the house, or goes to the
// running one.
func (l *lab) firstHouse(ctx context.Context) error {
	err := l.leased(ctx, func(db *database.DB) error {
		in, err := l.access(db)
		if err != nil {
			return err
		}
		l.key, err = in.Bootstrap(ctx, access.First{Name: "bench", Role: access.Admin})
		return err
	})
	if err != nil {
		return err
	}
	addr := strings.TrimSuffix(strings.TrimPrefix(l.url, "http://"), "/")
	if l.url == "" {
		h, err := l.startHouse(ctx)
		if err != nil {
			return err
		}
		l.houses = append(l.houses, h)
		addr = h.addr
	}
	l.rest = newRest(addr, l.key)
	return l.stockShelves(ctx)
}

// people makes the members.
func (l *lab) people(ctx context.Context) error {
	return l.leased(ctx, func(db *database.DB) (err error) {
		l.crowd, err = gather(ctx, db, l.crowd.groups, l.count)
		return err
	})
}

// freshTokens issues the members' tokens anew before they run out.
func (l *lab) freshTokens(ctx context.Context) error {
	if time.Since(l.crowd.authorized) < access.MemberTokenFor/2 {
		return nil
	}
	in, err := l.access(l.store.db)
	if err != nil {
		return err
	}
	return l.crowd.authorize(ctx, in)
}

// addrs and pids are the houses'; a running one given by -url has no pid.
func (l *lab) addrs() []string {
	if l.url != "" {
		return []string{l.rest.addr}
	}
	var out []string
	for _, h := range l.houses {
		out = append(out, h.addr)
	}
	return out
}

func (l *lab) pids() []int {
	var out []int
	for _, h := range l.houses {
		out = append(out, h.pid())
	}
	return out
}
