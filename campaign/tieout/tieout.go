// Package tieout holds a payer's day side by side three ways 三方对账: what the
// mall says was paid and refunded, what Siyu noted of it, and what the
// statement of the payment provider says, which also names what was paid out.
//
// The mall and a cashier deliver their sides as files, in parts if a day is
// large; a part delivered again replaces itself. A run takes Siyu's own side
// out of payments, refunds and payouts, and goes through all numbers in their
// order, some to a transaction, so that a day of any size needs little memory
// and a run that was cut off goes on where it stood. What differs is listed by
// sort; a person explains each difference with a reason, and a second person
// approves. The room writes its own tables alone: it never changes money.
//
// Tables: tieouts, tieout_files, tieout_lines, tieout_totals,
// tieout_differences. Invariant V24: a finished tie-out's totals are its lines,
// and what two sides differ by is the sum of its differences. Callers: api,
// web, and the worker for its job.
package tieout

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral/payee"
)

// Service is the room's use cases.
type Service struct {
	DB *database.DB
}

// Register registers the room's job.
func (s *Service) Register(r *task.Registry) {
	task.HandleOutside(r, func(ctx context.Context, _ task.Job, a runJob) error { return s.Work(ctx, a.TieOut, a.Run) })
}

// Side is who says something about the day.
type Side string

// The sides.
const (
	SideMall      Side = "mall"
	SideSiyu      Side = "siyu"
	SideStatement Side = "statement"
)

// Words name the side.
func (s Side) Words() (zh, en string) {
	return map[Side]string{SideMall: "商城", SideSiyu: "本系统", SideStatement: "支付账单"}[s], string(s)
}

// Kind is what a line moves. Other is what is none of Siyu's, like a
// withdrawal: it is summed up and held against nothing.
type Kind string

// The kinds.
const (
	KindPayment Kind = "payment"
	KindRefund  Kind = "refund"
	KindPayout  Kind = "payout"
	KindOther   Kind = "other"
)

// Status is where a tie-out stands.
type Status string

// The states: open until a run has ended and after every new delivery. An
// explained one never changes again.
const (
	StatusOpen      Status = "open"
	StatusRunning   Status = "running"
	StatusTied      Status = "tied"
	StatusDiffers   Status = "differs"
	StatusExplained Status = "explained"
)

// Words name the state.
func (s Status) Words() (zh, en string) {
	return map[Status]string{StatusOpen: "待对账", StatusRunning: "对账中", StatusTied: "三方一致", StatusDiffers: "有差异", StatusExplained: "差异已说明"}[s], string(s)
}

// TieOut is one payer's day. Taken is how many lines of Siyu's own the run has
// put beside the others, Matched how many numbers it has gone through.
type TieOut struct {
	ID          id.TieOut   `json:"id"`
	UnitID      id.Unit     `json:"unit_id"`
	PayerID     id.Payer    `json:"payer_id"`
	Day         int         `json:"day" gorm:"column:day_no"`
	Status      Status      `json:"status"`
	Phase       phase       `json:"-"`
	Run         int         `json:"run" gorm:"column:run_no"`
	CursorAt    clock.Milli `json:"-"`
	CursorID    int64       `json:"-"`
	CursorNo    string      `json:"-"`
	Taken       int         `json:"taken"`
	Matched     int         `json:"matched"`
	Differences int         `json:"difference_count" gorm:"column:difference_count"`
	Open        int         `json:"open_count" gorm:"column:open_count"` // not explained yet
	Version     int         `json:"version"`
	CreatedBy   id.Staff    `json:"created_by"`
	CreatedAt   clock.Milli `json:"created_at"`
	RunBy       id.Staff    `json:"run_by"`
	RunAt       clock.Milli `json:"run_at"`
	FinishedAt  clock.Milli `json:"finished_at"`
	ApprovedBy  id.Staff    `json:"approved_by"`
	ApprovedAt  clock.Milli `json:"approved_at"`
	Files       []File      `json:"files" gorm:"-"`
	Totals      []Total     `json:"totals" gorm:"-"`
}

// TableName is the table of tie-outs.
func (TieOut) TableName() string { return "tieouts" }

// Total is what one side comes to, by kind.
type Total struct {
	Side   Side         `json:"side"`
	Kind   Kind         `json:"kind"`
	Lines  int          `json:"line_count" gorm:"column:line_count"`
	Amount money.Amount `json:"amount_fen"`
}

