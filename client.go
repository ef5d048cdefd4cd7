package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// client speaks to a house over REST, as a person's script would.
type client struct {
	url, key string
	http     http.Client
}

// fromEnv is the client of SIYU_URL and SIYU_KEY.
func fromEnv() (*client, error) {
	c := &client{url: strings.TrimSuffix(os.Getenv("SIYU_URL"), "/"), key: os.Getenv("SIYU_KEY")}
	if c.url == "" {
		c.url = "http://127.0.0.1:8080"
	}
	if c.key == "" {
		return nil, errors.New("SIYU_KEY is not set; put a key of `siyu access add` or POST /v1/api-keys into it")
	}
	c.http.Timeout = 60 * time.Second
	return c, nil
}

// problem is a refusal of the API.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Fields []struct {
		Name    string `json:"name"`
		Message string `json:"message"`
	} `json:"fields"`
}

// Error is the refusal in one line.
func (p *problem) Error() string {
	s := fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail)
	for _, f := range p.Fields {
		s += "; " + f.Name + ": " + f.Message
	}
	return s
}

// call sends one request and reads the JSON answer into answer, if not nil.
// Every POST carries an Idempotency-Key of its own.
func (c *client) call(ctx context.Context, method, path string, body, answer any) error {
	raw, err := c.send(ctx, method, path, body, rand.Text())
	if err != nil || answer == nil {
		return err
	}
	return json.Unmarshal(raw, answer)
}

func (c *client) send(ctx context.Context, method, path string, body any, idempotency string) ([]byte, error) {
	if body == nil {
		return c.sendAs(ctx, method, path, "", nil, idempotency)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return c.sendAs(ctx, method, path, "application/json", b, idempotency)
}

// upload is call with a body that is no JSON.
func (c *client) upload(ctx context.Context, method, path, kind string, body []byte, answer any) error {
	raw, err := c.sendAs(ctx, method, path, kind, body, rand.Text())
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, answer)
}

func (c *client) sendAs(ctx context.Context, method, path, kind string, body []byte, idempotency string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Accept-Language", "en")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if method == http.MethodPost {
		req.Header.Set("Idempotency-Key", idempotency)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= 400 {
		p := &problem{Status: res.StatusCode}
		if json.Unmarshal(raw, p) != nil {
			p.Detail = strings.TrimSpace(string(raw))
		}
		return nil, p
	}
	return raw, nil
}

// settlementView is what the commands read of a settlement.
type settlementView struct {
	ID        string `json:"id"`
	Status    string `json:"status"`
	LineCount int    `json:"line_count"`
	Gross     int64  `json:"gross_fen"`
	Tax       int64  `json:"tax_fen"`
	Net       int64  `json:"net_fen"`
	Digest    string `json:"digest"`
	Files     []struct {
		Name   string `json:"name"`
		SHA256 string `json:"sha256"`
		Size   int64  `json:"size"`
	} `json:"files"`
}

// settle prepares a settlement, closes it and waits until it is sealed.
func settle(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("settle", flag.ContinueOnError)
	flags.SetOutput(out)
	label := flags.String("label", time.Now().Format("2006-01"), "the period's name")
	cut := flags.String("cut-off", "", "settle what was cleared up to this RFC 3339 time; now by default")
	unit := flags.String("unit", "", "settle this unit and those below it, like unt_…; the key's own by default")
	payer := flags.String("payer", "", "settle what this payer pays, like ent_…; the default payer by default")
	programs := flags.String("programs", "", "only these reward programs, like prg_…,prg_…; all by default")
	preview := flags.Bool("preview", false, "only say what it would hold, and close nothing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("settle takes flags only, not %q; see settle --help", flags.Arg(0))
	}
	c, err := fromEnv()
	if err != nil {
		return err
	}
	in := map[string]any{"label": *label}
	if *cut != "" {
		in["cut_off_at"] = *cut
	}
	if *unit != "" {
		in["unit_id"] = *unit
	}
	if *payer != "" {
		in["payer_id"] = *payer
	}
	if *programs != "" {
		in["program_ids"] = strings.Split(strings.ReplaceAll(*programs, " ", ""), ",")
	}
	var s settlementView
	if err := c.call(ctx, "POST", "/v1/settlements", in, &s); err != nil {
		return err
	}
	if *preview {
		return c.preview(ctx, s.ID, out)
	}
	made := s.ID
	if err := c.call(ctx, "POST", "/v1/settlements/"+made+"/close", map[string]any{}, &s); err != nil {
		return errors.Join(err, c.discard(ctx, made)) // it would lie about open
	}
	if s, err = c.sealed(ctx, s.ID, out); err != nil {
		return err
	}
	fmt.Fprintf(out, "\r%s %s: %d lines, gross %s, net %s yuan\ndigest %s\n", s.ID, s.Status, s.LineCount, yuan(s.Gross), yuan(s.Net), s.Digest)
	if s.LineCount == 0 {
		fmt.Fprintln(out, "nothing was due: a reward is settled from five minutes after it cleared; --preview says what is due before anything is closed")
	}
	return nil
}

