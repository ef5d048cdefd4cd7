package campaign

import (
	"strconv"

	"siyu/internal/database"
)

// insertOrders writes a batch's orders in one statement. Numbers are written
// into the text, which saves the driver a value per column; the keys, which
// come from callers, are arguments. Columns left out have their defaults: the
// order is held, unpaid and of version 1.
func insertOrders(tx *database.Tx, orders []Order) error {
	b := make([]byte, 0, 400+len(orders)*200)
	b = append(b, "INSERT INTO orders (id, campaign_id, item_id, member_id, team_id, qty, unit_price, amount, limit_frozen, binding_id, inviter_id, code_id, program_id, program_version, claimed_by, input_hash, deadline_at, created_at, idem_key) VALUES "...)
	args := make([]any, 0, len(orders))
	for i, o := range orders {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '(')
		for _, n := range [...]int64{
			int64(o.ID), int64(o.CampaignID), int64(o.ItemID), int64(o.MemberID), int64(o.TeamID), int64(o.Qty),
			int64(o.UnitPrice), int64(o.Amount), int64(o.LimitFrozen), int64(o.BindingID), int64(o.InviterID), int64(o.CodeID),
			int64(o.ProgramID), int64(o.ProgramVersion), int64(o.ClaimedBy), o.InputHash, int64(o.DeadlineAt), int64(o.CreatedAt),
		} {
			b = append(strconv.AppendInt(b, n, 10), ',')
		}
		b = append(b, '?', ')')
		args = append(args, o.IdemKey)
	}
	return tx.Exec(string(b), args...).Error
}
