package campaign

import (
	"slices"
	"strconv"
	"strings"

	"siyu/internal/database"
)

// column is a number of an order as it is first written.
type column struct {
	name string
	of   func(o *Order) int64
}

// Every order has these.
var always = []column{
	{"id", func(o *Order) int64 { return int64(o.ID) }},
	{"campaign_id", func(o *Order) int64 { return int64(o.CampaignID) }},
	{"item_id", func(o *Order) int64 { return int64(o.ItemID) }},
	{"member_id", func(o *Order) int64 { return int64(o.MemberID) }},
	{"qty", func(o *Order) int64 { return int64(o.Qty) }},
	{"unit_price", func(o *Order) int64 { return int64(o.UnitPrice) }},
	{"amount", func(o *Order) int64 { return int64(o.Amount) }},
	{"limit_frozen", func(o *Order) int64 { return int64(o.LimitFrozen) }},
	{"claimed_by", func(o *Order) int64 { return int64(o.ClaimedBy) }},
	{"input_hash", func(o *Order) int64 { return o.InputHash }},
	{"deadline_at", func(o *Order) int64 { return int64(o.DeadlineAt) }},
	{"created_at", func(o *Order) int64 { return int64(o.CreatedAt) }},
}

// Only seats and invited members' orders have these; their default is zero.
var sometimes = []column{
	{"team_id", func(o *Order) int64 { return int64(o.TeamID) }},
	{"binding_id", func(o *Order) int64 { return int64(o.BindingID) }},
	{"inviter_id", func(o *Order) int64 { return int64(o.InviterID) }},
	{"code_id", func(o *Order) int64 { return int64(o.CodeID) }},
	{"program_id", func(o *Order) int64 { return int64(o.ProgramID) }},
	{"program_version", func(o *Order) int64 { return int64(o.ProgramVersion) }},
}

// insertOrders writes a batch's orders in one statement. Numbers are written
// into the text, which saves the driver a value per column; the keys, which
// come from callers, are arguments. Columns left out have their defaults: the
// order is held, unpaid and of version 1.
func insertOrders(tx *database.Tx, orders []Order) error {
	columns := slices.Clone(always)
	for _, c := range sometimes {
		if slices.ContainsFunc(orders, func(o Order) bool { return c.of(&o) != 0 }) {
			columns = append(columns, c)
		}
	}
	var head strings.Builder
	head.WriteString("INSERT INTO orders (")
	for _, c := range columns {
		head.WriteString(c.name + ", ")
	}
	head.WriteString("idem_key) VALUES ")
	b := make([]byte, 0, head.Len()+len(orders)*len(columns)*14)
	b = append(b, head.String()...)
	args := make([]any, len(orders))
	for i := range orders {
		o := &orders[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '(')
		for _, c := range columns {
			b = append(strconv.AppendInt(b, c.of(o), 10), ',')
		}
		b = append(b, '?', ')')
		args[i] = o.IdemKey
	}
	return tx.Defer(string(b), args...)
}