// The refusals of this room.
var (
	ErrRunning  = fault.New(fault.KindConflict, "tieout.running", "对账正在进行，请等它完成", "the tie-out is being run; wait until it has ended")
	ErrFinal    = fault.New(fault.KindConflict, "tieout.final", "该日对账已说明并复核，不再改变", "the day was explained and approved, and never changes again")
	ErrMissing  = fault.New(fault.KindConflict, "tieout.missing", "还没有收到{side}一方的对账文件；没有交易也请提交只有表头的文件", "nothing was delivered for the side {side}; a day without any still needs a file of its heads")
	ErrNotOver  = fault.New(fault.KindConflict, "tieout.not_over", "{day} 还没有结束", "{day} is not over")
	ErrState    = fault.New(fault.KindConflict, "tieout.state", "对账现在是“{state}”，不能这样操作", "the tie-out is {state}, which does not allow this")
	ErrRun      = fault.New(fault.KindConflict, "tieout.run", "已有新的对账结果（第 {run} 次），请重新核对", "there is a newer result, of run {run}; look at it first")
	ErrOpen     = fault.New(fault.KindConflict, "tieout.unexplained", "还有 {open} 笔差异没有说明", "{open} differences are not explained")
	ErrSame     = fault.New(fault.KindForbidden, "tieout.same_person", "说明与复核必须由不同的人完成", "explaining and approving take different people")
	ErrNotStaff = fault.New(fault.KindForbidden, "tieout.not_staff", "只有员工本人可以办理对账", "only a member of staff in person handles tie-outs")
)

// zone is the one in which days are counted, like those of the ledger.
func zone() *time.Location {
	loc, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		panic("tieout: " + err.Error()) // its data is part of the program
	}
	return loc
}

// within is the first moment of a local day and of the next.
func within(day int) (from, until clock.Milli) {
	at := time.Date(day/10000, time.Month(day/100%100), day%100, 0, 0, 0, 0, zone())
	return clock.MilliOf(at), clock.MilliOf(at.AddDate(0, 0, 1))
}

// beside are the days before and after.
func beside(day int) (before, after int) {
	at := time.Date(day/10000, time.Month(day/100%100), day%100, 12, 0, 0, 0, zone())
	return clock.Day(at.AddDate(0, 0, -1), zone()), clock.Day(at.AddDate(0, 0, 1), zone())
}

// OpenIn names the day and the payer; without one it is the default payer.
type OpenIn struct {
	Day     int      `json:"day"`
	PayerID id.Payer `json:"payer_id"`
}

// Validate checks the day.
func (in OpenIn) Validate() error {
	var c fault.Check
	from, _ := within(in.Day)
	c.That(in.Day >= 20200101 && in.Day <= 20991231 && clock.Day(from.Time(), zone()) == in.Day, "day", "format", "应为 yyyymmdd 的日期", "must be a day like 20260301")
	return c.Err()
}

// Open makes the tie-out of a payer's day, or finds it.
func (s *Service) Open(ctx context.Context, in OpenIn) (id.TieOut, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made id.TieOut
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		p, err := payerTx(tx, in.PayerID)
		if err != nil {
			return err
		}
		if in.Day > clock.Day(tx.Now.Time(), zone()) {
			return ErrNotOver.With("day", in.Day)
		}
		if made, err = ofDay(tx, p.ID, in.Day); err != nil || made != 0 {
			tx.SetResult("tieout", int64(made), 201)
			return err
		}
		made = id.TieOut(tx.Next())
		t := TieOut{ID: made, UnitID: p.UnitID, PayerID: p.ID, Day: in.Day, Status: StatusOpen, Version: 1, CreatedBy: who, CreatedAt: tx.Now}
		err = tx.Create(&t).Error
		if database.IsDuplicate(err) { // somebody else was faster
			made, err = ofDay(tx, p.ID, in.Day)
		}
		if err != nil {
			return fmt.Errorf("tieout: %d: %w", in.Day, err)
		}
		tx.SetResult("tieout", int64(made), 201)
		return database.AuditTx(tx, "tieout.begin", made, nil, in)
	})
	return made, err
}

