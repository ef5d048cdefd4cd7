package payee

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/money"
)

// Outlook says what would arrive of payments made now, one after the other,
// and writes nothing. Only those that are taken count for the ones after them,
// as they will in WithholdTx: several members may be one taxpayer.
type Outlook struct {
	tx    *database.Tx
	book  *book
	month *Month // of the payment asked about last, with what it would come to
	line  Line
}

// OutlookTx is the outlook of payments of which some may be made. It locks what
// WithholdTx does.
func OutlookTx(tx *database.Tx, list []Withholding) (*Outlook, error) {
	b, err := openBook(tx, list)
	return &Outlook{tx: tx, book: b}, err
}

// Next says what would arrive of a payment, which is one of those the outlook
// was made for, after all that were taken.
func (o *Outlook) Next(w Withholding) (money.Amount, error) {
	like := o.book.monthFor(o.tx, w)
	if o.month = o.book.find(like); o.month == nil {
		o.month = &like
	}
	r, _, err := o.book.pay(o.month, w)
	if err != nil {
		return 0, fmt.Errorf("payee: %s: %w", w.Member, err)
	}
	o.line = Line{Gross: r.Gross, Tax: r.Tax}
	return r.Net, nil
}

// Take counts the payment asked about last as made.
func (o *Outlook) Take() {
	if o.book.find(*o.month) == nil {
		o.book.months = append(o.book.months, o.month)
	}
	o.book.note(o.month, o.line)
}
