package wallet

import (
	"context"
	"fmt"
	"io"
	"math"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/sheet"
)

// Account is one account of the ledger as people read it. OwnerID is a public
// id, empty for the brand.
type Account struct {
	ID       id.Account   `json:"id"`
	Stage    Stage        `json:"stage"`
	Owner    Owner        `json:"-" gorm:"-"`
	Kind     OwnerKind    `json:"owner_kind" gorm:"column:owner_kind"`
	OwnerID  string       `json:"owner_id" gorm:"-"`
	Number   int64        `json:"-" gorm:"column:owner_id"`
	Currency string       `json:"currency"`
	Balance  money.Amount `json:"balance_fen"`
}

const accountColumns = "id, stage, owner_kind, owner_id, currency, balance"

func (a *Account) name() {
	a.Owner = Owner{a.Kind, a.Number}
	a.OwnerID = a.Owner.String()
}

// String is the owner's public id, empty for the brand.
func (o Owner) String() string {
	switch o.Kind {
	case OwnerMember:
		return id.Member(o.ID).String()
	case OwnerProgram:
		return id.Program(o.ID).String()
	case OwnerCampaign:
		return id.Campaign(o.ID).String()
	}
	return ""
}

// FindAccount is one account. Who may see its owner is decided by the caller.
func (s *Service) FindAccount(ctx context.Context, aid id.Account) (Account, error) {
	return accountOf(s.DB.Read(ctx), aid)
}

func accountOf(q *database.Query, aid id.Account) (Account, error) {
	var a Account
	if err := q.Raw("SELECT "+accountColumns+" FROM accounts WHERE id = ?", aid).Scan(&a).Error; err != nil {
		return a, fmt.Errorf("wallet: %s: %w", aid, err)
	}
	if a.ID == 0 {
		return a, fault.NotFound
	}
	a.name()
	return a, nil
}

// AccountFilter narrows a list of accounts; who may see the owner is decided
// by the caller. Without an owner the list is the whole brand's.
type AccountFilter struct {
	Owner Owner
	Stage Stage
}

// ListAccounts pages accounts, newest first.
func (s *Service) ListAccounts(ctx context.Context, f AccountFilter, page database.Page) (database.Paged[Account], error) {
	none := database.Paged[Account]{}
	if f.Owner.Kind == "" {
		if err := SeesBooks(ctx); err != nil {
			return none, err
		}
	}
	if f.Stage != "" && !f.Stage.known() {
		return none, fault.Invalid.Field("stage", "unknown_value", "没有这个阶段", "there is no such stage")
	}
	sql, args := "SELECT "+accountColumns+" FROM accounts WHERE id < ?", []any{page.Bound()}
	if f.Owner.Kind != "" {
		sql, args = sql+" AND owner_kind = ? AND owner_id = ?", append(args, f.Owner.Kind, f.Owner.ID)
	}
	if f.Stage != "" {
		sql, args = sql+" AND stage = ?", append(args, f.Stage)
	} else if f.Owner.Kind != "" { // the index begins with the stage
		sql, args = sql+" AND stage IN ?", append(args, stages)
	}
	var list []Account
	err := s.DB.Read(ctx).Raw(sql+" ORDER BY id DESC LIMIT ?", append(args, page.Fetch())...).Scan(&list).Error
	if err != nil {
		return none, fmt.Errorf("wallet: accounts: %w", err)
	}
	for i := range list {
		list[i].name()
	}
	return database.Cut(page, list, func(a Account) int64 { return int64(a.ID) }), nil
}

// Period is from one moment up to another; zero is from the beginning, and
// until now.
type Period struct{ From, Until clock.Milli }

// Validate refuses a period that ends before it begins.
func (p Period) Validate() error {
	var check fault.Check
	check.That(p.Until == 0 || p.From < p.Until, "until", "range", "应晚于 from", "must be later than from")
	return check.Err()
}

func (p Period) end() clock.Milli {
	if p.Until == 0 {
		return math.MaxInt64
	}
	return p.Until
}

// Statement 对账单 is an account over a period, oldest first, in order of time
// and id: what it held before, each entry with what it held after, and what it
// held at the end.
type Statement struct {
	Account
	From    clock.Milli              `json:"from"`
	Until   clock.Milli              `json:"until"`
	Opening money.Amount             `json:"opening_fen"`
	Closing money.Amount             `json:"closing_fen"`
	Lines   database.Paged[LineItem] `json:"lines"`
}

