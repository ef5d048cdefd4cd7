package wallet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// takePart is how many transfers one transaction gives to a close.
const takePart = 1000

// takeAll gives every transfer of the day, and late ones of days before, to
// the close.
func (s *Service) takeAll(ctx context.Context, no int64) error {
	for more := true; more; {
		err := s.DB.Tx(ctx, func(tx *database.Tx) (err error) {
			more, err = gatherTx(tx, no)
			return err
		})
		if err != nil {
			return err
		}
		database.KillPoint("wallet:close_taken")
	}
	return nil
}

// gatherTx gives one part to the close under the lock of its row. A look that
// finds none freezes the close in the same transaction: whoever is slower
// finds it frozen. The look takes no locks, so a transfer that is not
// committed yet neither waits nor makes wait; it has no number and is late.
func gatherTx(tx *database.Tx, no int64) (more bool, err error) {
	var c Close
	err = tx.Raw("SELECT no, until_at, status FROM ledger_closes WHERE no = ?"+tx.Dialect.ForUpdate, no).Scan(&c).Error
	if err != nil {
		return false, fmt.Errorf("wallet: close %d: %w", no, err)
	}
	if c.Status != CloseClosing {
		return false, errAnother
	}
	var found []id.Transfer
	err = tx.Raw("SELECT id FROM transfers WHERE close_no = 0 AND at < ? ORDER BY at, id LIMIT ?", c.Until, takePart).Scan(&found).Error
	if err != nil {
		return false, fmt.Errorf("wallet: close %d: %w", no, err)
	}
	if len(found) == 0 {
		return false, database.One(tx.Exec("UPDATE ledger_closes SET status = ? WHERE no = ?"+tx.Only("status = ?"), CloseSumming, no, CloseClosing), errAnother)
	}
	for part := range slices.Chunk(found, 200) {
		res := tx.Exec("UPDATE transfers SET close_no = ? WHERE id IN ?"+tx.Only("close_no = 0"), no, part)
		if res.Error != nil {
			return false, fmt.Errorf("wallet: close %d: %w", no, res.Error)
		}
		if int(res.RowsAffected) != len(part) {
			return false, errAnother
		}
	}
	res := tx.Exec("UPDATE ledger_closes SET transfer_count = transfer_count + ? WHERE no = ?", len(found), no)
	return true, database.One(res, errAnother)
}

// noon of a local day, from which its end and the next day are counted.
func noon(day int) (time.Time, error) {
	loc, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		return time.Time{}, fmt.Errorf("wallet: %w", err)
	}
	t := time.Date(day/10000, time.Month(day/100%100), day%100, 12, 0, 0, 0, loc)
	if clock.Day(t, loc) != day {
		return time.Time{}, fault.Invalid.Field("day", "format", "应为 20260301 这样的日期", "must be a date like 20260301")
	}
	return t, nil
}

// dayEnd is the first moment after the local day.
func dayEnd(day int) (clock.Milli, error) {
	t, err := noon(day)
	if err != nil {
		return 0, err
	}
	return clock.MilliOf(clock.StartOfDay(t.AddDate(0, 0, 1), t.Location())), nil
}

func dayAfter(day int) (int, error) {
	t, err := noon(day)
	if err != nil {
		return 0, err
	}
	return clock.Day(t.AddDate(0, 0, 1), t.Location()), nil
}
