package wallet

import (
	"context"
	"database/sql/driver"
	"maps"
	"math"
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// walkEntries is how many entries one snapshot checks, and how many transfers
// at most.
const walkEntries = 4000

// wholeMost is below the number of ids from which on an engine guesses what an
// IN list will find.
const wholeMost = 190

// bookEntry is an entry as the walk reads it.
type bookEntry struct {
	id       int64
	transfer id.Transfer
	account  id.Account
	currency string
	amount   money.Amount
}

// transferSum is what the walk has seen of a transfer.
type transferSum struct {
	currency string
	n        int
	total    money.Amount
}

func (s transferSum) whole() bool { return s.n >= 2 && s.total == 0 }

// transferWalk goes through transfers and entries side by side, as they lie in
// the store: their ids are of one kind, and a transfer lies just before its
// entries. So both are read once, in order, and held together in memory.
type transferWalk struct {
	accounts map[id.Account]string // currencies of those met so far
	after    int64
	entries  []bookEntry
	sums     map[id.Transfer]transferSum
}

func proveTransfers(ctx context.Context, db *database.DB, p *database.Proof) error {
	w := transferWalk{accounts: map[id.Account]string{}}
	for w.after < math.MaxInt64 {
		if err := db.Snapshot(ctx, func(q *database.Query) error { return w.next(q, p) }); err != nil {
			return err
		}
	}
	return nil
}

// next checks one stretch of ids. What is not whole within it goes on beyond it
// or was not committed when the stretch before was read, and is read by itself.
func (w *transferWalk) next(q *database.Query, p *database.Proof) error {
	upto, err := w.read(q)
	if err != nil {
		return err
	}
	p.Checked += int64(len(w.entries) + len(w.sums))
	if err := w.meet(q); err != nil {
		return err
	}
	strange := map[id.Transfer]string{} // transfers of other stretches, and their currencies
	for _, e := range w.entries {
		if _, here := w.sums[e.transfer]; !here {
			strange[e.transfer] = ""
		}
	}
	if err := namesOf(q, "transfers", strange); err != nil {
		return err
	}
	torn := map[id.Transfer]bool{}
	for _, e := range w.entries {
		s, here := w.sums[e.transfer]
		if !here {
			s.currency, torn[e.transfer] = strange[e.transfer], true
		}
		if s.currency != e.currency || w.accounts[e.account] != e.currency {
			p.Break("entry %d of transfer %s has no transfer or no account of its currency", e.id, e.transfer)
		}
		if s.n, s.total = s.n+1, s.total+e.amount; here {
			w.sums[e.transfer] = s
		}
	}
	for t, s := range w.sums {
		if !s.whole() {
			torn[t] = true
		}
	}
	w.after = upto
	return proveWhole(q, slices.Sorted(maps.Keys(torn)), p)
}

// read reads the entries and transfers of the next stretch and says where it
// ends.
func (w *transferWalk) read(q *database.Query) (upto int64, err error) {
	w.entries, w.sums, upto = w.entries[:0], map[id.Transfer]transferSum{}, math.MaxInt64
	err = database.EachRow(q, "SELECT id, transfer_id, account_id, amount, currency FROM entries WHERE id > ? ORDER BY id LIMIT ?", []any{w.after, walkEntries},
		func(row []driver.Value) error {
			n, err := database.Numbers(row[:4])
			w.entries = append(w.entries, bookEntry{n[0], id.Transfer(n[1]), id.Account(n[2]), database.Text(row[4]), money.Amount(n[3])})
			return err
		})
	if err != nil {
		return 0, err
	}
	if len(w.entries) == walkEntries {
		upto = w.entries[walkEntries-1].id
	}
	last := int64(0)
	err = database.EachRow(q, "SELECT id, currency FROM transfers WHERE id > ? AND id <= ? ORDER BY id LIMIT ?", []any{w.after, upto, walkEntries},
		func(row []driver.Value) error {
			n, err := database.Numbers(row[:1])
			w.sums[id.Transfer(n[0])], last = transferSum{currency: database.Text(row[1])}, n[0]
			return err
		})
	if len(w.sums) == walkEntries { // entries are missing: those that are there wait for their transfers
		upto = last
		w.entries = slices.DeleteFunc(w.entries, func(e bookEntry) bool { return e.id > upto })
	}
	return upto, err
}

// accountsKept bounds the memory of a walk.
const accountsKept = 250_000

// meet reads the accounts of the stretch that the walk has not met.
func (w *transferWalk) meet(q *database.Query) error {
	if len(w.accounts) > accountsKept {
		clear(w.accounts)
	}
	fresh := map[id.Account]string{}
	for _, e := range w.entries {
		if _, met := w.accounts[e.account]; !met {
			fresh[e.account] = ""
		}
	}
	err := namesOf(q, "accounts", fresh)
	maps.Copy(w.accounts, fresh)
	return err
}

// namesOf reads the currencies of rows by their ids; what is not there has
// none.
func namesOf[K ~int64](q *database.Query, table string, of map[K]string) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(of)), wholeMost) {
		var rows []struct {
			ID       int64
			Currency string
		}
		if err := q.Raw("SELECT id, currency FROM "+table+" WHERE id IN ?", part).Scan(&rows).Error; err != nil {
			return err
		}
		for _, r := range rows {
			of[K(r.ID)] = r.Currency
		}
	}
	return nil
}

// proveWhole reads all entries of transfers.
func proveWhole(q *database.Query, list []id.Transfer, p *database.Proof) error {
	for part := range slices.Chunk(list, wholeMost) {
		var rows []struct {
			TransferID id.Transfer
			Total      money.Amount
			N          int
		}
		err := q.Raw("SELECT transfer_id, SUM(amount) AS total, COUNT(*) AS n FROM entries WHERE transfer_id IN ? GROUP BY transfer_id", part).Scan(&rows).Error
		if err != nil {
			return err
		}
		sums := make(map[id.Transfer]transferSum, len(rows))
		for _, r := range rows {
			sums[r.TransferID] = transferSum{n: r.N, total: r.Total}
		}
		for _, t := range part {
			s := sums[t]
			if s.n < 2 {
				p.Break("transfer %s has %d entries", t, s.n)
			}
			if s.total != 0 {
				p.Break("transfer %s has %d entries that sum to %s", t, s.n, s.total)
			}
		}
	}
	return nil
}
