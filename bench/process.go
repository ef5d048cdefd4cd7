package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server this program started; the kernel ends it with us.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// start runs cmd with its output in a file of the folder. The kernel watches
// the thread that started the child, so that thread is kept.
func start(name string, cmd *exec.Cmd, folder string) (*process, error) {
	p := &process{name: name, cmd: cmd, log: filepath.Join(folder, name+".log"), done: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if cmd.Stdout == nil {
		cmd.Stdout = log
	}
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never given back: it ends with the goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // why it ended is in its log
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// pid is 0 for a process that is not ours, like a server that was given.
func (p *process) pid() int {
	if p == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends the process as a power cut of its own would.
func (p *process) kill() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
}

// stop asks the process to end, and after 20 s makes it.
func (p *process) stop() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		p.kill()
	}
}

// lastWords is the end of the log, for an error.
func (p *process) lastWords() string {
	text, _ := os.ReadFile(p.log)
	return string(bytes.TrimSpace(text[max(0, len(text)-1500):]))
}

// until asks again every 20 ms whether something is so.
func until(what string, within time.Duration, ok func() bool) error {
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return nil
		}
	}
	return fmt.Errorf("%s: not within %s", what, within)
}

// ticks per second of /proc's CPU times: USER_HZ, 100 on every Linux that Go
// runs on.
const ticks = 100

// cpuOf is the CPU time the process has used; 0 for none.
func cpuOf(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name in parentheses may hold anything; the fields follow the last one.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticks
}

// machineCPU is the time all CPUs have worked, for whomever.
func machineCPU() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	sum := 0
	for i, word := range strings.Fields(line) {
		n, _ := strconv.Atoi(word)
		if i != 0 && i != 4 && i != 5 && i < 9 { // neither idle nor waiting for a disk
			sum += n
		}
	}
	return time.Duration(sum) * time.Second / ticks
}

// resetPeak forgets the peak of the process's memory.
func resetPeak(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// peakOf is the most memory the process has held since resetPeak, in bytes.
func peakOf(pid int) int64 { return memoryOf(pid, "VmHWM:") }

// residentOf is what it holds now.
func residentOf(pid int) int64 { return memoryOf(pid, "VmRSS:") }

func memoryOf(pid int, field string) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), field)
	words := strings.Fields(rest)
	if len(words) == 0 {
		return 0
	}
	kb, _ := strconv.ParseInt(words[0], 10, 64)
	return kb << 10
}
