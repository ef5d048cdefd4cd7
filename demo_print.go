package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"siyu/internal/clock"
)

// story tells the demo: it calls the houses over HTTP and prints what it
// asked and what was answered.
type story struct {
	ctx    context.Context
	out    io.Writer
	clk    *clock.Clock
	houses []demoHouse
	folder string

	steps int
	calls int
	people
	things
}

func (s *story) printf(format string, args ...any) { fmt.Fprintf(s.out, format, args...) }

// step begins a numbered part of the story.
func (s *story) step(title string) {
	s.steps++
	s.printf("\n%2d  %s  [%s]\n", s.steps, title, s.clk.Now().In(shanghai).Format("Mon 01-02 15:04"))
}

var shanghai = time.FixedZone("CST", 8*3600)

// as is a client with the key, on the replicas in turn.
func (s *story) as(key string) *client {
	s.calls++
	c := &client{url: s.houses[s.calls%len(s.houses)].url(), key: key}
	c.http.Timeout = 30 * time.Second
	return c
}

// do calls and keeps quiet unless it fails.
func (s *story) do(key, method, path string, body, answer any) error {
	if err := s.as(key).call(s.ctx, method, path, body, answer); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// show calls and prints request and answer.
func (s *story) show(key, method, path string, body any, answer any, says func() string) error {
	s.printf("    → %s %s %s\n", method, short(path), shortJSON(body))
	err := s.do(key, method, path, body, answer)
	if err != nil {
		return err
	}
	s.printf("    ← %s\n", says())
	return nil
}

// refused calls what must be refused and prints how.
func (s *story) refused(key, method, path string, body any, code string) error {
	s.printf("    → %s %s %s\n", method, short(path), shortJSON(body))
	err := s.do(key, method, path, body, nil)
	var p *problem
	if !errors.As(err, &p) || p.Code != code {
		return fmt.Errorf("%s %s: want refusal %s, got %v", method, path, code, err)
	}
	s.printf("    ← %d %s: %s\n", p.Status, p.Code, p.Detail)
	return nil
}

// jump moves the business clock, openly.
func (s *story) jump(d time.Duration, why string) error {
	s.clk.Jump(d)
	for _, h := range s.houses {
		if err := h.db.MarkNow(s.ctx); err != nil {
			return err
		}
	}
	s.printf("    ⏩ the clock jumps %s: %s\n", span(d), why)
	return nil
}

// until waits for the workers.
func (s *story) until(what string, done func() (bool, error)) error {
	limit := time.Now().Add(30 * time.Second)
	for time.Now().Before(limit) {
		ok, err := done()
		if err != nil || ok {
			return err
		}
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("waited 30 s for %s", what)
}

func span(d time.Duration) string {
	if d >= 24*time.Hour && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return d.String()
}

func short(path string) string {
	if len(path) > 80 {
		return path[:77] + "…"
	}
	return path
}

// shortJSON shows a body on one line, cut where it gets long.
func shortJSON(body any) string {
	if body == nil {
		return ""
	}
	b, err := json.Marshal(body)
	if err != nil {
		return ""
	}
	if r := []rune(string(b)); len(r) > 150 {
		return string(r[:147]) + "…"
	}
	return string(b)
}

// indent sets a block of lines under a step.
func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}
