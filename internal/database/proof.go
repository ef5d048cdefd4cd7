package database

import (
	"context"
	"fmt"
	"time"
)

// Proof is what verify found for one invariant: how many rows it checked and
// each breach in a sentence naming the row.
type Proof struct {
	ID      string // V1, V2, …
	Says    string // the invariant in a few words
	Checked int64
	Broken  []string
	Took    time.Duration
}

// Proofs makes one proof after the other and notes how long each took, what
// it waited for others included.
func Proofs(ctx context.Context, db *DB, steps ...func(context.Context, *DB) (Proof, error)) ([]Proof, error) {
	out := make([]Proof, 0, len(steps))
	for _, step := range steps {
		began := time.Now()
		p, err := step(ctx, db)
		if err != nil {
			return nil, err
		}
		p.Took = time.Since(began)
		out = append(out, p)
	}
	return out, nil
}

// breaches bounds how many are named; the rest is only counted.
const breaches = 50

// Break notes a breach.
func (p *Proof) Break(format string, args ...any) {
	if len(p.Broken) < breaches {
		p.Broken = append(p.Broken, fmt.Sprintf(format, args...))
	}
}
