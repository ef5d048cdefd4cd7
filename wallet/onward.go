package wallet

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Onward is a transfer by which money of many members goes on from one stage to
// another, neither of them guarded.
type Onward struct {
	Key, Kind, Currency string
	From, To            Stage
	Sums                map[id.Member]money.Amount
}

// OnwardTx writes such transfers in as few statements as it can: no balance
// refuses them, so none is read first, and each key must be new, so none is
// looked up. It returns their ids in order.
func OnwardTx(tx *database.Tx, list []Onward) ([]id.Transfer, error) {
	ids := make([]id.Transfer, len(list))
	var heads []any
	var legs []onwardLeg
	change := map[id.Account]money.Amount{}
	for i, o := range list {
		own, err := o.legsTx(tx)
		if err != nil {
			return nil, err
		}
		ids[i] = id.Transfer(tx.Next())
		heads = append(heads, []any{ids[i], o.Key, o.Kind, o.Currency, 0, tx.Now})
		for _, l := range own {
			l.transfer = ids[i]
			change[l.account] += l.amount
			legs = append(legs, l)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	if err := addTx(tx, change, nil); err != nil {
		return nil, err
	}
	if err := tx.Exec("INSERT INTO transfers (id, transfer_key, kind, currency, corrects, at) VALUES "+rows(heads), heads...).Error; err != nil {
		return nil, fmt.Errorf("wallet: transfers: %w", err)
	}
	return ids, enterTx(tx, legs)
}

// plain says that a currency may be written into a statement as it is.
func plain(currency string) bool {
	return currency != "" && !strings.ContainsFunc(currency, func(r rune) bool { return r < 'A' || r > 'Z' })
}

type onwardLeg struct {
	transfer id.Transfer
	account  id.Account
	currency string
	amount   money.Amount
}

// legsTx are the legs of the transfer, its accounts made if they were missing.
func (o Onward) legsTx(tx *database.Tx) ([]onwardLeg, error) {
	if !o.From.known() || !o.To.known() || o.From.guarded() || o.To.guarded() || len(o.Sums) == 0 || !plain(o.Currency) {
		return nil, fmt.Errorf("wallet: %s moves %q of %d members from %q to %q", o.Key, o.Currency, len(o.Sums), o.From, o.To)
	}
	members := slices.Sorted(maps.Keys(o.Sums))
	from, err := accountsTx(tx, o.From, o.Currency, members)
	if err != nil {
		return nil, err
	}
	to, err := accountsTx(tx, o.To, o.Currency, members)
	if err != nil {
		return nil, err
	}
	legs := make([]onwardLeg, 0, 2*len(members))
	for _, m := range members {
		legs = append(legs, onwardLeg{0, from[m], o.Currency, -o.Sums[m]}, onwardLeg{0, to[m], o.Currency, o.Sums[m]})
	}
	return legs, nil
}

// accountsTx finds the members' accounts of a stage, not locked, and makes
// those that are missing.
func accountsTx(tx *database.Tx, s Stage, currency string, members []id.Member) (map[id.Member]id.Account, error) {
	out := make(map[id.Member]id.Account, len(members))
	find := func(list []id.Member) error {
		for part := range slices.Chunk(list, caseMost) {
			err := tx.Queries(database.Read{
				SQL:  "SELECT owner_id, id FROM accounts WHERE stage = ? AND owner_kind = ? AND owner_id IN ? AND currency = ?",
				Args: []any{string(s), string(OwnerMember), part, currency},
				Row: func(rows database.Row) error {
					var owner, account int64
					err := rows.Scan(&owner, &account)
					out[id.Member(owner)] = id.Account(account)
					return err
				},
			})
			if err != nil {
				return fmt.Errorf("wallet: find accounts: %w", err)
			}
		}
		return nil
	}
	if err := find(members); err != nil || len(out) == len(members) {
		return out, err
	}
	var missing []account
	var again []id.Member
	for _, m := range members {
		if out[m] == 0 {
			missing, again = append(missing, account{s, Member(m), currency}), append(again, m)
		}
	}
	if err := openTx(tx, missing); err != nil {
		return nil, err
	}
	// Read again: an account may be ours or a twin's that came first.
	if err := find(again); err != nil {
		return nil, err
	}
	if len(out) != len(members) {
		return nil, fmt.Errorf("wallet: %d accounts wanted, %d found", len(members), len(out))
	}
	return out, nil
}

// enterTx writes the entries in the order of their accounts, which is the order
// of the book's index.
func enterTx(tx *database.Tx, legs []onwardLeg) error {
	slices.SortStableFunc(legs, func(a, b onwardLeg) int { return cmp.Compare(a.account, b.account) })
	var b strings.Builder
	b.Grow(80 * len(legs))
	b.WriteString("INSERT INTO entries (id, transfer_id, account_id, currency, amount, at) VALUES ")
	next := tx.Block(len(legs))
	for i, l := range legs {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for _, n := range []int64{next + int64(i), int64(l.transfer), int64(l.account)} {
			writeInt(&b, n)
			b.WriteByte(',')
		}
		b.WriteString("'" + l.currency + "',")
		writeInt(&b, int64(l.amount))
		b.WriteByte(',')
		writeInt(&b, int64(tx.Now))
		b.WriteByte(')')
	}
	if err := tx.Exec(b.String()).Error; err != nil {
		return fmt.Errorf("wallet: entries: %w", err)
	}
	return nil
}

func writeInt(b *strings.Builder, n int64) {
	var digits [20]byte
	b.Write(strconv.AppendInt(digits[:0], n, 10))
}
