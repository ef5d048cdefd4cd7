package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	qrcode "github.com/skip2/go-qrcode"

	"siyu/internal/qr"
)

// qrMembers are few: one of them has the code.
const qrMembers = 1000

// runQR measures drawing a code against go-qrcode's own PNG, and answering a
// drawn one against bare gin with the same bytes.
func runQR(ctx context.Context, l *lab) error {
	if err := l.drawing(ctx); err != nil {
		return err
	}
	// One key asks for everything, far above what one member of staff may.
	h, err := l.startHouse(ctx, "SIYU_RATE_STAFF=1000000000")
	if err != nil {
		return err
	}
	l.houses = append(l.houses, h)
	if err := l.startFront(ctx, 0); err != nil {
		return err
	}
	code, err := l.codeOf(ctx)
	if err != nil {
		return err
	}
	png, err := l.fetch(ctx, "/v1/codes/"+code+"/qr.png")
	if err != nil {
		return err
	}
	if err := l.front.take(ctx, png); err != nil {
		return err
	}
	ours := l.getting("siyu", "the house, a code drawn before", h.addr, h.pid(), "/v1/codes/"+code+"/qr.png")
	gin := l.getting("gin", "bare gin with the same bytes", l.front.bare, l.front.pid(), "/picture")
	for _, s := range []subject{ours, gin} {
		if _, err := l.turn(ctx, s.warm(), -1); err != nil {
			return err
		}
	}
	if err := l.play(ctx, []subject{ours, gin}); err != nil {
		return err
	}
	l.table()
	l.printf("  %.2f × %s (goal 0.70)\n", l.ratio("siyu", "gin", rateOf), gin.says)
	return nil
}

// drawsPerRound is how many codes either side draws in a round.
const drawsPerRound = 400

// drawing draws the same codes with either, turn by turn, on one core.
func (l *lab) drawing(ctx context.Context) error {
	var faster, heavier, drawn []float64
	for round := range l.rounds {
		texts := make([]string, drawsPerRound)
		for i := range texts {
			texts[i] = fmt.Sprintf("https://q.example/i/K7M2VE%06X", round*drawsPerRound+i)
		}
		began := time.Now()
		theirBytes := 0
		for _, text := range texts {
			q, err := qrcode.New(text, qrcode.Medium)
			if err != nil {
				return err
			}
			png, err := q.PNG(-8)
			if err != nil {
				return err
			}
			theirBytes += len(png)
		}
		theirs := time.Since(began)
		began = time.Now()
		ourBytes := 0
		for _, text := range texts {
			s, err := qr.New(text)
			if err != nil {
				return err
			}
			ourBytes += len(s.PNG(8))
		}
		ours := time.Since(began)
		faster = append(faster, float64(theirs)/float64(ours))
		heavier = append(heavier, float64(ourBytes)/float64(theirBytes))
		drawn = append(drawn, drawsPerRound/ours.Seconds())
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	l.printf("  drawn: %.0f/s on one core, %.1f × go-qrcode's PNG (goal 2), %.2f × its bytes (goal at most 3); medians of %d rounds of %d codes\n",
		median(drawn), median(faster), median(heavier), l.rounds, drawsPerRound)
	return nil
}

// codeOf makes a program and the code of the first member.
func (l *lab) codeOf(ctx context.Context) (string, error) {
	var made struct {
		ID   string `json:"id"`
		Code string `json:"code"`
	}
	if err := l.rest.call(ctx, http.MethodPost, "/v1/programs", benchProgram, &made); err != nil {
		return "", err
	}
	err := l.rest.call(ctx, http.MethodPost, "/v1/codes", map[string]any{"program_id": made.ID, "inviter_id": l.crowd.ids[0]}, &made)
	return made.Code, err
}

// fetch reads a picture of the house.
func (l *lab) fetch(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.rest.addr+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+l.key)
	res, err := l.rest.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("GET %s: %s: %s", path, res.Status, body))
	}
	return body, err
}

// take gives the front the picture that bare gin answers.
func (f *front) take(ctx context.Context, png []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+f.bare+"/picture", bytes.NewReader(png))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// getting is one page asked for by staff again and again.
func (l *lab) getting(name, says, addr string, pid int, path string) subject {
	request := "GET " + path + " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + l.key + "\r\n\r\n"
	return subject{
		name: name, says: says, addrs: []string{addr}, pids: []int{pid}, codes: []int{http.StatusOK},
		source: func(context.Context, int) (source, error) {
			return source{count: mostCount, write: func(buf []byte, _ int) []byte { return append(buf, request...) }}, nil
		},
	}
}
