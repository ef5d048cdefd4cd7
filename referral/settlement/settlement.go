// Package settlement turns cleared rewards into sealed documents and records
// that they were paid.
//
// A settlement is created open, closed by a job, and then never changes:
// its lines, its files and its place in the chain of digests are written once.
// Closing inserts lines in chunks; the unique key (source, kind, freed) lets a
// reward stand on one live line only, however many closes run at a time. When
// a full pass adds no line the lines are frozen, totals and files are made
// outside any transaction, and a short last transaction seals. Corrections are
// lines of a later settlement that name the line they correct. Preparing,
// reviewing and paying take three people, compared by staff id.
//
// By a payer's terms a closing takes all that is due, or what members asked
// for in withdrawals (terms.go, ask.go, take_asked.go).
//
// A settlement of a unit covers the unit and every unit below it, in one
// currency and of one payer. Its lines are gross: tax is withheld when they are
// paid, by one payout or several, on which a member stands once.
//
// Tables: settlements, settlement_programs, settlement_chain,
// settlement_lines, settlement_files, settlement_chunks, payouts,
// payout_lines, payout_holds, payer_days, payout_files, payout_imports,
// payout_import_rows, payout_bills, objections, withdrawal_terms,
// withdrawal_heads, withdrawals, withdrawal_rewards, withdrawal_days,
// statement_tellings. It reads rewards, reward_events and
// programs, and where units lie below each other; of clearings and rewards it
// writes what is settled. Invariants: V7, V16, V23. Callers: api, web, and the
// worker for its seven jobs.
package settlement

import (
	"context"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral/payee"
	"siyu/referral/tax"
)

// Status is where a settlement stands.
type Status string

// The states: open → closing → sealing → closed → reviewed → paid, or
// rejected out of closed and reviewed. An open one may be discarded.
const (
	StatusOpen      Status = "open"
	StatusDiscarded Status = "discarded"
	StatusClosing   Status = "closing"
	StatusSealing   Status = "sealing"
	StatusClosed    Status = "closed"
	StatusReviewed  Status = "reviewed"
	StatusPaid      Status = "paid"
	StatusRejected  Status = "rejected"
)

// Words name the state.
func (s Status) Words() (zh, en string) {
	return map[Status]string{StatusOpen: "待关账", StatusDiscarded: "已作废", StatusClosing: "关账中", StatusSealing: "封存中", StatusClosed: "待审核",
		StatusReviewed: "待付款", StatusPaid: "已付款", StatusRejected: "已驳回"}[s], string(s)
}

// Settlement is one document of what is owed. Its digest and place in the
// chain are there from StatusClosed on.
type Settlement struct {
	ID          id.Settlement `json:"id"`
	Seq         int64         `json:"seq"`
	UnitID      id.Unit       `json:"unit_id"`
	PayerID     id.Payer      `json:"payer_id"`
	IncomeType  tax.Income    `json:"income_type"`
	Layout      Layout        `json:"-"`
	PayerName   string        `json:"payer_name"` // as these were when it began to close
	CostCentre  string        `json:"cost_centre"`
	BudgetNo    string        `json:"budget_no"`
	Label       string        `json:"label"`
	Currency    string        `json:"currency"`
	AllPrograms int           `json:"-"`
	Programs    []id.Program  `json:"program_ids" gorm:"-"`
	Status      Status        `json:"status"`
	WantedCutAt clock.Milli   `json:"cut_off_at"`
	CutAt       clock.Milli   `json:"cut_at"`
	OnRequest   int           `json:"-"` // 1: holds what was asked for alone
	AskedUpto   int64         `json:"-"` // the payer's last request before it began to close
	TaxRule     string        `json:"tax_rule"`
	LineCount   int           `json:"line_count"`
	Gross       money.Amount  `json:"gross_fen"`
	Tax         money.Amount  `json:"tax_fen"`
	Net         money.Amount  `json:"net_fen"`
	RowsDigest  string        `json:"rows_digest"`
	Previous    string        `json:"previous"`
	Digest      string        `json:"digest"`
	Files       []File        `json:"files" gorm:"-"`

	CreatedBy    id.Staff    `json:"created_by"`
	CreatedAt    clock.Milli `json:"created_at"`
	ClosedBy     id.Staff    `json:"closed_by"`
	ClosingAt    clock.Milli `json:"closing_at"`
	SealedAt     clock.Milli `json:"sealed_at"`
	ReviewedBy   id.Staff    `json:"reviewed_by"`
	ReviewedAt   clock.Milli `json:"reviewed_at"`
	RejectedBy   id.Staff    `json:"rejected_by"`
	RejectedAt   clock.Milli `json:"rejected_at"`
	RejectReason string      `json:"reject_reason"`
	FreedAt      clock.Milli `json:"-"`
	PaidBy       id.Staff    `json:"paid_by"`
	PaidAt       clock.Milli `json:"paid_at"`
}

