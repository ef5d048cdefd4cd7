package wallet

import (
	"cmp"
	"fmt"
	"slices"

	"siyu/internal/id"
	"siyu/internal/money"
)

// check refuses what can only be a mistake of the calling room, so these are
// plain errors and not faults.
func (t Transfer) check() error {
	if t.Key == "" || len(t.Key) > 128 || t.Kind == "" || len(t.Kind) > 32 {
		return fmt.Errorf("wallet: transfer %q of kind %q: key and kind must be set and fit", t.Key, t.Kind)
	}
	if t.Currency != money.CNY && t.Currency != money.PTS {
		return fmt.Errorf("wallet: transfer %q: unknown currency %q", t.Key, t.Currency)
	}
	var sum money.Amount
	seen := make(map[account]bool, len(t.Legs))
	for _, l := range t.Legs {
		a := l.account(t.Currency)
		if !l.Stage.known() || l.Amount == 0 || seen[a] {
			return fmt.Errorf("wallet: transfer %q: leg %+v has no stage, no amount or the account of another leg", t.Key, l)
		}
		seen[a] = true
		sum += l.Amount
	}
	if len(t.Legs) < 2 || sum != 0 {
		return fmt.Errorf("wallet: transfer %q: %d legs sum to %d, not to zero", t.Key, len(t.Legs), sum)
	}
	return nil
}

// same says whether two transfers state the same fact, in any order of legs.
func (t Transfer) same(o Transfer) bool {
	return t.Kind == o.Kind && t.Currency == o.Currency && t.Corrects == o.Corrects &&
		slices.Equal(sorted(t.Legs), sorted(o.Legs))
}

func sorted(legs []Leg) []Leg {
	out := slices.Clone(legs)
	slices.SortFunc(out, func(a, b Leg) int {
		return cmp.Or(cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Owner.Kind, b.Owner.Kind), cmp.Compare(a.Owner.ID, b.Owner.ID))
	})
	return out
}

// batch is a checked list of transfers: each key once.
type batch struct {
	list  []Transfer
	place map[string]int // key → index in list
}

// maxRows keeps one call below the bound of a transaction.
const maxRows = 2000

func newBatch(ts []Transfer) (batch, error) {
	b := batch{place: make(map[string]int, len(ts))}
	rows := 0
	for _, t := range ts {
		if err := t.check(); err != nil {
			return b, err
		}
		if i, twice := b.place[t.Key]; twice {
			if !b.list[i].same(t) {
				return b, ErrKeyReused
			}
			continue
		}
		b.place[t.Key] = len(b.list)
		b.list = append(b.list, t)
		rows += 1 + 2*len(t.Legs)
	}
	if rows > maxRows {
		return b, fmt.Errorf("wallet: %d transfers may touch %d rows; post at most %d at once", len(ts), rows, maxRows)
	}
	return b, nil
}

// answer gives the ids in the order the transfers were asked for.
func (b batch) answer(ts []Transfer, ids map[string]id.Transfer) []id.Transfer {
	out := make([]id.Transfer, len(ts))
	for i, t := range ts {
		out[i] = ids[t.Key]
	}
	return out
}
