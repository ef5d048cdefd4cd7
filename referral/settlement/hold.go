package settlement

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
)

// reasonLimit holds a member whose payment does not fit under the limit of the
// payout or of the payer's day any more.
const reasonLimit payee.Reason = "over_limit"

// Hold is a member whom a payout left out, and why.
type Hold struct {
	MemberID id.Member    `json:"member_id"`
	Owed     money.Amount `json:"owed_fen"`
	Reason   payee.Reason `json:"reason"`
}

// ListHolds lists whom the payout left out, by member.
func (s *Service) ListHolds(ctx context.Context, pid id.Payout, page database.Page) (database.Paged[Hold], error) {
	if _, err := s.FindPayout(ctx, pid); err != nil {
		return database.Paged[Hold]{}, err
	}
	var rows []Hold
	err := s.DB.Read(ctx).Raw("SELECT member_id, owed, reason FROM payout_holds WHERE payout_id = ? AND member_id > ? ORDER BY member_id LIMIT ?",
		pid, page.Before, page.Fetch()).Scan(&rows).Error
	return database.Cut(page, rows, func(h Hold) int64 { return int64(h.MemberID) }), err
}

// HeldSum is how many a payout left out for one reason, and what they are owed.
type HeldSum struct {
	Reason  payee.Reason `json:"reason"`
	Members int          `json:"member_count"`
	Owed    money.Amount `json:"owed_fen"`
}

// SumHolds counts whom the payout left out, reason by reason.
func (s *Service) SumHolds(ctx context.Context, pid id.Payout) ([]HeldSum, error) {
	if _, err := s.FindPayout(ctx, pid); err != nil {
		return nil, err
	}
	return heldSums(s.DB.Read(ctx), pid)
}

func heldSums(q *database.Query, pid id.Payout) ([]HeldSum, error) {
	list := []HeldSum{}
	err := q.Raw("SELECT reason, COUNT(*) AS members, SUM(owed) AS owed FROM payout_holds WHERE payout_id = ? GROUP BY reason ORDER BY members DESC, reason", pid).Scan(&list).Error
	return list, err
}

// holdTx notes whom the payout leaves out; a run that begins again looks at
// them again.
func holdTx(tx *database.Tx, pid id.Payout, seen []id.Member, holds []Hold) error {
	if err := tx.Exec("DELETE FROM payout_holds WHERE payout_id = ? AND member_id IN ?", pid, seen).Error; err != nil {
		return err
	}
	for _, h := range holds {
		err := tx.Exec("INSERT INTO payout_holds (payout_id, member_id, owed, reason) VALUES (?, ?, ?, ?)", pid, h.MemberID, h.Owed, h.Reason).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// zone is where a payer's day begins and ends.
var zone = time.FixedZone(clock.Shanghai, 8*60*60) // no summer time since 1991

// room is what may still be given out: under the limit of the payout, and of
// the payer's day, whose row is locked.
type room struct {
	day           int
	daily         money.Amount
	payout, today money.Amount // what is left of each
}

const noLimit = money.Amount(1<<62 - 1)

// roomTx locks the payer's day.
func roomTx(tx *database.Tx, p Payout) (room, error) {
	r := room{day: clock.Day(tx.Now.Time(), zone), daily: noLimit, payout: noLimit}
	if p.Limit != 0 {
		var given money.Amount
		if err := tx.Raw("SELECT COALESCE(SUM(owed), 0) FROM payout_lines WHERE payout_id = ? AND transfer_id <> 0", p.ID).Scan(&given).Error; err != nil {
			return r, err
		}
		r.payout = p.Limit - given
	}
	if err := tx.Raw("SELECT daily_limit FROM payers WHERE id = ? AND daily_limit > 0", p.PayerID).Scan(&r.daily).Error; err != nil {
		return r, err
	}
	for {
		var given []money.Amount
		err := tx.Raw("SELECT owed FROM payer_days WHERE payer_id = ? AND day_no = ?"+tx.Dialect.ForUpdate, p.PayerID, r.day).Scan(&given).Error
		if err != nil {
			return r, err
		}
		if len(given) == 1 {
			r.today = r.daily - given[0]
			return r, nil
		}
		err = tx.Exec("INSERT INTO payer_days (payer_id, day_no, owed) VALUES (?, ?, 0)", p.PayerID, r.day).Error
		if err != nil && !database.IsDuplicate(err) {
			return r, err
		}
	}
}

// take says whether the amount still fits, and takes it.
func (r *room) take(n money.Amount) bool {
	if n > r.payout || n > r.today {
		return false
	}
	r.payout, r.today = r.payout-n, r.today-n
	return true
}

// spendTx notes what the payer has given out today.
func (r room) spendTx(tx *database.Tx, payer id.Payer, given money.Amount) error {
	if given == 0 {
		return nil
	}
	return database.One(tx.Exec("UPDATE payer_days SET owed = owed + ? WHERE payer_id = ? AND day_no = ?"+tx.Only("owed <= ?"),
		given, payer, r.day, r.daily-given), errDayFull)
}

// roomBackTx gives the days of payments that came back their room again, by
// day ascending.
func roomBackTx(tx *database.Tx, payer id.Payer, lines []PayoutLine) error {
	back := map[int]money.Amount{}
	for _, l := range lines {
		if l.DayNo != 0 {
			back[l.DayNo] += l.Owed
		}
	}
	for _, day := range slices.Sorted(maps.Keys(back)) {
		err := database.One(tx.Exec("UPDATE payer_days SET owed = owed - ? WHERE payer_id = ? AND day_no = ?"+tx.Only("owed >= ?"), back[day], payer, day, back[day]), errDayShort)
		if err != nil {
			return err
		}
	}
	return nil
}

// errDayShort cannot be met while a day is the sum of its lines.
var errDayShort = errors.New("settlement: the payer's day holds less than came back")

// errDayFull cannot be met while the day's row is locked.
var errDayFull = errors.New("settlement: the payer's day is full")
