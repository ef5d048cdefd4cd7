package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"siyu/access"
	"siyu/configs"
	"siyu/internal/clock"
	"siyu/internal/database"
)

// monday is where the demo's clock starts: 10:00 in Shanghai.
var monday = time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)

// demo plays the main job on a fresh store over real HTTP, moving the clock in
// printed steps, proves the invariants, and stays up to be looked at.
func demo(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(out)
	exit := flags.Bool("exit", false, "end when the story is told")
	replicas := flags.Int("replicas", 1, "how many complete wirings to run (1 or 2) on one store")
	if err := flags.Parse(args); err != nil {
		return err
	}
	fmt.Fprintln(out, "siyu demo: opening a fresh store …")
	cfg, folder, err := demoSettings(*replicas)
	if err != nil {
		return err
	}
	unquiet, err := quiet(filepath.Join(folder, "siyu.log"))
	if err != nil {
		return err
	}
	defer unquiet()
	clk := clock.From(monday)
	if err := emptyStore(ctx, cfg, clk); err != nil {
		return err
	}
	houses, err := openHouses(ctx, cfg, clk, *replicas)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	failed := make(chan error, len(houses))
	for _, h := range houses {
		defer h.close()
		wg.Go(func() { failed <- h.run(running, h.listener) })
	}
	defer wg.Wait()
	defer stop()

	s := &story{ctx: ctx, out: out, clk: clk, houses: houses, folder: folder}
	if err := s.tell(); err != nil {
		return err
	}
	if *exit {
		return nil
	}
	if err := s.invite(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// demoSettings is the configuration of a demo: its own new folder on SQLite,
// or the schema and Redis the settings name.
func demoSettings(replicas int) (configs.Config, string, error) {
	if replicas < 1 || replicas > 2 {
		return configs.Config{}, "", fmt.Errorf("--replicas %d: 1 or 2", replicas)
	}
	folder := filepath.Join("data", "demo-"+time.Now().Format("20060102-150405"))
	if os.Getenv("SIYU_DB") == "" {
		os.Setenv("SIYU_DB", "sqlite:"+filepath.Join(folder, "siyu.db"))
	}
	if !strings.HasPrefix(os.Getenv("SIYU_DB"), "sqlite:") && os.Getenv("SIYU_SECRETS") == "" && os.Getenv("SIYU_SECRETS_JSON") == "" {
		// A demo's store is thrown away, so its keys may be made here.
		os.Setenv("SIYU_SECRETS_JSON", string(freshKeys()))
	}
	cfg, err := configs.Load("")
	if err != nil {
		return cfg, "", err
	}
	if replicas > 1 && (cfg.SQLite() || cfg.EmbeddedQueue()) {
		return cfg, "", errors.New("--replicas 2 needs a server: set SIYU_DB=mysql://… and SIYU_REDIS=redis://…")
	}
	if cfg.SQLite() {
		folder = filepath.Dir(strings.TrimPrefix(cfg.DB, "sqlite:"))
	}
	return cfg, folder, os.MkdirAll(folder, 0o755)
}

// emptyStore refuses a store that holds anything.
func emptyStore(ctx context.Context, cfg configs.Config, clk *clock.Clock) error {
	if path, ok := strings.CutPrefix(cfg.DB, "sqlite:"); ok {
		if _, err := os.Stat(path); err == nil {
			return fmt.Errorf("SIYU_DB %s exists; the demo wants a new file, or leave SIYU_DB unset", path)
		}
		return nil
	}
	db, err := database.Open(ctx, database.Config{URL: cfg.DB, Clock: clk})
	if err != nil {
		return err
	}
	defer db.Close()
	n, err := db.Tables(ctx)
	if err == nil && n > 0 {
		return fmt.Errorf("the schema of SIYU_DB has %d tables; the demo wants one without any", n)
	}
	return err
}

// demoHouse is a house with its address.
type demoHouse struct {
	*house
	listener net.Listener
}

func (h demoHouse) url() string { return "http://" + h.listener.Addr().String() }

// openHouses listens first, because the QR codes must name an address that
// answers, and then builds each house on the one clock.
func openHouses(ctx context.Context, cfg configs.Config, clk *clock.Clock, n int) ([]demoHouse, error) {
	var list []demoHouse
	for i := range n {
		addr := cfg.Addr
		if i > 0 {
			addr = "127.0.0.1:0"
		}
		ln, err := net.Listen("tcp", addr)
		if err != nil && os.Getenv("SIYU_ADDR") == "" {
			ln, err = net.Listen("tcp", "127.0.0.1:0") // the usual port is taken
		}
		if err != nil {
			return nil, fmt.Errorf("SIYU_ADDR %s cannot be listened on (%w); choose a free address", addr, err)
		}
		mine := cfg
		mine.Addr = ln.Addr().String()
		if os.Getenv("SIYU_PUBLIC_URL") == "" {
			mine.PublicURL = "http://" + firstAddr(list, ln)
		}
		if os.Getenv("SIYU_QR_URL") == "" {
			mine.QRURL = mine.PublicURL
		}
		h, err := build(ctx, mine, clk)
		if err != nil {
			return nil, err
		}
		list = append(list, demoHouse{h, ln})
	}
	return list, nil
}

// firstAddr is the first replica's address, which all QR codes name.
func firstAddr(list []demoHouse, ln net.Listener) string {
	if len(list) > 0 {
		ln = list[0].listener
	}
	return ln.Addr().String()
}

// firstKey is what `siyu access add` does.
func (s *story) firstKey() (string, error) {
	return s.houses[0].access.Bootstrap(s.ctx, access.First{Name: "陈静", Role: access.Admin, Unit: "青禾优选"})
}
