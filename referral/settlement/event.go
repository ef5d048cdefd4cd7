package settlement

import (
	"siyu/internal/database"
	"siyu/internal/webhook"
)

// What this room tells webhooks; docs/events.md says when.
const (
	eventSealed webhook.Type = "settlement.sealed"
	eventPaid   webhook.Type = "settlement.paid"
	eventPayout webhook.Type = "payout.paid"
	eventUnpaid webhook.Type = "payout.unpaid"
	eventFailed webhook.Type = "payout.line_failed"

	eventWithdrawalAsked     webhook.Type = "withdrawal.asked"
	eventWithdrawalRefused   webhook.Type = "withdrawal.refused"
	eventWithdrawalCancelled webhook.Type = "withdrawal.cancelled"

	eventStatement webhook.Type = "statement.ready"
	eventObjected  webhook.Type = "statement.objected"
	eventAnswered  webhook.Type = "statement.answered"
)

// publishSealed announces a settlement whose lines, files and digest stand.
func publishSealed(tx *database.Tx, st Settlement) error {
	return webhook.PublishTx(tx, eventSealed, map[string]any{
		"id": st.ID, "unit_id": st.UnitID, "label": st.Label, "line_count": st.LineCount,
		"gross_fen": st.Gross, "tax_fen": st.Tax, "net_fen": st.Net, "digest": st.seal(),
	})
}

// publishPaid announces a settlement of which nothing is left to pay; the
// payout is the one that paid the last of it.
func publishPaid(tx *database.Tx, p Payout, all outlay) error {
	return webhook.PublishTx(tx, eventPaid, map[string]any{
		"id": p.SettlementID, "payout_id": p.ID, "line_count": all.Lines, "gross_fen": all.Gross, "tax_fen": all.Tax, "net_fen": all.Net,
	})
}

// publishPayout announces a payout that has paid whom it could.
func publishPayout(tx *database.Tx, p Payout) error {
	return webhook.PublishTx(tx, eventPayout, map[string]any{
		"id": p.ID, "settlement_id": p.SettlementID, "payer_id": p.PayerID, "line_count": p.LineCount, "failed_count": p.FailedCount,
		"gross_fen": p.Gross, "tax_fen": p.Tax, "net_fen": p.Net,
	})
}

// publishUnpaid announces a payout that could pay nobody, and why.
func publishUnpaid(tx *database.Tx, p Payout, held []HeldSum) error {
	return webhook.PublishTx(tx, eventUnpaid, map[string]any{"id": p.ID, "settlement_id": p.SettlementID, "payer_id": p.PayerID, "held": held})
}

// publishFailed announces a payment that came back.
func publishFailed(tx *database.Tx, l PayoutLine) error {
	return webhook.PublishTx(tx, eventFailed, map[string]any{
		"payout_id": l.PayoutID, "line": l.LineNo, "member_id": l.MemberID, "owed_fen": l.Owed, "reason": l.Reason,
	})
}