// Layout is how a settlement's files are laid out: as they were when it began
// to close, so that they can be made again byte by byte.
type Layout int

// The layouts.
const (
	LayoutFirst Layout = 0
	LayoutPayer Layout = 1 // with the payer's name, cost centre and budget number
)

// Service is the room's use cases. Vault opens what members are paid by, for
// the files and bills of payouts; without it there are none. Bills is nil
// where no channel pays person by person.
type Service struct {
	DB    *database.DB
	Vault *payee.Service
	Bills *Bills
}

// Register hands the room's jobs to the worker.
func (s *Service) Register(r *task.Registry) {
	task.HandleOutside(r, func(ctx context.Context, _ task.Job, a closeJob) error { return s.RunClose(ctx, a.Settlement) })
	task.HandleOutside(r, func(ctx context.Context, _ task.Job, a freeJob) error { return s.RunFree(ctx, a.Settlement) })
	task.HandleOutside(r, func(ctx context.Context, _ task.Job, a payJob) error { return s.RunPay(ctx, a.Payout) })
	task.HandleOutside(r, func(ctx context.Context, _ task.Job, a importJob) error { return s.RunImport(ctx, a.Payout, a.Import) })
	task.HandleOutside(r, func(ctx context.Context, _ task.Job, a markJob) error { return s.RunMark(ctx, a.Payer) })
	task.HandleOutside(r, func(ctx context.Context, _ task.Job, a tellJob) error { return s.RunTell(ctx, a.Settlement) })
	task.HandleOutside(r, s.workBills)
}

// The refusals of this room.
var (
	ErrState       = fault.New(fault.KindConflict, "settlement.state", "结算单现在是“{state}”，不能这样操作", "the settlement is {state}, which does not allow this")
	ErrDigest      = fault.New(fault.KindConflict, "settlement.digest", "摘要与封存的结算单不一致，请重新核对后再审核", "the digest is not that of the sealed settlement; check the document again")
	ErrSamePerson  = fault.New(fault.KindForbidden, "settlement.same_person", "制单、审核、付款必须由不同的人完成", "preparing, reviewing and paying take different people")
	ErrNotStaff    = fault.New(fault.KindForbidden, "settlement.not_staff", "只有员工本人可以办理结算", "only a member of staff in person handles settlements")
	ErrCarried     = fault.New(fault.KindConflict, "settlement.carried", "后续结算单 {settlement} 已结转本单的欠款，请先驳回后者", "{settlement} carries debts of this one; reject that one first")
	ErrNoFile      = fault.New(fault.KindConflict, "settlement.no_file", "该付款批次不是用文件付款的", "this payout is not paid by a file")
	ErrPaying      = fault.New(fault.KindConflict, "settlement.payout_state", "付款批次现在是“{state}”，不能这样操作", "the payout is {state}, which does not allow this")
	ErrNothingSent = fault.New(fault.KindConflict, "settlement.nothing_sent", "第 {line} 行全部代扣为税款，没有款项付出，不能登记为退回", "line {line} is all tax: nothing was sent, so nothing can have come back")
	ErrGivenOut    = fault.New(fault.KindConflict, "settlement.given_out", "该结算单已全部付出，没有可再付的；在途 {flying} 笔，等回单即可", "all of the settlement is given out and nothing is left to pay; on its way: {flying}, wait for what becomes of it")
	ErrPayout      = fault.New(fault.KindConflict, "settlement.has_payout", "该结算单已有付款批次 {payout}", "the settlement has payout {payout}")
)

