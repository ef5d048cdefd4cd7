package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// siyu is the REST API at the other end.
type siyu struct {
	url, key string
	http     http.Client
}

func fromEnv() *siyu {
	return &siyu{
		url:  strings.TrimSuffix(cmp.Or(os.Getenv("SIYU_URL"), "http://127.0.0.1:8080"), "/"),
		key:  os.Getenv("SIYU_KEY"),
		http: http.Client{Timeout: 20 * time.Second},
	}
}

// problem is a refusal, as RFC 9457 has it.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Error is the refusal in one line.
func (p *problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

// call sends a request until it is answered. A lost answer is no answer: what
// was asked may have happened, so it is asked again under the same key, and
// Siyu does it once. A POST without a key of its own would do it twice.
func (s *siyu) call(ctx context.Context, method, path, key string, body, answer any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	var last error
	for try := range 6 {
		if try > 0 {
			select {
			case <-ctx.Done():
				return errors.Join(ctx.Err(), last)
			case <-time.After(time.Duration(1<<try) * 100 * time.Millisecond):
			}
		}
		if last = s.once(ctx, method, path, key, raw, answer); last == nil {
			return nil
		}
		var p *problem
		if errors.As(last, &p) && p.Status < 500 && p.Status != http.StatusTooManyRequests && p.Code != "idempotency.in_flight" {
			return last // refused; asking again changes nothing
		}
	}
	return last
}

func (s *siyu) once(ctx context.Context, method, path, key string, body []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if method == http.MethodGet {
		req.Body, req.ContentLength = nil, 0
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 400 {
		p := &problem{Status: res.StatusCode}
		if json.Unmarshal(raw, p) != nil {
			p.Detail = string(raw)
		}
		return p
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(raw, answer)
}
