package dbtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

type redisServer struct {
	socket string
	next   int
	mu     sync.Mutex
}

var theRedis = sync.OnceValues(startRedis)

// Redis is the URL of an empty database on a real Redis: a private server
// started on first use, or SIYU_TEST_REDIS.
func Redis(t testing.TB) string {
	t.Helper()
	need(t, "redis")
	if url := os.Getenv("SIYU_TEST_REDIS"); url != "" {
		return url
	}
	s, err := theRedis()
	if err != nil {
		t.Fatalf("dbtest: redis: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	return fmt.Sprintf("unix://%s?db=%d", s.socket, s.next%200)
}

func startRedis() (*redisServer, error) {
	dir, err := ownFolder("siyu-redis-")
	if err != nil {
		return nil, err
	}
	s := &redisServer{socket: filepath.Join(dir, "s")}
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", s.socket, "--save", "", "--appendonly", "no", "--databases", "200", "--dir", dir)
	if _, err := startBound(cmd); err != nil {
		return nil, err
	}
	for range 100 {
		if c, err := net.Dial("unix", s.socket); err == nil {
			return s, c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, fmt.Errorf("redis-server did not answer on %s", s.socket)
}
