package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"siyu/community/intake"
	"siyu/internal/english"
)

// importView is what the command reads of an import.
type importView struct {
	ID      string   `json:"id"`
	Status  string   `json:"status"`
	Total   int      `json:"total"`
	Done    int      `json:"done"`
	Made    int      `json:"made"`
	Updated int      `json:"updated"`
	Skipped int      `json:"skipped"`
	Refused int      `json:"refused"`
	Ignored []string `json:"ignored_columns"`
	Bad     []struct {
		Line int `json:"line"`
		Why  struct {
			Field string `json:"field"`
			EN    string `json:"en"`
		} `json:"why"`
	} `json:"bad"`
}

// importFile sends a file over REST, waits until its lines are worked and
// prints those that were refused.
func importFile(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("import", flag.ContinueOnError)
	flags.SetOutput(out)
	zone := flags.String("zone", "Asia/Shanghai", "the zone of times without one")
	report := flags.String("report", "", "also write what became of each line into this file")
	args, err := parse(flags, args)
	if err != nil {
		return err
	}
	if len(args) != 2 || !slices.Contains(intake.Kinds(), args[0]) {
		return fmt.Errorf("import [options] %s FILE.csv: name what the file holds, and the file", strings.Join(intake.Kinds(), "|"))
	}
	body, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	c, err := fromEnv()
	if err != nil {
		return err
	}
	var m importView
	query := url.Values{"kind": {args[0]}, "zone": {*zone}}
	if err := c.upload(ctx, http.MethodPost, "/v1/imports?"+query.Encode(), "text/csv", body, &m); err != nil {
		return err
	}
	if len(m.Ignored) > 0 {
		fmt.Fprintf(out, "columns left out: %s\n", strings.Join(m.Ignored, ", "))
	}
	if m, err = c.imported(ctx, m.ID, out); err != nil {
		return err
	}
	fmt.Fprintf(out, "\r%s: %s\n", m.ID, english.One(fmt.Sprintf("%d lines, %d new, %d there already, %d skipped, %d refused", m.Total, m.Made, m.Updated, m.Skipped, m.Refused)))
	for _, b := range m.Bad {
		fmt.Fprintf(out, "  line %d, %s: %s\n", b.Line, b.Why.Field, b.Why.EN)
	}
	if *report != "" {
		raw, err := c.send(ctx, http.MethodGet, "/v1/imports/"+m.ID+"/report.csv", nil, "")
		if err != nil {
			return err
		}
		if err := os.WriteFile(*report, raw, 0o600); err != nil {
			return err
		}
	}
	if m.Refused > 0 {
		return errors.New("some lines were refused; mend them and send the file again: what stands stays as it is")
	}
	return nil
}

// imported waits for the job, showing its progress.
func (c *client) imported(ctx context.Context, id string, out io.Writer) (m importView, err error) {
	for {
		if err := c.call(ctx, http.MethodGet, "/v1/imports/"+id, nil, &m); err != nil || m.Status == string(intake.StatusDone) {
			return m, err
		}
		fmt.Fprintf(out, "\r%s: %d of %d lines", id, m.Done, m.Total)
		select {
		case <-ctx.Done():
			return m, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
