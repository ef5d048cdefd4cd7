package settlement

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/wallet"
)

// PayoutLineStatus says what became of one payment.
type PayoutLineStatus string

// A payment that was made elsewhere counts as paid when the payout is marked;
// others are on their way until a result says what became of them. One that
// failed never becomes anything else: the next settlement carries it.
const (
	PayoutLineSent    PayoutLineStatus = "sent"
	PayoutLineUnknown PayoutLineStatus = "unknown" // a result was asked for, and says neither
	PayoutLinePaid    PayoutLineStatus = "paid"
	PayoutLineFailed  PayoutLineStatus = "failed"
)

// PayoutLine is what one member is paid: of what the settlement owes him, what
// is taxed, withheld and sent. PaidTo is who the member had become by merges
// when the ledger was written, the payee's number the version that was in
// force then.
type PayoutLine struct {
	ID           int64             `json:"-"`
	PayoutID     id.Payout         `json:"-"`
	SettlementID id.Settlement     `json:"-"`
	LineNo       int               `json:"line"`
	MemberID     id.Member         `json:"member_id"`
	PaidTo       id.Member         `json:"-"`
	PayeeID      id.Payee          `json:"payee_id"`
	PayeeNo      int               `json:"payee_no"`
	PayeeType    payee.Type        `json:"payee_type"` // then; staff without tax of ours
	AccountKind  payee.AccountKind `json:"account_kind"`
	Owed         money.Amount      `json:"owed_fen"`
	Gross        money.Amount      `json:"gross_fen"`
	Tax          money.Amount      `json:"tax_fen"`
	Net          money.Amount      `json:"net_fen"`
	TaxLineID    int64             `json:"-"`
	DayNo        int               `json:"-"` // whose limit it counts in; none once it came back
	Status       PayoutLineStatus  `json:"status"`
	TransferID   id.Transfer       `json:"transfer_id"`
	ArrivedBy    id.Transfer       `json:"-"`
	PaidAt       clock.Milli       `json:"paid_at"`
	ReturnedBy   id.Transfer       `json:"returned_by"`
	FailedAt     clock.Milli       `json:"failed_at"`
	Reason       string            `json:"reason"`
}

// TableName is the table of payout lines.
func (PayoutLine) TableName() string { return "payout_lines" }

// key is the permanent business key of the line's ledger fact, and of its tax.
func (l PayoutLine) key() string { return fmt.Sprintf("payout:%d:%d", l.PayoutID, l.LineNo) }

// BillNo names the payment outside, on every file and every retry.
func (l PayoutLine) BillNo() string { return fmt.Sprintf("P%d", l.ID) }

// reasonAllTax is why a payment has arrived of which nothing was sent.
const reasonAllTax payee.Reason = "all_tax"

// allTax says that tax takes the whole payment. Then there is nothing to send:
// no file or bill names it, no answer tells of it, and nothing can come back.
func (l PayoutLine) allTax() bool { return l.TransferID != 0 && l.Net == 0 }

// transfer takes what was owed out of payable: what is sent, if anything, to
// the stage given, the tax to the member's account of tax. Tax that the payer
// bears on top is the brand's own money.
func (l PayoutLine) transfer(to wallet.Stage) wallet.Transfer {
	owner := wallet.Member(l.PaidTo)
	t := wallet.Move(l.key(), "payout", money.CNY, l.Owed, wallet.At(wallet.StagePayable, owner), wallet.At(to, owner))
	if t.Legs[1].Amount = l.Net; l.Net == 0 {
		t.Legs = t.Legs[:1]
	}
	if l.Tax != 0 {
		t.Legs = append(t.Legs, wallet.Leg{Stage: wallet.StageTax, Owner: owner, Amount: l.Tax})
	}
	if top := l.Gross - l.Owed; top != 0 {
		t.Legs = append(t.Legs, wallet.Leg{Stage: wallet.StageSource, Owner: wallet.Brand(), Amount: -top})
	}
	return t
}

// ListPayoutLines pages the payments of a payout in their order.
func (s *Service) ListPayoutLines(ctx context.Context, pid id.Payout, page database.Page) (database.Paged[PayoutLine], error) {
	if _, err := s.FindPayout(ctx, pid); err != nil {
		return database.Paged[PayoutLine]{}, err
	}
	var lines []PayoutLine
	err := s.DB.Read(ctx).Raw("SELECT * FROM payout_lines WHERE payout_id = ? AND line_no > ? ORDER BY line_no LIMIT ?",
		pid, page.Before, page.Fetch()).Scan(&lines).Error
	return database.Cut(page, lines, func(l PayoutLine) int64 { return int64(l.LineNo) }), err
}
