package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// rest speaks to a house as staff, to prepare what is measured.
type rest struct {
	addr string
	key  string
	http http.Client
}

func newRest(addr, key string) *rest {
	return &rest{addr: addr, key: key, http: http.Client{Timeout: 60 * time.Second}}
}

// call sends one request and reads the JSON answer into answer, if not nil.
func (r *rest) call(ctx context.Context, method, path string, body, answer any) error {
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return err
		}
	}
	return r.upload(ctx, method, path, "application/json", payload, answer)
}

// upload is call with a body of another kind.
func (r *rest) upload(ctx context.Context, method, path, kind string, body []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.addr+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	req.Header.Set("Accept-Language", "en")
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	if method == http.MethodPost {
		req.Header.Set("Idempotency-Key", rand.Text())
	}
	res, err := r.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 400 {
		return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, raw)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(raw, answer)
}

// stream sends lines of NDJSON and counts those of the answer.
func (r *rest) stream(ctx context.Context, path string, lines []byte, want int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.addr+path, bytes.NewReader(lines))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	req.Header.Set("Content-Type", "application/x-ndjson")
	res, err := r.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if told := bytes.Count(raw, []byte("\n")); res.StatusCode != http.StatusOK || told != want {
		return fmt.Errorf("POST %s: %s: %d lines of %d: %.200s", path, res.Status, told, want, raw)
	}
	return nil
}
