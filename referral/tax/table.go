package tax

import "siyu/internal/money"

// bracket is one row of a progressive table: up to and including upto.
type bracket struct {
	upto  money.Amount
	rate  money.Bps
	quick money.Amount
}

type table []bracket

const noEnd = money.Amount(1<<63 - 1)

// labor is the table of what is withheld from pay for services.
var labor = table{
	{20_000_00, 2_000, 0},
	{50_000_00, 3_000, 2_000_00},
	{noEnd, 4_000, 7_000_00},
}

// year is the table of comprehensive income.
var year = table{
	{36_000_00, 300, 0},
	{144_000_00, 1_000, 2_520_00},
	{300_000_00, 2_000, 16_920_00},
	{420_000_00, 2_500, 31_920_00},
	{660_000_00, 3_000, 52_920_00},
	{960_000_00, 3_500, 85_920_00},
	{noEnd, 4_500, 181_920_00},
}

func (t table) bracket(taxable money.Amount) bracket {
	for _, b := range t {
		if taxable <= b.upto {
			return b
		}
	}
	return t[len(t)-1]
}

// laborTaxable is a month's income less 800 yuan up to 4,000, above it less a
// fifth.
func laborTaxable(gross money.Amount) money.Amount {
	if gross <= 4_000_00 {
		return max(0, gross-800_00)
	}
	return share(gross, 8_000)
}

// yearTaxable is the year's income less a fifth for costs and 5,000 yuan for
// each month.
func yearTaxable(gross money.Amount, months int) money.Amount {
	return max(0, share(max(0, gross), 8_000)-5_000_00*money.Amount(months))
}
