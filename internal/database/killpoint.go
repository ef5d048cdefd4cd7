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

// ArmKillPoint arms "name:n": the n-th pass through the point kills. A name
// may hold colons itself; without a number at the end it is the first pass.
// Only main calls it, at start, and only for a throw-away store.
func ArmKillPoint(spec string) {
	k := &killer{name: spec}
	k.left.Store(1)
	if i := strings.LastIndexByte(spec, ':'); i >= 0 {
		if n, err := strconv.ParseInt(spec[i+1:], 10, 64); err == nil {
			k.name = spec[:i]
			k.left.Store(max(n, 1))
		}
	}
	kill = k
}
