package wallet

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// account is the business key of an account.
type account struct {
	stage    Stage
	owner    Owner
	currency string
}

func (a account) compare(b account) int {
	return cmp.Or(cmp.Compare(a.stage, b.stage), cmp.Compare(a.owner.Kind, b.owner.Kind), cmp.Compare(a.owner.ID, b.owner.ID), cmp.Compare(a.currency, b.currency))
}

func (l Leg) account(currency string) account { return account{l.Stage, l.Owner, currency} }

// accountRow is an account as a locking read sees it.
type accountRow struct {
	ID        id.Account
	Stage     Stage
	OwnerKind OwnerKind
	OwnerID   int64
	Currency  string
	Balance   money.Amount
}

func (r accountRow) account() account {
	return account{r.Stage, Owner{r.OwnerKind, r.OwnerID}, r.Currency}
}

// lockTx returns the accounts with their rows locked, ids ascending, made if
// they were missing.
func lockTx(tx *database.Tx, want map[account]bool) (map[account]accountRow, error) {
	ids, err := findTx(tx, want)
	if err != nil {
		return nil, err
	}
	var missing []account
	for a := range want {
		if _, ok := ids[a]; !ok {
			missing = append(missing, a)
		}
	}
	if len(missing) > 0 {
		if err := openTx(tx, missing); err != nil {
			return nil, err
		}
		// Read again: an account may be ours or a twin's that came first.
		if ids, err = findTx(tx, want); err != nil {
			return nil, err
		}
	}
	var rows []accountRow
	err = tx.Raw("SELECT id, stage, owner_kind, owner_id, currency, balance FROM accounts WHERE id IN ? ORDER BY id"+
		tx.Dialect.ForUpdate, slices.Sorted(maps.Values(ids))).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("wallet: lock accounts: %w", err)
	}
	if len(rows) != len(want) {
		return nil, fmt.Errorf("wallet: %d accounts wanted, %d found", len(want), len(rows))
	}
	out := make(map[account]accountRow, len(rows))
	for _, r := range rows {
		out[r.account()] = r
	}
	return out, nil
}

// findTx looks the ids up, one statement per stage, kind of owner and
// currency, which the unique index serves; SQLite has no list of tuples.
func findTx(tx *database.Tx, want map[account]bool) (map[account]id.Account, error) {
	type family struct {
		stage    Stage
		kind     OwnerKind
		currency string
	}
	owners := map[family][]int64{}
	for a := range want {
		f := family{a.stage, a.owner.Kind, a.currency}
		owners[f] = append(owners[f], a.owner.ID)
	}
	out := make(map[account]id.Account, len(want))
	for f, list := range owners {
		var rows []accountRow
		err := tx.Raw(`SELECT id, stage, owner_kind, owner_id, currency FROM accounts
			WHERE stage = ? AND owner_kind = ? AND owner_id IN ? AND currency = ?`,
			f.stage, f.kind, list, f.currency).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("wallet: find accounts: %w", err)
		}
		for _, r := range rows {
			out[r.account()] = r.ID
		}
	}
	return out, nil
}

// openTx makes the accounts, in one statement unless a twin just made one.
func openTx(tx *database.Tx, missing []account) error {
	slices.SortFunc(missing, account.compare)
	list := make([]any, len(missing))
	for i, a := range missing {
		guarded := 0
		if a.stage.guarded() {
			guarded = 1
		}
		list[i] = []any{tx.Next(), a.stage, a.owner.Kind, a.owner.ID, a.currency, 0, guarded, tx.Now}
	}
	insert := func(list ...any) error {
		return tx.Exec("INSERT INTO accounts (id, stage, owner_kind, owner_id, currency, balance, guarded, created_at) VALUES "+rows(list), list...).Error
	}
	err := insert(list...)
	if !database.IsDuplicate(err) {
		return err
	}
	for _, row := range list { // a twin made one meanwhile
		if err := insert(row); err != nil && !database.IsDuplicate(err) {
			return fmt.Errorf("wallet: open account: %w", err)
		}
	}
	return nil
}

// addTx adds the changes to the balances: the guarded accounts one by one
// under their condition, the others some to a statement.
func addTx(tx *database.Tx, change map[id.Account]money.Amount, guarded map[id.Account]bool) error {
	var free []id.Account
	for _, a := range slices.Sorted(maps.Keys(change)) {
		n := change[a]
		switch {
		case n == 0:
		case guarded[a]:
			res := tx.Exec("UPDATE accounts SET balance = balance + ? WHERE id = ?"+tx.Only("balance + ? >= 0"), n, a, n)
			if err := database.One(res, ErrInsufficient); err != nil {
				return err
			}
		default:
			free = append(free, a)
		}
	}
	for part := range slices.Chunk(free, caseMost) {
		if err := addFreeTx(tx, part, change); err != nil {
			return err
		}
	}
	return nil
}

// caseMost is how many balances one statement changes, and how many owners one
// looks up.
const caseMost = 190

func addFreeTx(tx *database.Tx, free []id.Account, change map[id.Account]money.Amount) error {
	var b strings.Builder
	b.Grow(60 * len(free))
	b.WriteString("UPDATE accounts SET balance = balance + ")
	splitCase(&b, free, change)
	b.WriteString(" WHERE id IN ")
	for i, a := range free {
		b.WriteByte("(,"[min(i, 1)])
		writeInt(&b, int64(a))
	}
	b.WriteByte(')')
	res := tx.Exec(b.String())
	if res.Error != nil {
		return fmt.Errorf("wallet: balances: %w", res.Error)
	}
	if int(res.RowsAffected) != len(free) {
		return fmt.Errorf("wallet: %d balances changed of %d", res.RowsAffected, len(free))
	}
	return nil
}

// splitCase writes the change of each of the accounts, ids ascending, as a CASE
// that halves the list at each step: engines search a flat one from its first
// WHEN for every row, so a long one costs its square.
func splitCase(b *strings.Builder, ids []id.Account, change map[id.Account]money.Amount) {
	if len(ids) == 1 {
		writeInt(b, int64(change[ids[0]]))
		return
	}
	half := len(ids) / 2
	b.WriteString("CASE WHEN id < ")
	writeInt(b, int64(ids[half]))
	b.WriteString(" THEN ")
	splitCase(b, ids[:half], change)
	b.WriteString(" ELSE ")
	splitCase(b, ids[half:], change)
	b.WriteString(" END")
}
