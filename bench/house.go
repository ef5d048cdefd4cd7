package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// house is one siyu process.
type house struct {
	*process
	addr string
}

// buildHouse builds the root binary, which is what is measured.
func buildHouse(ctx context.Context, folder string) (string, error) {
	bin := filepath.Join(folder, "siyu")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", bin, "siyu").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build siyu: %w: %s", err, out)
	}
	return bin, nil
}

// absolute is the path as seen from any folder; "" stays.
func absolute(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	return filepath.Abs(path)
}

// env is what every process of the house is told, and no more than that of
// ours.
func (l *lab) env(more ...string) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + l.folder, "TMPDIR=" + os.TempDir(),
		"SIYU_DB=" + l.store.url, "SIYU_REDIS=" + l.redisURL, "SIYU_SECRETS_JSON=" + l.secrets}
	return append(env, more...)
}

// startHouse starts one house on a free port and waits until it is ready. It
// logs into a file, as a service does.
func (l *lab) startHouse(ctx context.Context, more ...string) (*house, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(l.bin, "serve")
	cmd.Dir, cmd.Env = l.folder, l.env(append(more, "SIYU_ADDR="+addr)...)
	p, err := start(fmt.Sprintf("siyu-%s", addr[strings.LastIndexByte(addr, ':')+1:]), cmd, l.folder)
	if err != nil {
		return nil, err
	}
	h := &house{process: p, addr: addr}
	err = until("the house is ready", 30*time.Second, func() bool { return h.ready(ctx) || !p.alive() })
	if err != nil || !p.alive() {
		p.kill()
		return nil, errors.Join(err, fmt.Errorf("siyu serve: %s", p.lastWords()))
	}
	return h, nil
}

func (h *house) ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.addr+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// freeAddr is a loopback address nobody listens on. Between this and its use
// somebody else may take it; the house then says so.
func freeAddr() (string, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// verify runs `siyu verify` on the store and says what it proved.
func (l *lab) verify(ctx context.Context) error {
	began := time.Now()
	out, err := l.verifyOutput(ctx)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	l.printf("verify: %d proofs hold (%.1f s)\n", strings.Count(out, " holds "), time.Since(began).Seconds())
	return nil
}

func (l *lab) verifyOutput(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, l.bin, "verify")
	cmd.Dir, cmd.Env = l.folder, l.env()
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: siyu verify: %w", errInexact, err)
	}
	return string(out), err
}
