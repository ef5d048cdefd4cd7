package tieout

import (
	"errors"
	"io"
	"strconv"

	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/sheet"
)

// MallLine is a payment or a refund as the mall lists it. OrderID is Siyu's
// order; a sale of the mall's own has none.
type MallLine struct {
	Kind    Kind         `json:"kind"`
	No      string       `json:"no"`
	OrderID id.Order     `json:"order_id"`
	Amount  money.Amount `json:"amount_fen"`
	At      clock.Milli  `json:"at"`
}

// line checks the mall's line, which stands at a place of a day's file.
func (in MallLine) line(place, day int) (Line, error) {
	l := Line{Kind: in.Kind, No: in.No, OrderID: in.OrderID, Amount: in.Amount}
	switch {
	case in.Kind != KindPayment && in.Kind != KindRefund:
		return l, bad(place, "kind", errKind)
	case !numbered(in.No):
		return l, bad(place, "no", errNumber)
	case in.Amount < 0:
		return l, bad(place, "amount_fen", errAmount)
	case in.At == 0:
		return l, bad(place, "at", errAt)
	}
	return l, l.of(in.At.Time(), place, day)
}

// MallLines checks lines that the mall sent one by one.
func MallLines(list []MallLine, day int) ([]Line, error) {
	if len(list) > LinesMax {
		return nil, ErrLarge
	}
	lines := make([]Line, 0, len(list))
	for i, in := range list {
		l, err := in.line(i+1, day)
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// mallColumns are what the columns of the mall's CSV may be called.
var mallColumns = map[string]string{
	"kind": "kind", "种类": "kind", "no": "no", "单号": "no", "order_id": "order_id", "订单": "order_id",
	"amount_fen": "amount_fen", "金额（分）": "amount_fen", "at": "at", "时间": "at",
}

// ReadMall reads the mall's day as CSV: kind, no, order_id, amount_fen, at.
func ReadMall(body []byte, day int) ([]Line, error) {
	s, err := opened(body, mallColumns)
	if err != nil {
		return nil, err
	}
	for _, must := range []string{"kind", "no", "amount_fen", "at"} {
		if !s.Has(must) {
			return nil, ErrHeads.With("missing", must)
		}
	}
	lines := []Line{}
	for {
		row, err := next(s)
		switch {
		case errors.Is(err, io.EOF):
			return lines, nil
		case err != nil:
			return nil, err
		case len(lines) == LinesMax:
			return nil, ErrLarge
		}
		in, err := mallRow(row)
		if err != nil {
			return nil, err
		}
		l, err := in.line(row.Line, day)
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
}

func mallRow(row sheet.Row) (MallLine, error) {
	in := MallLine{Kind: Kind(row.Field("kind")), No: row.Field("no")}
	fen, err := strconv.ParseInt(row.Field("amount_fen"), 10, 64)
	if err != nil {
		return in, bad(row.Line, "amount_fen", errAmount)
	}
	in.Amount = money.Amount(fen)
	if text := row.Field("order_id"); text != "" && in.OrderID.UnmarshalText([]byte(text)) != nil {
		return in, bad(row.Line, "order_id", errOrder)
	}
	at, ok := sheet.Moment(row.Field("at"), zone())
	if !ok {
		return in, bad(row.Line, "at", errAt)
	}
	in.At = clock.MilliOf(at)
	return in, nil
}
