package campaign

import (
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// What this room tells webhooks; docs/events.md says when.
const (
	eventOrderHeld      webhook.Type = "order.held"
	eventOrderFromWait  webhook.Type = "order.from_wait"
	eventOrderPaid      webhook.Type = "order.paid"
	eventOrderPaidLate  webhook.Type = "order.paid_late"
	eventOrderMoved     webhook.Type = "order.moved"
	eventOrderToShip    webhook.Type = "order.to_ship"
	eventOrderExpired   webhook.Type = "order.expired"
	eventOrderCancelled webhook.Type = "order.cancelled"
	eventOrderRefunded  webhook.Type = "order.refunded"
	eventOrderShipped   webhook.Type = "order.shipped"
	eventOrderReceived  webhook.Type = "order.received"

	eventRefundRequested webhook.Type = "refund.requested"
	eventRefundDone      webhook.Type = "refund.done"
	eventRefundFailed    webhook.Type = "refund.failed"
	eventRefundOverdue   webhook.Type = "refund.overdue"

	eventCampaignPublished     webhook.Type = "campaign.published"
	eventCampaignStarted       webhook.Type = "campaign.started"
	eventCampaignPaused        webhook.Type = "campaign.paused"
	eventCampaignResumed       webhook.Type = "campaign.resumed"
	eventCampaignEnded         webhook.Type = "campaign.ended"
	eventCampaignCancelled     webhook.Type = "campaign.cancelled"
	eventCampaignSoldOut       webhook.Type = "campaign.sold_out"
	eventCampaignRestocked     webhook.Type = "campaign.restocked"
	eventCampaignSessionOpened webhook.Type = "campaign.session_opened"
	eventCampaignSessionClosed webhook.Type = "campaign.session_closed"
)

// letGo, refundTold, shipped and turned name the event of a state reached.
var (
	letGo      = map[OrderStatus]webhook.Type{OrderExpired: eventOrderExpired, OrderCancelled: eventOrderCancelled}
	refundTold = map[RefundStatus]webhook.Type{RefundDone: eventRefundDone, RefundFailed: eventRefundFailed}
	shipped    = map[string]webhook.Type{"shipped": eventOrderShipped, "received": eventOrderReceived}
	turned     = map[Verb]webhook.Type{
		Publish: eventCampaignPublished, Pause: eventCampaignPaused, Resume: eventCampaignResumed,
		End: eventCampaignEnded, Cancel: eventCampaignCancelled,
	}
)

// publishOrders announces what happened to orders.
func publishOrders(tx *database.Tx, event webhook.Type, orders []Order) error {
	for _, o := range orders {
		if err := webhook.PublishTx(tx, event, o); err != nil {
			return err
		}
	}
	return nil
}

// publishShipment announces goods sent or received.
func publishShipment(tx *database.Tx, o Order, in Shipment) error {
	return webhook.PublishTx(tx, shipped[in.Stage], map[string]any{
		"order_id": o.ID, "campaign_id": o.CampaignID, "member_id": o.MemberID, "shipment_no": in.ShipmentNo, "at": in.At,
	})
}

// publishCampaign announces a campaign's step.
func publishCampaign(tx *database.Tx, event webhook.Type, c Campaign, to Status) error {
	return webhook.PublishTx(tx, event, map[string]any{"id": c.ID, "kind": c.Kind, "name": c.Name, "status": to})
}

// publishSession announces an edge: of a session opened, next_at is its end;
// of one closed, when the next begins, or nothing.
func publishSession(tx *database.Tx, event webhook.Type, c Campaign, at, next clock.Milli) error {
	return webhook.PublishTx(tx, event, map[string]any{"id": c.ID, "kind": c.Kind, "name": c.Name, "at": at, "next_at": next})
}

// publishItem announces that an item was sold out or is to be had again.
func publishItem(tx *database.Tx, event webhook.Type, i Item) error {
	return webhook.PublishTx(tx, event, map[string]any{"campaign_id": i.CampaignID, "item_id": i.ID, "left": i.Free()})
}

// publishRestocked tells that pieces are free again of an item that had none,
// after so many were given back. Those the waiting line took are not free.
func publishRestocked(tx *database.Tx, item id.Item, back int64) error {
	if heard, err := webhook.Wanted(tx.DB, eventCampaignRestocked); err != nil || !heard {
		return err
	}
	var i Item
	if err := tx.Raw("SELECT * FROM items WHERE id = ?", item).Scan(&i).Error; err != nil {
		return err
	}
	if free := i.Free(); free == 0 || free > back {
		return nil
	}
	return publishItem(tx, eventCampaignRestocked, i)
}

// publishStockEdit tells what an edit of the stock did to an item that stood
// like this before.
func publishStockEdit(tx *database.Tx, before Item, by int64) error {
	free := before.Free()
	switch {
	case by > 0:
		return publishRestocked(tx, before.ID, by)
	case free > 0 && free <= -by:
		before.Left += by
		return publishItem(tx, eventCampaignSoldOut, before)
	}
	return nil
}
