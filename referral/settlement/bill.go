package settlement

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// BillStatus is where a transfer bill stands.
type BillStatus string

// The states of a bill. It is made, under its number, before it is asked for;
// asked while no answer says that it exists. The last four are final, on the
// channel's word alone.
const (
	BillMade      BillStatus = "made"
	BillAsked     BillStatus = "asked"
	BillWaiting   BillStatus = "waiting" // its person may confirm it
	BillMoving    BillStatus = "moving"  // the channel works on it
	BillPaid      BillStatus = "paid"
	BillFailed    BillStatus = "failed"
	BillCancelled BillStatus = "cancelled"
	BillExpired   BillStatus = "expired" // nobody confirmed in time
)

// Words name the state.
func (s BillStatus) Words() (zh, en string) {
	return map[BillStatus]string{BillMade: "未发出", BillAsked: "发出中", BillWaiting: "待收款人确认", BillMoving: "处理中", BillPaid: "已到账",
		BillFailed: "失败", BillCancelled: "已撤销", BillExpired: "过期未确认"}[s], string(s)
}

var openBills = []BillStatus{BillMade, BillAsked, BillWaiting, BillMoving}

func (s BillStatus) final() bool {
	return s == BillPaid || s == BillFailed || s == BillCancelled || s == BillExpired
}

// Bill is one try to pay a line of a payout by a channel that pays person by
// person.
type Bill struct {
	ID         int64        `json:"-"`
	No         string       `json:"bill_no" gorm:"column:bill_no"` // ours, the same on every retry
	PayoutID   id.Payout    `json:"payout_id"`
	LineID     int64        `json:"-"`
	LineNo     int          `json:"line"`
	Try        int          `json:"try" gorm:"column:try_no"`
	MemberID   id.Member    `json:"member_id"`
	PayeeID    id.Payee     `json:"-"`
	PayeeNo    int          `json:"-"`
	Net        money.Amount `json:"net_fen"`
	Status     BillStatus   `json:"status"`
	Asked      int          `json:"asked" gorm:"column:asked_no"` // how often the channel was asked
	Refused    bool         `json:"-"`                            // the last request to make it was
	Code       string       `json:"code"`                         // what the channel said last, if it was no state
	PlatformNo string       `json:"platform_no"`
	Package    string       `json:"-" gorm:"column:package_info"` // what its person confirms by
	MadeAt     clock.Milli  `json:"made_at"`
	SentAt     clock.Milli  `json:"sent_at"` // first asked for
	UntilAt    clock.Milli  `json:"until_at"`
	NextAt     clock.Milli  `json:"next_at"`
	EndedAt    clock.Milli  `json:"ended_at"`
	CalledBy   id.Staff     `json:"called_by"` // who called it off
	CalledAt   clock.Milli  `json:"called_at"`
}

// TableName is the table of bills.
func (Bill) TableName() string { return "payout_bills" }

// The refusals around bills.
var (
	ErrNoBills  = fault.New(fault.KindConflict, "settlement.no_bills", "没有为该付款主体接通微信商家转账，请检查设置及付款主体的商户号与 AppID", "transfer bills are not connected for this payer; check the settings, and its merchant number and app id")
	ErrBillOpen = fault.New(fault.KindConflict, "settlement.bill_open", "第 {line} 行的结果以转账单为准，不能另行登记", "what became of line {line} is what its bill says; it cannot be reported by hand")
)

// billsTx makes the first bill of lines that are on their way.
func billsTx(tx *database.Tx, lines []PayoutLine) error {
	var list []Bill
	for _, l := range lines {
		if l.Status == PayoutLineSent {
			list = append(list, billOf(tx, l, 1))
		}
	}
	if len(list) == 0 {
		return nil
	}
	return tx.Create(&list).Error
}

// billOf derives the bill of a try from its line, its number too.
func billOf(tx *database.Tx, l PayoutLine, try int) Bill {
	no := l.BillNo()
	if try > 1 {
		no = fmt.Sprintf("%sR%d", no, try)
	}
	return Bill{ID: tx.Next(), No: no, PayoutID: l.PayoutID, LineID: l.ID, LineNo: l.LineNo, Try: try, MemberID: l.MemberID, PayeeID: l.PayeeID, PayeeNo: l.PayeeNo,
		Net: l.Net, Status: BillMade, MadeAt: tx.Now, NextAt: tx.Now}
}

// ListBills pages the bills of a payout, newest first.
func (s *Service) ListBills(ctx context.Context, pid id.Payout, page database.Page) (database.Paged[Bill], error) {
	if _, err := s.FindPayout(ctx, pid); err != nil {
		return database.Paged[Bill]{}, err
	}
	var rows []Bill
	err := s.DB.Read(ctx).Raw("SELECT * FROM payout_bills WHERE payout_id = ? AND id < ? ORDER BY id DESC LIMIT ?", pid, page.Bound(), page.Fetch()).Scan(&rows).Error
	return database.Cut(page, rows, func(b Bill) int64 { return b.ID }), err
}

// ToConfirm is a bill that its member may confirm now, with what the page
// inside WeChat needs for it.
type ToConfirm struct {
	No         string       `json:"bill_no" gorm:"column:bill_no"`
	PayoutID   id.Payout    `json:"-"`
	Net        money.Amount `json:"net_fen"`
	UntilAt    clock.Milli  `json:"until_at"`
	MerchantID string       `json:"mch_id" gorm:"-"`
	AppID      string       `json:"app_id" gorm:"-"`
	Package    string       `json:"package" gorm:"column:package_info"`
}

// confirmMost is how many bills a member is shown; one settlement makes one.
const confirmMost = 20

// ToConfirm lists what a live member may confirm, what ends first before the
// others. By our clock an expired bill is not shown, whatever the channel
// still says of it.
func (s *Service) ToConfirm(ctx context.Context, member id.Member) ([]ToConfirm, error) {
	list := []ToConfirm{}
	if s.Bills == nil {
		return list, nil
	}
	q := s.DB.Read(ctx)
	from, err := community.MergedInto(q, []id.Member{member})
	if err != nil {
		return nil, err
	}
	err = q.Raw(`SELECT bill_no, payout_id, net, until_at, package_info FROM payout_bills WHERE member_id IN ? AND status = ? AND until_at > ? AND package_info <> '' AND called_at = 0
		ORDER BY until_at, id LIMIT ?`, append(from[member], member), BillWaiting, clock.MilliOf(s.DB.Clock.Now()), confirmMost).Scan(&list).Error
	for i := range list {
		list[i].MerchantID, list[i].AppID = s.Bills.MerchantID, s.Bills.AppID
	}
	return list, err
}

// The rules of time around a bill.
const (
	triesMost    = 3                   // bills of one line, each after the end of the one before
	confirmGrace = 10 * time.Minute    // what the channel gets to notice by itself that nobody confirmed
	refusedFor   = 24 * time.Hour      // what refuses a bill may be mended for so long
	askedFor     = 29 * 24 * time.Hour // after 30 days the channel forgets a bill, and then its silence means nothing
	pollEvery    = 10 * time.Minute    // while its person may confirm
	pollMost     = time.Hour
)
