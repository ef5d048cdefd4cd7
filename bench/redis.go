package main

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"time"
)

// startRedis runs a private Redis without persistence, for the house's queue
// and the baselines that count in it. It returns its SIYU_REDIS.
func startRedis(folder string) (*process, string, error) {
	socket := filepath.Join(folder, "redis.sock")
	p, err := start("redis-server", exec.Command("redis-server", "--port", "0", "--unixsocket", socket,
		"--save", "", "--appendonly", "no", "--dir", folder), folder)
	if err != nil {
		return nil, "", fmt.Errorf("%w (apt-get install redis-server)", err)
	}
	err = until("redis-server answers", 10*time.Second, func() bool {
		c, err := net.Dial("unix", socket)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
	return p, "unix://" + socket, err
}
