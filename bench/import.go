package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"
)

// importLines is the longest file that the house takes.
const importLines = 50_000

// runImport brings in a file of members, then the same file again, and prints
// how long each took and the house's memory.
func runImport(ctx context.Context, l *lab) error {
	var file bytes.Buffer
	file.WriteString("会员号,姓名,手机号\n")
	for n := range importLines {
		fmt.Fprintf(&file, "i%06d,会员%d,139%08d\n", n, n, n)
	}
	pid := l.pids()[0]
	for _, what := range []string{"new members", "the same again"} {
		resetPeak(pid)
		rest := peakOf(pid)
		began := time.Now()
		var m struct {
			ID                            string
			Status                        string
			Total, Made, Updated, Refused int
		}
		if err := l.rest.upload(ctx, http.MethodPost, "/v1/imports?kind=members", "text/csv", file.Bytes(), &m); err != nil {
			return err
		}
		for m.Status != "done" {
			time.Sleep(100 * time.Millisecond)
			if err := l.rest.call(ctx, http.MethodGet, "/v1/imports/"+m.ID, nil, &m); err != nil {
				return err
			}
		}
		took := time.Since(began)
		if m.Made+m.Updated != importLines {
			return fmt.Errorf("%w: of %d lines %d made, %d updated, %d refused", errInexact, m.Total, m.Made, m.Updated, m.Refused)
		}
		l.printf("  %s: %s lines (%.1f MiB) in %.1f s, %.0f lines/s; the house at most %.0f MiB, %.0f before\n",
			what, short(m.Total), mib(int64(file.Len())), took.Seconds(), float64(m.Total)/took.Seconds(), mib(peakOf(pid)), mib(rest))
	}
	return l.verify(ctx)
}
