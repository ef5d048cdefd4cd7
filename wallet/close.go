package wallet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
)

// Close is one closed day of the books: exactly which transfers it sealed,
// what they moved, and what stood at its end.
//
// A transfer's time is set before it waits for its locks, so it may commit
// after its day was closed. That is why a close is no range of times: its
// transfers carry its number, given by an UPDATE that wants a transfer without
// one. A late transfer has none yet, and the next close takes it, because a
// close has an upper bound in time and no lower one.
type Close struct {
	No         int64       `json:"no"`
	Day        int         `json:"day" gorm:"column:day_no"`
	Until      clock.Milli `json:"until" gorm:"column:until_at"`
	Status     CloseStatus `json:"status"`
	Transfers  int64       `json:"transfer_count" gorm:"column:transfer_count"`
	Entries    int64       `json:"entry_count" gorm:"column:entry_count"`
	Late       int64       `json:"late_count" gorm:"column:late_count"`
	RowsDigest string      `json:"rows_digest"`
	Previous   string      `json:"previous"`
	Digest     string      `json:"digest"`
	OpenedBy   id.Staff    `json:"opened_by"`
	OpenedAt   clock.Milli `json:"opened_at"`
	SealedAt   clock.Milli `json:"sealed_at"`

	Lines    []CloseLine    `json:"lines,omitempty" gorm:"-"`
	Balances []CloseBalance `json:"balances,omitempty" gorm:"-"`
}

// CloseStatus is how far a close has come.
type CloseStatus string

// Transfers are taken while it is closing, summed while it is summing, and
// final when it is sealed.
const (
	CloseClosing CloseStatus = "closing"
	CloseSumming CloseStatus = "summing"
	CloseSealed  CloseStatus = "sealed"
)

// CloseLine is what transfers of one kind brought to accounts of one stage and
// kind of owner, and took from them.
type CloseLine struct {
	Kind      string       `json:"kind"`
	Stage     Stage        `json:"stage"`
	OwnerKind OwnerKind    `json:"owner_kind"`
	Currency  string       `json:"currency"`
	Entries   int64        `json:"entry_count" gorm:"column:entry_count"`
	Came      money.Amount `json:"in_fen"`
	Went      money.Amount `json:"out_fen"`
}

// CloseBalance is what accounts of one stage and kind of owner held together
// before and after the close.
type CloseBalance struct {
	Stage     Stage        `json:"stage"`
	OwnerKind OwnerKind    `json:"owner_kind"`
	Currency  string       `json:"currency"`
	Opening   money.Amount `json:"opening_fen"`
	Moved     money.Amount `json:"moved_fen"`
	Closing   money.Amount `json:"closing_fen"`
}

// The refusals of closing.
var (
	ErrBooks    = fault.New(fault.KindForbidden, "wallet.books", "账本属于整个品牌，只有总部可以查看和日结", "the books are the whole brand's; staff of a part of it cannot see or close them")
	ErrDayOpen  = fault.New(fault.KindConflict, "wallet.day_open", "{day} 尚未结束，结束 5 分钟后才能日结", "{day} is not over; a day can be closed five minutes after its end")
	ErrDayTurn  = fault.New(fault.KindConflict, "wallet.day_turn", "应按日期顺序日结，下一个是 {day}", "days are closed in their order; the next is {day}")
	ErrDayShut  = fault.New(fault.KindConflict, "wallet.day_closed", "{day} 已经日结", "{day} is closed already")
	errAnother  = errors.New("wallet: another run has moved the close on")
	errNoLedger = errors.New("wallet: nothing to close yet")
)

// closeAfter is how long a day is left alone, so that what is still being
// written on it is rarely late.
const closeAfter = 5 * time.Minute

// SeesBooks refuses who is not staff of the whole brand, or the house itself.
func SeesBooks(ctx context.Context) error {
	if a := database.ActorOf(ctx); a.Kind == database.ActorStaff && a.Units == nil || a.Kind == database.ActorSystem {
		return nil
	}
	return ErrBooks
}

type closeJob struct {
	No int64 `json:"no"`
}

// Kind is wallet:close_day.
func (closeJob) Kind() string { return "wallet:close_day" }

// closeName is a close in the audit.
type closeName int64

// String is like close_12.
func (n closeName) String() string { return fmt.Sprintf("close_%d", int64(n)) }

