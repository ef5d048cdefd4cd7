// Package tax says what is withheld from a payment to a person.
//
// It is pure: a strategy, what the month and the year have seen so far, and
// the payment; no store, no clock, no float. Tax is withheld when it is paid,
// so the month is that of the payment, whatever settlement or batch it is of.
//
// Rounding, for the whole house: what is taxable and what is withheld are each
// rounded half up to the fen, in this order, so that whoever works a line out
// again from its columns gets the same fen.
//
// What must stay true: of the payments of one month, in any order, the sum of
// what is withheld is the tax of their sum; a payment's tax is never negative
// and never more than the payment. Callers: referral/payee.
package tax

import (
	"siyu/internal/fault"
	"siyu/internal/money"
)

// Strategy is how income is taxed by a payer.
type Strategy string

// The strategies.
const (
	NoneCoupon          Strategy = "none_coupon"           // discounts are no income
	Incidental20        Strategy = "incidental_20"         // 20 % of each receipt
	Labor2018           Strategy = "labor_2018"            // the month is one time
	LaborCumulative2025 Strategy = "labor_cumulative_2025" // year to date
	ExternalAgent       Strategy = "external_agent"        // an agent pays and withholds

	// Invoiced and Payroll are not a payer's to choose: firms are paid by the
	// one, staff by the other, whose payroll withholds with their wages.
	Invoiced Strategy = "invoiced"
	Payroll  Strategy = "payroll"
)

// Strategies lists those that a payer may choose.
func Strategies() []Strategy {
	return []Strategy{NoneCoupon, Incidental20, Labor2018, LaborCumulative2025, ExternalAgent}
}

// Income is what kind of income a payment is.
type Income string

// The kinds of income.
const (
	IncomeIncidental Income = "incidental" // 偶然所得
	IncomeLabor      Income = "labor"      // 劳务报酬
	IncomeCoupon     Income = "coupon"     // 折扣券

	// IncomeBusiness is what firms invoice, whatever the payer's own kind.
	IncomeBusiness Income = "business" // 经营所得
	// IncomeWages is what staff are paid, likewise.
	IncomeWages Income = "wages" // 工资、薪金所得
)

// Incomes lists those that a payer may choose.
func Incomes() []Income { return []Income{IncomeIncidental, IncomeLabor, IncomeCoupon} }

// Bearer is who pays the tax in the end.
type Bearer string

// The bearers: the payee gets the rest, or the company pays the tax on top.
const (
	BornePayee   Bearer = "payee"
	BorneCompany Bearer = "company"
)

// The refusals of this room.
var (
	ErrStrategy = fault.New(fault.KindUnprocessable, "tax.strategy", "计税方式 {strategy} 不适用于该所得", "the strategy {strategy} does not fit this income")
	ErrAmount   = fault.New(fault.KindUnprocessable, "tax.amount", "付款金额应大于 0 且不超过 1 亿元", "a payment is more than nothing and at most 100 million yuan")
)

// Month is what one payer has paid one person as one kind of income so far:
// in the month of payment, and in the year before that month. Tax is what was
// withheld of it; corrections may have made either negative.
type Month struct {
	Gross, Tax         money.Amount
	YearGross, YearTax money.Amount // of the months before this one
	Months             int          // from the year's first month with income to this one
}

// Result is what becomes of one payment.
type Result struct {
	Gross   money.Amount // what is taxed, and declared
	Taxable money.Amount // of the month or the year so far, by the rule; of the receipt where each counts for itself
	Rate    money.Bps    // the bracket that Taxable falls in
	Quick   money.Amount // its quick deduction
	Tax     money.Amount // withheld from this payment
	Net     money.Amount // what arrives
}

// maxGross bounds a payment, and with it every product below.
const maxGross = 10_000_000_000

// Withhold says what is withheld from a payment of gross.
func Withhold(s Strategy, m Month, gross money.Amount) (Result, error) {
	if gross <= 0 || gross > maxGross {
		return Result{}, ErrAmount
	}
	r := Result{Gross: gross}
	switch s {
	case NoneCoupon, ExternalAgent, Invoiced, Payroll:
	case Incidental20:
		r.Taxable, r.Rate = gross, 2_000
		r.Tax = share(gross, r.Rate)
	case Labor2018:
		r.Taxable = laborTaxable(m.Gross + gross)
		r.owe(labor, m.Tax)
	case LaborCumulative2025:
		r.Taxable = yearTaxable(m.YearGross+m.Gross+gross, m.Months)
		r.owe(year, m.YearTax+m.Tax)
	default:
		return Result{}, ErrStrategy.With("strategy", s)
	}
	r.Net = gross - r.Tax
	return r, nil
}

// owe withholds what the table asks of all that is taxable, less what was
// withheld before. What a correction left over or short is evened out here, as
// far as this payment reaches.
func (r *Result) owe(t table, before money.Amount) {
	b := t.bracket(r.Taxable)
	r.Rate, r.Quick = b.rate, b.quick
	r.Tax = min(max(0, share(r.Taxable, b.rate)-b.quick-before), r.Gross)
}

// Due is the tax of a month by itself, as the return states it; of incidental
// income, where each receipt counts for itself, it is what was withheld.
func Due(s Strategy, m Month) money.Amount {
	r := Result{}
	switch s {
	case Incidental20:
		return m.Tax
	case Labor2018:
		r.Taxable = laborTaxable(m.Gross)
		b := labor.bracket(r.Taxable)
		return share(r.Taxable, b.rate) - b.quick
	case LaborCumulative2025:
		r.Taxable = yearTaxable(m.YearGross+m.Gross, m.Months)
		b := year.bracket(r.Taxable)
		return max(0, share(r.Taxable, b.rate)-b.quick-m.YearTax)
	}
	return 0
}

// share is a part of an amount of nought or more, rounded half up.
func share(a money.Amount, r money.Bps) money.Amount {
	return (a*money.Amount(r) + money.Amount(money.Whole)/2) / money.Amount(money.Whole)
}