// preview says what an open settlement would hold, and discards it.
func (c *client) preview(ctx context.Context, id string, out io.Writer) error {
	var p struct {
		Cut     string `json:"cut_at"`
		Lines   int    `json:"line_count"`
		Members int    `json:"member_count"`
		Gross   int64  `json:"gross_fen"`
		Kinds   []struct {
			Kind  string `json:"kind"`
			Lines int    `json:"line_count"`
			Gross int64  `json:"gross_fen"`
		} `json:"kinds"`
	}
	if err := c.call(ctx, "GET", "/v1/settlements/"+id+"/preview", nil, &p); err != nil {
		return err
	}
	fmt.Fprintf(out, "up to %s: %d lines, %d members with something to come, gross %s yuan\n", p.Cut, p.Lines, p.Members, yuan(p.Gross))
	for _, k := range p.Kinds {
		fmt.Fprintf(out, "  %-8s %d lines, %s yuan\n", k.Kind, k.Lines, yuan(k.Gross))
	}
	return c.discard(ctx, id)
}

func (c *client) discard(ctx context.Context, id string) error {
	return c.call(ctx, "POST", "/v1/settlements/"+id+"/discard", map[string]any{}, nil)
}

// sealed waits for the closing job, showing its progress.
func (c *client) sealed(ctx context.Context, id string, out io.Writer) (s settlementView, err error) {
	for {
		if err := c.call(ctx, "GET", "/v1/settlements/"+id, nil, &s); err != nil {
			return s, err
		}
		if s.Status != "open" && s.Status != "closing" && s.Status != "sealing" {
			return s, nil
		}
		fmt.Fprintf(out, "\r%s %s: %d lines", id, s.Status, s.LineCount)
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// export fetches a settlement's sealed files and checks their SHA-256.
func export(ctx context.Context, args []string, out io.Writer) error {
	if len(args) < 1 {
		return errors.New("export SETTLEMENT [FOLDER]: name the settlement, like stl_…")
	}
	if args[0] == "vouchers" {
		return exportVouchers(ctx, args[1:], out)
	}
	folder := "."
	if len(args) > 1 {
		folder = args[1]
	}
	c, err := fromEnv()
	if err != nil {
		return err
	}
	return c.fetchFiles(ctx, args[0], folder, out)
}

func (c *client) fetchFiles(ctx context.Context, id, folder string, out io.Writer) error {
	var s settlementView
	if err := c.call(ctx, "GET", "/v1/settlements/"+id, nil, &s); err != nil {
		return err
	}
	if len(s.Files) == 0 {
		return fmt.Errorf("settlement %s is %s and has no files yet; close it first", id, s.Status)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, f := range s.Files {
		raw, err := c.send(ctx, "GET", "/v1/settlements/"+id+"/files/"+f.Name, nil, "")
		if err != nil {
			return err
		}
		sum := sha256.Sum256(raw)
		if hex.EncodeToString(sum[:]) != f.SHA256 {
			return fmt.Errorf("%s does not have the sealed SHA-256; fetch it again", f.Name)
		}
		path := filepath.Join(folder, f.Name)
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(out, "    %s  %d bytes  sha256 %s\n", path, len(raw), f.SHA256)
	}
	return nil
}

// yuan shows fen as yuan.
func yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100)
}