// LineItem is one entry of a statement.
type LineItem struct {
	ID         int64        `json:"-"`
	At         clock.Milli  `json:"at"`
	TransferID id.Transfer  `json:"transfer_id"`
	Key        string       `json:"key" gorm:"column:transfer_key"`
	Kind       string       `json:"kind"`
	CloseNo    int64        `json:"close_no"`
	Amount     money.Amount `json:"amount_fen"`
	Balance    money.Amount `json:"balance_fen"`
}

// place is where in an account's order something stands.
type place struct {
	at clock.Milli
	id int64
}

const behind = "account_id = ? AND at >= ? AND (at > ? OR id > ?)"

// heldAt is what the account held at the place: its balance less all behind.
func (a Account) heldAt(q *database.Query, p place) (money.Amount, error) {
	var n money.Amount
	err := q.Raw("SELECT COALESCE(SUM(amount), 0) FROM entries WHERE "+behind, a.ID, p.at, p.at, p.id).Scan(&n).Error
	return a.Balance - n, err
}

// after are the next entries behind the place, at which the account held so
// much, with what it held after each.
func (a Account) after(q *database.Query, p place, held money.Amount, until clock.Milli, most int) ([]LineItem, error) {
	var list []LineItem
	err := q.Raw(`SELECT e.id, e.at, e.transfer_id, t.transfer_key, t.kind, t.close_no, e.amount
		FROM (SELECT id, at, transfer_id, amount FROM entries WHERE `+behind+` AND at < ? ORDER BY at, id LIMIT ?) e
		JOIN transfers t ON t.id = e.transfer_id ORDER BY e.at, e.id`, a.ID, p.at, p.at, p.id, until, most).Scan(&list).Error
	for i := range list {
		held += list[i].Amount
		list[i].Balance = held
	}
	return list, err
}

// Statement reads one page of an account over a period, all from one state of
// the store. Who may see its owner is decided by the caller.
func (s *Service) Statement(ctx context.Context, aid id.Account, over Period, page database.Page) (Statement, error) {
	st := Statement{From: over.From, Until: over.Until}
	err := s.DB.Snapshot(ctx, func(q *database.Query) (err error) {
		if st.Account, err = accountOf(q, aid); err != nil {
			return err
		}
		if st.Opening, err = st.heldAt(q, place{over.From, 0}); err != nil {
			return err
		}
		if st.Closing, err = st.heldAt(q, place{over.end(), 0}); err != nil {
			return err
		}
		from, held := place{over.From, page.Before}, st.Opening
		if page.Before != 0 {
			if err := q.Raw("SELECT at FROM entries WHERE id = ? AND account_id = ?", page.Before, aid).Scan(&from.at).Error; err != nil {
				return err
			}
			if held, err = st.heldAt(q, from); err != nil {
				return err
			}
		}
		list, err := st.after(q, from, held, over.end(), page.Fetch())
		st.Lines = database.Cut(page, list, func(l LineItem) int64 { return l.ID })
		return err
	})
	if err != nil {
		return st, fmt.Errorf("wallet: statement of %s: %w", aid, err)
	}
	return st, nil
}

// csvPart is how many entries are read at a time for a CSV.
const csvPart = 1000

// WriteStatement writes an account over a period as CSV: the opening, each
// entry, the closing, all from one state of the store.
func (s *Service) WriteStatement(ctx context.Context, aid id.Account, over Period, to io.Writer, mark ByteOrder) error {
	return s.DB.Snapshot(ctx, func(q *database.Query) error {
		a, err := accountOf(q, aid)
		if err != nil {
			return err
		}
		held, err := a.heldAt(q, place{over.From, 0})
		if err != nil {
			return err
		}
		header := []string{"at", "transfer_id", "kind", "key", "close_no", "amount_fen", "balance_fen"}
		if err := writeCSV(to, mark, header, [][]string{{over.From.String(), "", "opening", "", "", "", fen(held)}}); err != nil {
			return err
		}
		for p := (place{over.From, 0}); ; {
			list, err := a.after(q, p, held, over.end(), csvPart)
			if err != nil {
				return err
			}
			var part [][]string
			for _, l := range list {
				held, p = l.Balance, place{l.At, l.ID}
				part = append(part, []string{l.At.String(), l.TransferID.String(), l.Kind, sheet.Inert(l.Key), number(l.CloseNo), fen(l.Amount), fen(l.Balance)})
			}
			if len(list) < csvPart {
				part = append(part, []string{over.Until.String(), "", "closing", "", "", "", fen(held)})
			}
			if err := writeRows(to, part); err != nil || len(list) < csvPart {
				return err
			}
		}
	})
}
