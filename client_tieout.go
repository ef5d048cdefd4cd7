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
	"path/filepath"
	"strings"
	"time"
)

// tieOutView is what the command reads of a tie-out.
type tieOutView struct {
	ID          string `json:"id"`
	Status      string `json:"status"`
	Taken       int    `json:"taken"`
	Matched     int    `json:"matched"`
	Differences int    `json:"difference_count"`
	Open        int    `json:"open_count"`
	Totals      []struct {
		Side   string `json:"side"`
		Kind   string `json:"kind"`
		Lines  int    `json:"line_count"`
		Amount int64  `json:"amount_fen"`
	} `json:"totals"`
}

// tieOutDay delivers what it is given of a day, runs it, waits until it has
// ended and fetches what differs.
func tieOutDay(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("tieout", flag.ContinueOnError)
	flags.SetOutput(out)
	day := flags.Int("day", 0, "the day, like 20260301")
	payer := flags.String("payer", "", "whose day, like ent_…; the default payer by default")
	mall := flags.String("mall", "", "the mall's day, .csv or .ndjson; as delivered before if left out")
	paper := flags.String("statement", "", "the provider's statement; as delivered before if left out")
	form := flags.String("form", "wechat_trade", "the statement's form, of GET /v1/statement-forms")
	numbers := flags.String("numbers", "merchant", "whose numbers the mall reports: merchant or provider")
	args, err := parse(flags, args)
	if err != nil {
		return err
	}
	if *day == 0 || len(args) > 1 {
		return errors.New("tieout --day DAY [--mall FILE] [--statement FILE] [--form FORM] [--payer ent_…] [FOLDER]: name the day")
	}
	c, err := fromEnv()
	if err != nil {
		return err
	}
	in := map[string]any{"day": *day}
	if *payer != "" {
		in["payer_id"] = *payer
	}
	var t tieOutView
	if err := c.call(ctx, http.MethodPost, "/v1/tieouts", in, &t); err != nil {
		return err
	}
	at := "/v1/tieouts/" + t.ID
	query := url.Values{"form": {*form}, "numbers": {*numbers}}
	for path, file := range map[string]string{"/mall": *mall, "/statement?" + query.Encode(): *paper} {
		if err := c.deliver(ctx, at+path, file); err != nil {
			return err
		}
	}
	if err := c.call(ctx, http.MethodPost, at+"/run", struct{}{}, &t); err != nil {
		return err
	}
	if t, err = c.tied(ctx, t.ID, out); err != nil {
		return err
	}
	fmt.Fprintf(out, "\r%s %s: %d numbers, %d differ, %d of them not explained\n", t.ID, t.Status, t.Matched, t.Differences, t.Open)
	for _, x := range t.Totals {
		fmt.Fprintf(out, "  %-9s %-9s %6d lines  %s yuan\n", x.Kind, x.Side, x.Lines, yuan(x.Amount))
	}
	if t.Differences == 0 {
		return nil
	}
	folder := "."
	if len(args) > 0 {
		folder = args[0]
	}
	raw, err := c.send(ctx, http.MethodGet, at+"/differences.csv?bom=true", nil, "")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	path := filepath.Join(folder, fmt.Sprintf("tieout-%d.csv", *day))
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return err
	}
	fmt.Fprintf(out, "    %s\n", path)
	return nil
}

// deliver sends a file, if there is one, as what its name says it is.
func (c *client) deliver(ctx context.Context, path, file string) error {
	if file == "" {
		return nil
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	kind := "text/csv"
	if strings.HasSuffix(file, ".ndjson") {
		kind = "application/x-ndjson"
	}
	var t tieOutView
	return c.upload(ctx, http.MethodPost, path, kind, body, &t)
}

// tied waits for the run, showing its progress.
func (c *client) tied(ctx context.Context, id string, out io.Writer) (t tieOutView, err error) {
	for {
		if err := c.call(ctx, http.MethodGet, "/v1/tieouts/"+id, nil, &t); err != nil || t.Status != "running" {
			return t, err
		}
		fmt.Fprintf(out, "\r%s: %d lines taken, %d numbers matched", id, t.Taken, t.Matched)
		select {
		case <-ctx.Done():
			return t, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
