package database

import "fmt"

// Proof is what verify found for one invariant: how many rows it checked and
// each breach in a sentence naming the row.
type Proof struct {
	ID      string // V1, V2, …
	Says    string // the invariant in a few words
	Checked int64
	Broken  []string
}

// breaches bounds how many are named; the rest is only counted.
const breaches = 50

// Break notes a breach.
func (p *Proof) Break(format string, args ...any) {
	if len(p.Broken) < breaches {
		p.Broken = append(p.Broken, fmt.Sprintf(format, args...))
	}
}
