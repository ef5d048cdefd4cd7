package payee

import (
	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/tax"
)

// LineKind says what a tax line does.
type LineKind string

// The kinds: a payment, and one that came back.
const (
	LineWithheld LineKind = "withheld"
	LineReversed LineKind = "reversed"
)

// Line is what was withheld from one payment, or taken back with it. Only
// added, never edited.
type Line struct {
	ID         int64        `json:"-"`
	MonthID    int64        `json:"-"`
	Key        string       `json:"key" gorm:"column:line_key"`
	Kind       LineKind     `json:"kind"`
	Corrects   int64        `json:"-"`
	PayerID    id.Payer     `json:"payer_id"`
	MemberID   id.Member    `json:"member_id"`
	PayeeID    id.Payee     `json:"payee_id"`
	BorneBy    tax.Bearer   `json:"tax_borne_by"`
	Promised   money.Amount `json:"promised_fen"`
	Gross      money.Amount `json:"gross_fen"`
	Taxable    money.Amount `json:"taxable_fen"`
	Rate       money.Bps    `json:"rate_bps"`
	Quick      money.Amount `json:"quick_deduction_fen"`
	Tax        money.Amount `json:"tax_fen"`
	Net        money.Amount `json:"net_fen"`
	Rule       string       `json:"rule_version" gorm:"column:rule_version"`
	At         clock.Milli  `json:"at"`
	Month      int          `json:"month" gorm:"-"`       // yyyymm it counts in
	IncomeType tax.Income   `json:"income_type" gorm:"-"` // of its month
}

// TableName is the table of tax lines.
func (Line) TableName() string { return "tax_lines" }
