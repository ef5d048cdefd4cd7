package settlement

import (
	"siyu/internal/database"
	"siyu/internal/webhook"
)

// What this room tells webhooks; docs/events.md says when.
const (
	eventSealed webhook.Type = "settlement.sealed"
	eventPaid   webhook.Type = "settlement.paid"
)

// publishSealed announces a settlement whose lines, files and digest stand.
func publishSealed(tx *database.Tx, st Settlement) error {
	return webhook.PublishTx(tx, eventSealed, map[string]any{
		"id": st.ID, "unit_id": st.UnitID, "label": st.Label, "line_count": st.LineCount,
		"gross_fen": st.Gross, "tax_fen": st.Tax, "net_fen": st.Net, "digest": st.seal(),
	})
}

// publishPaid announces a settlement whose payout was paid whole.
func publishPaid(tx *database.Tx, p Payout) error {
	return webhook.PublishTx(tx, eventPaid, map[string]any{
		"id": p.SettlementID, "payout_id": p.ID, "line_count": p.LineCount, "gross_fen": p.Gross, "tax_fen": p.Tax, "net_fen": p.Net,
	})
}
