package httpd

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/fault"
)

// FuzzProblem holds appendJSON to encoding/json.
func FuzzProblem(f *testing.F) {
	for _, s := range []string{"", "已经抢完了", `a "b" \ c`, "<script>&", "a\u2028b\u2029c", "\xff\xe2", "\x00\n\t", "—"} {
		f.Add(s, "code", 409)
	}
	f.Fuzz(func(t *testing.T, s, code string, status int) {
		for _, p := range []Problem{
			{Type: "urn:" + s, Title: s, Status: status, Detail: s, Code: code, RequestID: s},
			{Detail: s, Fields: []ProblemField{{s, code, s}}, Params: map[string]any{"limit": status, "at": s}},
		} {
			want, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(p.appendJSON(nil)); got != string(want) {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	})
}

func TestProblem_what_JSON_cannot_hold_is_left_out(t *testing.T) {
	p := Problem{Code: "x", Params: map[string]any{"n": math.NaN()}}
	if got := string(p.appendJSON(nil)); !json.Valid([]byte(got)) || strings.Contains(got, "params") {
		t.Errorf("got %s", got)
	}
}

// TestLevels: the log calls for somebody only where somebody has to do
// something; that a room was busy, and said so, is an ordinary answer.
func TestLevels(t *testing.T) {
	busy := fault.New(fault.KindUnavailable, "test.busy", "正忙", "busy")
	gone, leave := context.WithCancel(context.Background())
	leave()
	for name, tc := range map[string]struct {
		ctx         context.Context
		err         error
		level, code string
	}{
		"a refusal":               {err: fault.NotFound, level: "", code: "not_found"},
		"a room is busy":          {err: fmt.Errorf("room: %w", busy), level: "INFO", code: "test.busy"},
		"the store was away":      {err: fault.Unavailable.Wrap(errors.New("begin: refused")), level: "WARN", code: "unavailable"},
		"the time ran out":        {err: context.DeadlineExceeded, level: "WARN", code: "unavailable"},
		"a defect":                {err: errors.New("no such column"), level: "ERROR", code: "internal"},
		"a fault that is one":     {err: fault.Internal, level: "ERROR", code: "internal"},
		"the caller hung up":      {ctx: gone, err: context.Canceled, level: "", code: "unavailable"},
		"canceled by the server":  {err: context.Canceled, level: "ERROR", code: "internal"},
		"a room is busy for long": {err: busy.After(time.Minute), level: "INFO", code: "test.busy"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			old := slog.Default()
			slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
			t.Cleanup(func() { slog.SetDefault(old) })
			c, _ := gin.CreateTestContext(httptest.NewRecorder())
			c.Request = httptest.NewRequestWithContext(cmp.Or(tc.ctx, context.Background()), "GET", "/", nil)
			f := Seen(c, tc.err)
			level := ""
			if m := regexp.MustCompile(`level=(\S+)`).FindStringSubmatch(log.String()); m != nil {
				level = m[1]
			}
			if level != tc.level || f.Code != tc.code {
				t.Errorf("got level %q and code %s, want %q and %s", level, f.Code, tc.level, tc.code)
			}
		})
	}
}