// below is a condition's set: the unit given and all units below it. A unit's
// path is the ids from the root down to it, so a subtree is a prefix.
const below = `(SELECT part.id FROM units top JOIN units part ON SUBSTR(part.path, 1, LENGTH(top.path)) = top.path WHERE top.id = ?)`

// columns of a settlement with its place in the chain.
const columns = `s.id, s.unit_id, s.payer_id, s.income_type, s.layout, s.payer_name, s.cost_centre, s.budget_no, s.label, s.currency, s.all_programs, s.status, s.wanted_cut_at, s.cut_at, s.on_request, s.asked_upto, s.tax_rule,
	s.line_count, s.gross, s.tax, s.net, s.rows_digest, s.created_by, s.created_at, s.closed_by, s.closing_at,
	s.reviewed_by, s.reviewed_at, s.rejected_by, s.rejected_at, s.reject_reason, s.freed_at, s.paid_by, s.paid_at,
	COALESCE(c.seq, 0) AS seq, COALESCE(c.previous, '') AS previous, COALESCE(c.digest, '') AS digest, COALESCE(c.sealed_at, 0) AS sealed_at`

const fromChained = ` FROM settlements s LEFT JOIN settlement_chain c ON c.settlement_id = s.id `

// Find is one settlement with its programs and files.
func (s *Service) Find(ctx context.Context, sid id.Settlement) (Settlement, error) {
	q := s.DB.Read(ctx)
	st, err := find(q, sid)
	switch {
	case err != nil:
		return Settlement{}, err
	case !database.ActorOf(ctx).Sees(st.UnitID):
		return Settlement{}, fault.NotFound
	}
	if st.Programs, err = programsOf(q, sid); err != nil {
		return Settlement{}, err
	}
	st.Files, err = filesOf(q, sid)
	return st, err
}

// Filter narrows a list of settlements.
type Filter struct {
	Unit   id.Unit
	Status Status
}

// List pages settlements, newest first, without programs and files.
func (s *Service) List(ctx context.Context, f Filter, page database.Page) (database.Paged[Settlement], error) {
	sql := "SELECT " + columns + fromChained + "WHERE s.id < ?"
	args := []any{page.Bound()}
	if f.Unit != 0 {
		sql, args = sql+" AND s.unit_id = ?", append(args, f.Unit)
	}
	if f.Status != "" {
		sql, args = sql+" AND s.status = ?", append(args, f.Status)
	}
	within, units := database.ActorOf(ctx).Within("s.unit_id")
	args = append(append(args, units...), page.Fetch())
	var rows []Settlement
	err := s.DB.Read(ctx).Raw(sql+within+" ORDER BY s.id DESC LIMIT ?", args...).Scan(&rows).Error
	return database.Cut(page, rows, func(x Settlement) int64 { return int64(x.ID) }), err
}

func find(q *database.Query, sid id.Settlement) (Settlement, error) {
	var st Settlement
	res := q.Raw("SELECT "+columns+fromChained+"WHERE s.id = ?", sid).Scan(&st)
	if res.Error == nil && st.ID == 0 {
		return st, fault.NotFound
	}
	return st, res.Error
}

// lock reads the settlement for a change of state; a foreign one is not found.
func lock(tx *database.Tx, sid id.Settlement) (Settlement, error) {
	var st Settlement
	err := tx.Raw("SELECT * FROM settlements WHERE id = ?"+tx.Dialect.ForUpdate, sid).Scan(&st).Error
	switch {
	case err != nil:
		return st, err
	case st.ID == 0 || !tx.Actor.Sees(st.UnitID):
		return st, fault.NotFound
	}
	return st, nil
}

func programsOf(q *database.Query, sid id.Settlement) ([]id.Program, error) {
	list := []id.Program{}
	err := q.Raw("SELECT program_id FROM settlement_programs WHERE settlement_id = ? ORDER BY program_id", sid).Scan(&list).Error
	return list, err
}

// staff is the acting staff member; nobody else prepares, reviews or pays.
func staff(tx *database.Tx) (id.Staff, error) {
	if tx.Actor.Kind != database.ActorStaff || tx.Actor.Staff == 0 {
		return 0, ErrNotStaff
	}
	return tx.Actor.Staff, nil
}
