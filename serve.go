package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"siyu/configs"
	"siyu/internal/clock"
	"siyu/internal/database"
)

// serve runs the house until it is told to stop.
func serve(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("serve takes no arguments; settings are SIYU_… variables or %s", configs.DefaultFile)
	}
	cfg, err := configs.Load("")
	if err != nil {
		return err
	}
	if err := armKill(cfg); err != nil {
		return err
	}
	easeGC()
	log, flush := newLog(os.Stderr)
	defer flush()
	slog.SetDefault(log)
	h, err := build(ctx, cfg, clock.Wall())
	if err != nil {
		return err
	}
	defer h.close()
	if cfg.Role == configs.RoleWorker {
		return h.run(ctx, nil)
	}
	ln, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return fmt.Errorf("SIYU_ADDR %s cannot be listened on (%w); choose a free address", cfg.Addr, err)
	}
	fmt.Fprintf(out, "siyu: %s, queue %s, listening on http://%s\n", h.db.Dialect.Name, queueName(cfg), ln.Addr())
	return h.run(ctx, ln)
}

// gcPercent is how much garbage may stand beside what lives before it is
// collected. What lives is small here and requests leave much behind: at Go's
// own 100 a rush spends a tenth of its time collecting.
const gcPercent = 400

// easeGC sets it, unless GOGC says otherwise.
func easeGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

func queueName(cfg configs.Config) string {
	if cfg.EmbeddedQueue() {
		return "embedded (pending work is rebuilt from the store)"
	}
	return "redis"
}

// armKill arms SIYU_KILL_AT=name:n, a test's way to end the process at a named
// point. Only a throw-away store may be treated so.
func armKill(cfg configs.Config) error {
	spec := os.Getenv("SIYU_KILL_AT")
	if spec == "" {
		return nil
	}
	path, embedded := strings.CutPrefix(cfg.DB, "sqlite:")
	if embedded {
		full, err := filepath.Abs(path)
		if err != nil || !strings.HasPrefix(full, filepath.Clean(os.TempDir())+string(filepath.Separator)) {
			return errors.New("SIYU_KILL_AT is for tests: the store must lie in a temporary folder")
		}
	} else if schema := cfg.DB[strings.LastIndexByte(cfg.DB, '/')+1:]; !strings.HasPrefix(schema, "test_") {
		return errors.New("SIYU_KILL_AT is for tests: the schema's name must begin with test_")
	}
	database.ArmKillPoint(spec)
	return nil
}