// CloseDay begins to close the day, which a job does. It is for staff who want
// a day closed now; RunDays closes each by itself.
func (s *Service) CloseDay(ctx context.Context, day int) error {
	if err := SeesBooks(ctx); err != nil {
		return err
	}
	if _, err := dayEnd(day); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		c, err := openCloseTx(tx, day)
		tx.SetResult("ledger_close", c.No, http.StatusAccepted)
		return err
	})
}

// CloseDue closes every day that is over and not closed, one after another.
func (s *Service) CloseDue(ctx context.Context) error {
	for {
		var c Close
		err := s.DB.Tx(ctx, func(tx *database.Tx) (err error) {
			c, err = nextCloseTx(tx)
			return err
		})
		if errors.Is(err, ErrDayOpen) || errors.Is(err, errNoLedger) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.RunClose(ctx, c.No); err != nil {
			return err
		}
	}
}

// nextCloseTx opens the close of the day after the last, goes on with one that
// is not sealed, and begins with yesterday.
func nextCloseTx(tx *database.Tx) (Close, error) {
	last, err := lastClose(tx.DB)
	if err != nil {
		return Close{}, err
	}
	switch {
	case last.No != 0 && last.Status != CloseSealed:
		return last, nil
	case last.No != 0:
		next, err := dayAfter(last.Day)
		if err != nil {
			return Close{}, err
		}
		return openCloseTx(tx, next)
	}
	var first struct{ ID int64 }
	if err := tx.Raw("SELECT id FROM transfers WHERE close_no = 0 ORDER BY at LIMIT 1").Scan(&first).Error; err != nil {
		return Close{}, err
	}
	if first.ID == 0 {
		return Close{}, errNoLedger
	}
	yesterday, err := pointsDay(tx.Now.Add(-24 * time.Hour))
	if err != nil {
		return Close{}, err
	}
	return openCloseTx(tx, yesterday)
}

// openCloseTx writes the row of the day's close and the job that works it. Two
// who open one at a time meet at its number.
func openCloseTx(tx *database.Tx, day int) (Close, error) {
	last, err := lastClose(tx.DB)
	if err != nil {
		return Close{}, err
	}
	until, err := dayEnd(day)
	if err != nil {
		return Close{}, err
	}
	if last.No != 0 {
		next, err := dayAfter(last.Day)
		switch {
		case err != nil:
			return Close{}, err
		case day <= last.Day:
			return Close{}, ErrDayShut.With("day", day)
		case day != next || last.Status != CloseSealed:
			return Close{}, ErrDayTurn.With("day", next)
		}
	}
	if tx.Now < until.Add(closeAfter) {
		return Close{}, ErrDayOpen.With("day", day)
	}
	c := Close{No: last.No + 1, Day: day, Until: until, Status: CloseClosing, OpenedBy: tx.Actor.Staff, OpenedAt: tx.Now}
	err = tx.Exec(`INSERT INTO ledger_closes (no, day_no, until_at, status, transfer_count, entry_count, late_count, rows_digest, previous, digest, opened_by, opened_at, sealed_at)
		VALUES (?, ?, ?, ?, 0, 0, 0, '', '', '', ?, ?, 0)`, c.No, c.Day, c.Until, c.Status, c.OpenedBy, c.OpenedAt).Error
	if database.IsDuplicate(err) {
		return Close{}, ErrDayShut.With("day", day)
	}
	if err != nil {
		return Close{}, fmt.Errorf("wallet: close %d: %w", day, err)
	}
	if err := database.AuditTx(tx, "ledger.close", closeName(c.No), nil, c); err != nil {
		return Close{}, err
	}
	return c, task.EnqueueTx(tx, closeJob{c.No}, tx.Now)
}

// RunClose is the closing job: it reads how far the close is and takes the
// next step until it is sealed, so it may be cut off anywhere and run twice.
func (s *Service) RunClose(ctx context.Context, no int64) error {
	for {
		c, err := findClose(s.DB.Read(ctx), no)
		if err != nil {
			return err
		}
		switch c.Status {
		case CloseClosing:
			err = s.takeAll(ctx, no)
		case CloseSumming:
			err = s.sealClose(ctx, c)
		default:
			return nil
		}
		if err != nil && !errors.Is(err, errAnother) {
			return err
		}
	}
}
