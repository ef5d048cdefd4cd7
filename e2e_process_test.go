package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain removes the binary that the end-to-end tests built.
func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

var built struct {
	once sync.Once
	dir  string
	err  error
}

// binary is the siyu program, built once per test run. It is the one that
// ships: no build tags, no race detector.
func binary(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "siyu-e2e-"); built.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(built.dir, "siyu"), ".")
		cmd.Env = append(os.Environ(), "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "siyu")
}

// starts are processes to be started by the one thread whose end would kill
// them: the kernel's parent-death signal watches threads, not processes.
var starts = sync.OnceValue(func() chan<- func() {
	ch := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range ch {
			start()
		}
	}()
	return ch
})

// startBound starts a process that dies with this test binary, however that
// ends.
func startBound(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	starts() <- func() { started <- cmd.Start() }
	return <-started
}

// process is a running siyu.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	out   *record // stdout
	log   *record // stderr
	ended chan struct{}
	err   error // of Wait, once ended is closed
}

// credential is what nobody may read in a log: keys of staff, tokens of
// members, whatever stands behind a Bearer.
var credential = regexp.MustCompile(`sk_siyu_\w{6}|mt_siyu_\w+\.\S{6}|Bearer \S{6}`)

// spawn starts siyu in the folder with these settings only. What it wrote is
// shown when the test fails, and a panic in it fails the test.
func spawn(t testing.TB, dir string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(binary(t), args...), out: &record{}, log: &record{}, ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, p.out, p.log
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "SIYU_") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	p.cmd.Env = append(p.cmd.Env, env...)
	if err := startBound(p.cmd); err != nil {
		t.Fatal(err)
	}
	go func() { p.err = p.cmd.Wait(); close(p.ended) }()
	t.Cleanup(func() {
		p.kill()
		if i := strings.Index(p.log.String(), "panic"); i >= 0 {
			t.Errorf("siyu %s panicked", strings.Join(args, " "))
		}
		if leak := credential.FindString(p.log.String()); leak != "" {
			t.Errorf("siyu %s logged %q", strings.Join(args, " "), leak)
		}
		if t.Failed() {
			t.Logf("siyu %s, process %d, wrote:\n%s%s", strings.Join(args, " "), p.cmd.Process.Pid, p.out.tail(), p.log.tail())
		}
	})
	return p
}

// kill ends the process with SIGKILL, as a machine that loses power would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stop asks the process to end and fails the test unless it does so cleanly.
func (p *process) stop(sig syscall.Signal) {
	p.t.Helper()
	_ = p.cmd.Process.Signal(sig)
	if code := p.wait(30 * time.Second); code != 0 {
		p.t.Errorf("after %s: exit status %d", sig, code)
	}
}

// wait waits for the process to end and is its exit status, -1 for a signal.
func (p *process) wait(most time.Duration) int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(most):
		p.t.Errorf("process %d still runs after %s", p.cmd.Process.Pid, most)
		p.kill()
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		p.t.Errorf("wait: %v", p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

var listening = regexp.MustCompile(`http://[0-9.]+:[0-9]+`)

// url waits until the process says where it listens and answers there; "" when
// it ended first.
func (p *process) url() string {
	p.t.Helper()
	quick := http.Client{Timeout: 2 * time.Second}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if !p.alive() {
			return ""
		}
		at := listening.FindString(p.out.String())
		if at == "" {
			continue
		}
		if res, err := quick.Get(at + "/readyz"); err == nil {
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return at
			}
		}
	}
	p.t.Fatalf("siyu was not ready within 30 s:\n%s%s", p.out.tail(), p.log.tail())
	return ""
}

// record keeps what a process writes.
type record struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.String()
}

// tail is the end of it, enough to see why.
func (r *record) tail() string {
	s := r.String()
	if len(s) > 4000 {
		s = "…" + s[len(s)-4000:]
	}
	return s
}
