package settlement

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Withdrawal 提现申请 is a member's request to be paid what a payer owes him. It
// covers whole rewards, which nothing else may settle while it stands, and
// says the fee beforehand. The next closing of the payer takes it.
type Withdrawal struct {
	ID           id.Withdrawal    `json:"id"`
	PayerID      id.Payer         `json:"payer_id"`
	UnitID       id.Unit          `json:"-"`
	No           int64            `json:"no"` // counts the payer's requests
	MemberID     id.Member        `json:"member_id"`
	TermsNo      int              `json:"terms_no"`
	Status       WithdrawalStatus `json:"-"`
	RewardCount  int              `json:"reward_count"`
	Gross        money.Amount     `json:"gross_fen"`
	Fee          money.Amount     `json:"fee_fen"`
	DayNo        int              `json:"-"`
	DaySeq       int              `json:"-"` // its place in the member's day
	AskedAt      clock.Milli      `json:"asked_at"`
	ReopenedAt   clock.Milli      `json:"-"` // when its settlement was rejected
	SettlementID id.Settlement    `json:"settlement_id"`
	EndedAt      clock.Milli      `json:"-"`
	EndedBy      id.Staff         `json:"ended_by"` // who refused it
	Reason       string           `json:"reason"`   // why it was refused
}

// WithdrawalStatus is what is written of a request; what became of its money
// is read from settlement and payout.
type WithdrawalStatus string

// The statuses. Asked goes on to one of the others; settled back to asked when
// its settlement is rejected.
const (
	WithdrawalAsked     WithdrawalStatus = "asked"
	WithdrawalSettled   WithdrawalStatus = "settled"
	WithdrawalRefused   WithdrawalStatus = "refused"
	WithdrawalCancelled WithdrawalStatus = "cancelled"
)

// Words name the status.
func (s WithdrawalStatus) Words() (zh, en string) {
	return map[WithdrawalStatus]string{WithdrawalAsked: "已申请", WithdrawalSettled: "已结算", WithdrawalRefused: "已驳回", WithdrawalCancelled: "已取消"}[s], string(s)
}

// takenBack is the reason of a request of which refunds left no more than its
// fee before it was settled.
const takenBack = "taken_back"

// The refusals of withdrawing.
var (
	ErrByPeriod   = fault.New(fault.KindConflict, "withdrawal.by_period", "该付款主体按期结算，无需申请提现", "this payer pays by period; there is nothing to ask for")
	ErrNothing    = fault.New(fault.KindConflict, "withdrawal.nothing", "没有可提现的奖励", "nothing can be withdrawn now")
	ErrLeast      = fault.New(fault.KindConflict, "withdrawal.least", "可提现 {have} 元，最低 {least} 元才能申请", "{have} yuan can be withdrawn; the least is {least}")
	ErrMost       = fault.New(fault.KindConflict, "withdrawal.most", "每笔奖励都超过单次最高 {most} 元，请联系客服", "each reward is above {most} yuan, the most of one request; please ask the shop")
	ErrPerDay     = fault.New(fault.KindConflict, "withdrawal.per_day", "每天最多申请 {limit} 次，请明天再来", "at most {limit} requests a day; come back tomorrow")
	ErrCannotPay  = fault.New(fault.KindConflict, "withdrawal.payee", "暂时不能打款（{reason}），请先核对收款信息", "you cannot be paid now ({reason}); look at how you are paid first")
	ErrBusy       = fault.New(fault.KindUnavailable, "withdrawal.closing", "正在结算，请几分钟后再申请", "a settlement is being closed; ask again in some minutes")
	ErrNotAsked   = fault.New(fault.KindConflict, "withdrawal.state", "该申请{state}，不能再改", "the request is {state} already")
	ErrWholePayer = fault.New(fault.KindConflict, "withdrawal.whole", "按申请提现的付款主体须整体结算：结算单应属于付款主体所在组织，不限奖励方案、不设截止时间", "a payer with requests is settled whole: by a settlement of its own unit, of all programs, without a cut-off")
)

const withdrawalColumns = `w.id, w.payer_id, w.unit_id, w.no, w.member_id, w.terms_no, w.status, w.reward_count, w.gross, w.fee, w.day_no, w.day_seq,
	w.asked_at, w.reopened_at, w.settlement_id, w.ended_at, w.ended_by, w.reason`

// FindWithdrawal is one request; a member finds his own.
func (s *Service) FindWithdrawal(ctx context.Context, wid id.Withdrawal) (SeenWithdrawal, error) {
	q := s.DB.Read(ctx)
	w, err := withdrawalOf(q, database.ActorOf(ctx), wid, "")
	if err != nil {
		return SeenWithdrawal{}, err
	}
	list, err := seeWithdrawals(q, clock.MilliOf(s.DB.Clock.Now()), []Withdrawal{w})
	if err != nil {
		return SeenWithdrawal{}, err
	}
	return list[0], nil
}

// withdrawalOf reads a request that the actor may see.
func withdrawalOf(q *database.Query, who database.Actor, wid id.Withdrawal, locked string) (Withdrawal, error) {
	var w Withdrawal
	if err := q.Raw("SELECT "+withdrawalColumns+" FROM withdrawals w WHERE w.id = ?"+locked, wid).Scan(&w).Error; err != nil {
		return w, fmt.Errorf("settlement: %s: %w", wid, err)
	}
	if w.ID == 0 || !who.Sees(w.UnitID) {
		return w, fault.NotFound
	}
	if who.Member == 0 {
		return w, nil
	}
	today, err := today(q, []id.Member{w.MemberID})
	if err == nil && today[w.MemberID] != who.Member {
		err = fault.NotFound
	}
	return w, err
}

// WithdrawalFilter narrows a list of requests.
type WithdrawalFilter struct {
	Payer  id.Payer
	Member id.Member // also under his merged names
	Status WithdrawalStatus
}

// ListWithdrawals pages requests, newest first.
func (s *Service) ListWithdrawals(ctx context.Context, f WithdrawalFilter, page database.Page) (database.Paged[SeenWithdrawal], error) {
	var none database.Paged[SeenWithdrawal]
	q := s.DB.Read(ctx)
	sql, args := "SELECT "+withdrawalColumns+" FROM withdrawals w WHERE w.id < ?", []any{page.Bound()}
	if f.Payer != 0 {
		sql, args = sql+" AND w.payer_id = ?", append(args, f.Payer)
	}
	if f.Member != 0 {
		who, err := selves(q, f.Member)
		if err != nil {
			return none, err
		}
		sql, args = sql+" AND w.member_id IN ?", append(args, who)
	}
	switch f.Status {
	case "":
	case WithdrawalAsked, WithdrawalSettled, WithdrawalRefused, WithdrawalCancelled:
		sql, args = sql+" AND w.status = ?", append(args, f.Status)
	default:
		return none, fault.Invalid.Field("status", "unknown_value", "应为 asked、settled、refused、cancelled 之一", "must be asked, settled, refused or cancelled")
	}
	cond, units := database.ActorOf(ctx).Within("w.unit_id")
	var rows []Withdrawal
	if err := q.Raw(sql+cond+" ORDER BY w.id DESC LIMIT ?", append(append(args, units...), page.Fetch())...).Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("settlement: withdrawals: %w", err)
	}
	cut := database.Cut(page, rows, func(w Withdrawal) int64 { return int64(w.ID) })
	list, err := seeWithdrawals(q, clock.MilliOf(s.DB.Clock.Now()), cut.Items)
	return database.Paged[SeenWithdrawal]{Items: list, NextCursor: cut.NextCursor}, err
}
