package dbtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// childEnv makes a test binary do one thing on a store and end: its URL, kill
// point, business time, then the words of what to do.
const childEnv = "SIYU_TEST_CHILD"

// childNode is the node number of a child; tests use lower ones.
const childNode = 90

// Main is TestMain of a package whose tests kill processes: a child does the
// work that its words name, on the store of its test, and ends.
func Main(m *testing.M, work func(ctx context.Context, db *database.DB, words []string) error) {
	spec := os.Getenv(childEnv)
	if spec == "" {
		os.Exit(m.Run())
	}
	if err := child(strings.Split(spec, "|"), work); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(spec []string, work func(ctx context.Context, db *database.DB, words []string) error) error {
	at, err := strconv.ParseInt(spec[2], 10, 64)
	if err != nil {
		return err
	}
	db, err := database.Open(context.Background(), database.Config{URL: spec[0], Clock: clock.At(time.UnixMilli(at))})
	if err != nil {
		return err
	}
	defer db.Close()
	db.IDs = id.NewGenerator(childNode, time.Now().Add(time.Hour))
	if spec[1] != "" {
		database.ArmKillPoint(spec[1])
	}
	return work(context.Background(), db, spec[3:])
}

// Child is another process of this test binary, not started yet. It works on
// the store at a business time and dies at the kill point, if one is named.
func Child(t testing.TB, url, kill string, at time.Time, words ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	spec := append([]string{url, kill, strconv.FormatInt(at.UnixMilli(), 10)}, words...)
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join(spec, "|"))
	cmd.Stderr = os.Stderr
	return cmd
}

// Killed runs a child and says whether SIGKILL ended it; any other failure
// fails the test.
func Killed(t testing.TB, child *exec.Cmd) bool {
	t.Helper()
	err := child.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == -1 {
		return true
	}
	if err != nil {
		t.Fatalf("a child ended with %v", err)
	}
	return false
}
