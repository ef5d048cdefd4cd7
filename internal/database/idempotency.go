package database

import (
	"context"
	"fmt"

	"siyu/internal/fault"
)

// Key is an Idempotency-Key as api puts it into the context. The first
// transaction under that context binds it, in the same commit as its effect.
type Key struct {
	Principal string
	Route     string
	Key       string
	Hash      string // SHA-256 of the input, hex

	used bool // the key's transaction has committed
}

// Result names what a keyed call made, so that a replay shows it again.
type Result struct {
	Kind   string
	ID     int64
	Status int
}

// Replayed is the error by which a repeated call learns that its effect
// already stands.
type Replayed struct{ Result }

// Error says what stands.
func (r *Replayed) Error() string {
	return fmt.Sprintf("database: replay of %s %d", r.Kind, r.ID)
}

// The refusals of a key.
var (
	ErrKeyReused   = fault.New(fault.KindUnprocessable, "idempotency.key_reused", "该 Idempotency-Key 已用于不同的请求，请换一个", "this Idempotency-Key was used with another input; take a new one")
	ErrKeyInFlight = fault.New(fault.KindConflict, "idempotency.in_flight", "相同请求正在处理，请稍后重试", "the same call is still running; repeat it in a moment")
)

type idemKey struct{}

// WithKey puts an idempotency key into the context.
func WithKey(ctx context.Context, k Key) context.Context {
	return context.WithValue(ctx, idemKey{}, &k)
}

// WithoutKey takes the key away, for a transaction that is not the call's own
// effect.
func WithoutKey(ctx context.Context) context.Context {
	return context.WithValue(ctx, idemKey{}, (*Key)(nil))
}

func keyOf(ctx context.Context) *Key {
	k, _ := ctx.Value(idemKey{}).(*Key)
	if k == nil || k.used {
		return nil
	}
	return k
}

// KeyOf is the context's key, for the one caller (claims) that keeps it on its
// own row.
func KeyOf(ctx context.Context) (Key, bool) {
	k, _ := ctx.Value(idemKey{}).(*Key)
	if k == nil {
		return Key{}, false
	}
	return *k, true
}

// SetResult names what this transaction made; the last call counts.
func (tx *Tx) SetResult(kind string, id int64, status int) {
	tx.result = &Result{kind, id, status}
}

// bindKey inserts the key as the transaction's first write. A twin waits on
// the unique key for at most 2 s and is not tried again.
func (tx *Tx) bindKey() error {
	k := tx.key
	insert := `INSERT INTO idempotency (principal, route, idem_key, input_hash, result_kind, result_id, status, created_at)
		VALUES (?, ?, ?, ?, '', 0, 0, ?)`
	if tx.Dialect.Name == "mysql" {
		if err := tx.Exec("SET SESSION innodb_lock_wait_timeout = 2").Error; err != nil {
			return err
		}
		defer tx.Exec("SET SESSION innodb_lock_wait_timeout = 5")
	}
	err := tx.Exec(tx.Dialect.shortWait+insert, k.Principal, k.Route, k.Key, k.Hash, tx.Now).Error
	switch {
	case err == nil:
		return nil
	case isLockWait(err):
		return ErrKeyInFlight
	case !IsDuplicate(err):
		return err
	}
	var row struct {
		InputHash  string
		ResultKind string
		ResultID   int64
		Status     int
	}
	err = tx.Raw(`SELECT input_hash, result_kind, result_id, status FROM idempotency
		WHERE principal = ? AND route = ? AND idem_key = ?`, k.Principal, k.Route, k.Key).Scan(&row).Error
	switch {
	case err != nil:
		return err
	case row.InputHash != k.Hash:
		return ErrKeyReused
	}
	return &Replayed{Result{row.ResultKind, row.ResultID, row.Status}}
}

func (tx *Tx) storeResult() error {
	if tx.result == nil {
		return fmt.Errorf("database: a keyed call to %s set no result", tx.key.Route)
	}
	k, r := tx.key, tx.result
	return tx.Exec(`UPDATE idempotency SET result_kind = ?, result_id = ?, status = ?
		WHERE principal = ? AND route = ? AND idem_key = ?`, r.Kind, r.ID, r.Status, k.Principal, k.Route, k.Key).Error
}
