package wallet

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
)

// bookKey is where a line of a close is summed.
type bookKey struct {
	Kind      string
	Stage     Stage
	OwnerKind OwnerKind
	Currency  string
}

// holding is what the balances of a close are kept by: a key without its kind.
func (k bookKey) holding() bookKey { k.Kind = ""; return k }

func (k bookKey) compare(o bookKey) int {
	return cmp.Or(cmp.Compare(k.Currency, o.Currency), cmp.Compare(k.Kind, o.Kind), cmp.Compare(k.Stage, o.Stage), cmp.Compare(k.OwnerKind, o.OwnerKind))
}

func (l CloseLine) key() bookKey    { return bookKey{l.Kind, l.Stage, l.OwnerKind, l.Currency} }
func (b CloseBalance) key() bookKey { return bookKey{"", b.Stage, b.OwnerKind, b.Currency} }

// book is what a close sums up to while its transfers are read.
type book struct {
	transfers, entries, late int64
	lines                    map[bookKey]CloseLine
	rows                     hash.Hash
}

// bookedTransfer and bookedEntry are the ledger as a close reads it.
type bookedTransfer struct {
	ID          id.Transfer
	TransferKey string
	Kind        string
	Currency    string
	Corrects    id.Transfer
	At          clock.Milli
}

type bookedEntry struct {
	ID         int64
	TransferID id.Transfer
	Stage      Stage
	OwnerKind  OwnerKind
	OwnerID    int64
	Currency   string
	Amount     money.Amount
}

// add sums a transfer up and writes its canonical form into the digest.
func (b *book) add(t bookedTransfer, legs []bookedEntry, before clock.Milli) {
	b.transfers++
	if t.At < before {
		b.late++
	}
	fmt.Fprintf(b.rows, "transfer %s %d:%s %s %s %s %d\n", t.ID, len(t.TransferKey), t.TransferKey, t.Kind, t.Currency, t.Corrects, t.At)
	for _, e := range legs {
		b.entries++
		fmt.Fprintf(b.rows, "entry %d %s %s %d %s %d\n", e.ID, e.Stage, e.OwnerKind, e.OwnerID, e.Currency, int64(e.Amount))
		k := bookKey{t.Kind, e.Stage, e.OwnerKind, e.Currency}
		l := b.lines[k]
		l.Kind, l.Stage, l.OwnerKind, l.Currency = k.Kind, k.Stage, k.OwnerKind, k.Currency
		l.Entries++
		if e.Amount > 0 {
			l.Came += e.Amount
		} else {
			l.Went -= e.Amount
		}
		b.lines[k] = l
	}
}

// readBook reads the transfers of a close, 200 at a time. They and their
// entries never change, and none joins once the close is frozen, so no
// snapshot is needed to hold them still.
func readBook(q *database.Query, no int64, before clock.Milli) (book, error) {
	b := book{lines: map[bookKey]CloseLine{}, rows: sha256.New()}
	var last bookedTransfer
	for {
		var ts []bookedTransfer
		err := q.Raw(`SELECT id, transfer_key, kind, currency, corrects, at FROM transfers
			WHERE close_no = ? AND at >= ? AND (at > ? OR id > ?) ORDER BY at, id LIMIT 200`,
			no, last.At, last.At, last.ID).Scan(&ts).Error
		if err != nil || len(ts) == 0 {
			return b, err
		}
		ids := make([]id.Transfer, len(ts))
		for i, t := range ts {
			ids[i] = t.ID
		}
		var es []bookedEntry
		err = q.Raw(`SELECT e.id, e.transfer_id, a.stage, a.owner_kind, a.owner_id, e.currency, e.amount
			FROM entries e JOIN accounts a ON a.id = e.account_id WHERE e.transfer_id IN ? ORDER BY e.transfer_id, e.id`, ids).Scan(&es).Error
		if err != nil {
			return b, err
		}
		legs := make(map[id.Transfer][]bookedEntry, len(ts))
		for _, e := range es {
			legs[e.TransferID] = append(legs[e.TransferID], e)
		}
		for _, t := range ts {
			b.add(t, legs[t.ID], before)
		}
		last = ts[len(ts)-1]
	}
}

// sorted are the lines in the order in which they are kept and sealed.
func (b book) sorted() []CloseLine {
	keys := slices.SortedFunc(maps.Keys(b.lines), bookKey.compare)
	out := make([]CloseLine, len(keys))
	for i, k := range keys {
		out[i] = b.lines[k]
	}
	return out
}

