package database

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// kill is nil unless main armed it; one process, one point.
var kill *killer

type killer struct {
	name string
	left atomic.Int64
}

// KillPoint ends the process with SIGKILL at the named point when main armed
// it; otherwise it is one nil check.
func KillPoint(name string) {
	if kill == nil || kill.name != name {
		return
	}
	if kill.left.Add(-1) == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until the signal arrives
	}
}

// ArmKillPoint arms "name:n": the n-th pass through the point kills. Only main
// calls it, at start, and only for a throw-away store.
func ArmKillPoint(spec string) {
	name, n, _ := strings.Cut(spec, ":")
	k := &killer{name: name}
	count, err := strconv.ParseInt(n, 10, 64)
	if err != nil || count < 1 {
		count = 1
	}
	k.left.Store(count)
	kill = k
}