// payerTx is the payer named, or the default one for those who see its unit.
func payerTx(tx *database.Tx, named id.Payer) (payee.Payer, error) {
	if named != 0 {
		return payee.LockPayerTx(tx, named)
	}
	p, err := payee.PayerTx(tx, tx.Actor.Unit, 0)
	if err == nil && !tx.Actor.Sees(p.UnitID) {
		err = fault.Invalid.Field("payer_id", "required", "请指明您范围内的付款主体", "name a payer of your own units")
	}
	return p, err
}

func ofDay(tx *database.Tx, payer id.Payer, day int) (tid id.TieOut, err error) {
	err = tx.Raw("SELECT id FROM tieouts WHERE payer_id = ? AND day_no = ?", payer, day).Scan(&tid).Error
	return tid, err
}

func staff(tx *database.Tx) (id.Staff, error) {
	if tx.Actor.Kind != database.ActorStaff || tx.Actor.Staff == 0 {
		return 0, ErrNotStaff
	}
	return tx.Actor.Staff, nil
}

// lock locks a tie-out that the actor sees.
func lock(tx *database.Tx, tid id.TieOut) (TieOut, error) {
	var t TieOut
	err := tx.Raw("SELECT * FROM tieouts WHERE id = ?"+tx.Dialect.ForUpdate, tid).Scan(&t).Error
	if err == nil && (t.ID == 0 || !tx.Actor.Sees(t.UnitID)) {
		err = fault.NotFound
	}
	return t, err
}

// still refuses what may not change now.
func (t TieOut) still() error {
	switch t.Status {
	case StatusRunning:
		return ErrRunning
	case StatusExplained:
		return ErrFinal
	}
	return nil
}

// save writes everything of a locked tie-out that moves.
func (t TieOut) save(tx *database.Tx) error {
	return tx.Exec(`UPDATE tieouts SET status = ?, phase = ?, run_no = ?, cursor_at = ?, cursor_id = ?, cursor_no = ?, taken = ?, matched = ?, difference_count = ?,
		open_count = ?, version = ?, run_by = ?, run_at = ?, finished_at = ?, approved_by = ?, approved_at = ? WHERE id = ?`,
		t.Status, t.Phase, t.Run, t.CursorAt, t.CursorID, t.CursorNo, t.Taken, t.Matched, t.Differences, t.Open, t.Version+1,
		t.RunBy, t.RunAt, t.FinishedAt, t.ApprovedBy, t.ApprovedAt, t.ID).Error
}

// Find is one tie-out with its files in force and its totals.
func (s *Service) Find(ctx context.Context, tid id.TieOut) (TieOut, error) {
	q := s.DB.Read(ctx)
	var t TieOut
	err := q.Raw("SELECT * FROM tieouts WHERE id = ?", tid).Scan(&t).Error
	if err == nil && (t.ID == 0 || !database.ActorOf(ctx).Sees(t.UnitID)) {
		err = fault.NotFound
	}
	if err != nil {
		return t, err
	}
	t.Totals = []Total{}
	err = q.Raw("SELECT side, kind, line_count, amount FROM tieout_totals WHERE tieout_id = ? AND run_no = ? ORDER BY kind, side", tid, t.Run).Scan(&t.Totals).Error
	if err != nil {
		return t, err
	}
	t.Files, err = filesOf(q, tid)
	return t, err
}

// Filter narrows a list.
type Filter struct {
	PayerID id.Payer
	Day     int
	Status  Status
}

// List lists the tie-outs of the units that the actor sees, newest first.
func (s *Service) List(ctx context.Context, f Filter, page database.Page) (database.Paged[TieOut], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	args = append([]any{page.Bound()}, args...)
	if f.PayerID != 0 {
		cond, args = cond+" AND payer_id = ?", append(args, f.PayerID)
	}
	if f.Day != 0 {
		cond, args = cond+" AND day_no = ?", append(args, f.Day)
	}
	if f.Status != "" {
		cond, args = cond+" AND status = ?", append(args, f.Status)
	}
	var rows []TieOut
	err := s.DB.Read(ctx).Raw("SELECT * FROM tieouts WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?", append(args, page.Fetch())...).Scan(&rows).Error
	for i := range rows {
		rows[i].Files, rows[i].Totals = []File{}, []Total{}
	}
	return database.Cut(page, rows, func(t TieOut) int64 { return int64(t.ID) }), err
}