// carried are the balances after the lines, from those of the close before.
func carried(before []CloseBalance, lines []CloseLine) []CloseBalance {
	all := map[bookKey]CloseBalance{}
	for _, b := range before {
		all[b.key()] = CloseBalance{b.Stage, b.OwnerKind, b.Currency, b.Closing, 0, b.Closing}
	}
	for _, l := range lines {
		k := l.key().holding()
		b := all[k]
		b.Stage, b.OwnerKind, b.Currency = l.Stage, l.OwnerKind, l.Currency
		b.Moved += l.Came - l.Went
		b.Closing = b.Opening + b.Moved
		all[k] = b
	}
	out := slices.Collect(maps.Values(all))
	slices.SortFunc(out, func(a, b CloseBalance) int { return a.key().compare(b.key()) })
	return out
}

// sealClose sums a frozen close up outside any transaction and seals it in a
// short one.
func (s *Service) sealClose(ctx context.Context, c Close) error {
	q := s.DB.Read(ctx)
	last, err := findSealed(q, c.No-1)
	if err != nil {
		return err
	}
	b, err := readBook(q, c.No, last.Until)
	if err != nil {
		return fmt.Errorf("wallet: sum up close %d: %w", c.No, err)
	}
	c.Entries, c.Late, c.RowsDigest, c.Previous = b.entries, b.late, hex.EncodeToString(b.rows.Sum(nil)), last.Digest
	c.Lines = b.sorted()
	c.Balances = carried(last.Balances, c.Lines)
	if c.Transfers != b.transfers {
		return fmt.Errorf("wallet: close %d took %d transfers, %d are found", c.No, c.Transfers, b.transfers)
	}
	database.KillPoint("wallet:close_summed")
	return s.DB.Tx(ctx, func(tx *database.Tx) error { return sealCloseTx(tx, c) })
}

func sealCloseTx(tx *database.Tx, c Close) error {
	c.SealedAt = tx.Now
	c.Digest = c.seal()
	err := database.One(tx.Exec(`UPDATE ledger_closes SET status = ?, entry_count = ?, late_count = ?, rows_digest = ?, previous = ?, digest = ?, sealed_at = ?
		WHERE no = ?`+tx.Only("status = ? AND transfer_count = ?"),
		CloseSealed, c.Entries, c.Late, c.RowsDigest, c.Previous, c.Digest, c.SealedAt, c.No, CloseSumming, c.Transfers), errAnother)
	if err != nil {
		return err
	}
	var lines, balances []any
	for _, l := range c.Lines {
		lines = append(lines, []any{c.No, l.Kind, l.Stage, l.OwnerKind, l.Currency, l.Entries, l.Came, l.Went})
	}
	for _, b := range c.Balances {
		balances = append(balances, []any{c.No, b.Stage, b.OwnerKind, b.Currency, b.Opening, b.Moved, b.Closing})
	}
	for part := range slices.Chunk(lines, 500) {
		err := tx.Exec("INSERT INTO ledger_close_lines (close_no, kind, stage, owner_kind, currency, entry_count, came, went) VALUES "+rows(part), part...).Error
		if err != nil {
			return fmt.Errorf("wallet: lines of close %d: %w", c.No, err)
		}
	}
	for part := range slices.Chunk(balances, 500) {
		err := tx.Exec("INSERT INTO ledger_close_balances (close_no, stage, owner_kind, currency, opening, moved, closing) VALUES "+rows(part), part...).Error
		if err != nil {
			return fmt.Errorf("wallet: balances of close %d: %w", c.No, err)
		}
	}
	return webhook.PublishTx(tx, eventLedgerClosed, map[string]any{"no": c.No, "day": c.Day, "transfer_count": c.Transfers, "late_count": c.Late, "digest": c.Digest})
}

// seal is the close's digest: all that is fixed from now on, and the digest of
// the close before.
func (c Close) seal() string {
	b := fmt.Appendf(nil, "siyu.ledger_close.1\nno %d\nprevious %s\nday %d\nuntil %d\nopened %s %d\nsealed %d\ntransfers %d\nentries %d\nlate %d\nrows %s\n",
		c.No, c.Previous, c.Day, c.Until, c.OpenedBy, c.OpenedAt, c.SealedAt, c.Transfers, c.Entries, c.Late, c.RowsDigest)
	for _, l := range c.Lines {
		b = fmt.Appendf(b, "line %s %s %s %s %d %d %d\n", l.Kind, l.Stage, l.OwnerKind, l.Currency, l.Entries, int64(l.Came), int64(l.Went))
	}
	for _, x := range c.Balances {
		b = fmt.Appendf(b, "balance %s %s %s %d %d %d\n", x.Stage, x.OwnerKind, x.Currency, int64(x.Opening), int64(x.Moved), int64(x.Closing))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
