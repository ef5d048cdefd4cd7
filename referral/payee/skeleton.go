package payee

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// PayerTx is the payer that something of the unit gets: the one named, if the
// actor sees it, or the root unit's default.
func PayerTx(tx *database.Tx, unit id.Unit, named id.Payer) (Payer, error) {
	return Payer{}, fault.NotYet
}

// ForPaymentTx says who receives each payment, or why nobody can, and locks
// the payees until the payment is written. Answers are by the member asked for.
func ForPaymentTx(tx *database.Tx, payer id.Payer, list []Owed) (map[id.Member]Ready, error) {
	return nil, fault.NotYet
}

// WithholdTx withholds from the payments, in the order given, and writes a
// line for each; the answers are in the same order.
func WithholdTx(tx *database.Tx, list []Withholding) ([]Line, error) {
	return nil, fault.NotYet
}

// ReverseTx takes back what was withheld from payments that came back, by
// their keys: in the same month while it is open, else in the open one.
func ReverseTx(tx *database.Tx, keys []string) ([]Line, error) {
	return nil, fault.NotYet
}

// Ref names a version of a payee as it was frozen on a payment.
type Ref struct {
	Payee id.Payee
	No    int
}

// OpenVault opens what payees are paid by, for a payout file and with an
// audit row for the object that asks.
func (s *Service) OpenVault(ctx context.Context, why id.Payout, refs []Ref) (map[Ref]Details, error) {
	return nil, fault.NotYet
}
