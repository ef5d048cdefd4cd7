package promotion

import (
	"context"

	"siyu/campaign/guard"
	"siyu/internal/id"
)

// Label marks every text as what it is; the law asks for the word.
const Label = "广告"

// Send is one ad for one group, as a channel gets it.
type Send struct {
	SlotID      id.Slot      `json:"slot_id"` // what confirms and reports name
	PromotionID id.Promotion `json:"promotion_id"`
	CampaignID  id.Campaign  `json:"campaign_id"`
	GroupID     id.Group     `json:"group_id"`
	ExternalID  string       `json:"external_id"` // the group's, in its own platform
	GroupName   string       `json:"group_name"`
	OwnerID     id.Staff     `json:"owner_id"`
	Window      guard.Window `json:"window"`
	Label       string       `json:"label"`
	TextZH      string       `json:"text_zh"`
	TextEN      string       `json:"text_en"`
	Priority    int          `json:"priority"`
}

// Receipt is what a channel knows of a send.
type Receipt string

// The receipts.
const (
	ReceiptPending   Receipt = "pending"   // somebody will confirm or report
	ReceiptShown     Receipt = "shown"     // the group has it
	ReceiptCancelled Receipt = "cancelled" // it was not shown and will not be
)

// Channel brings ads into groups. Both calls are repeatable: the slot is the
// key.
type Channel interface {
	Name() string
	// Deliver hands the ad out; the receipt is shown or pending.
	Deliver(ctx context.Context, s Send) (Receipt, error)
	// Cancel takes it back; the receipt is cancelled when the channel is sure
	// that it was not shown, else pending.
	Cancel(ctx context.Context, s Send) (Receipt, error)
}

func (s *Service) channel(name string) (Channel, bool) {
	for _, c := range s.Channels {
		if c.Name() == name {
			return c, true
		}
	}
	return nil, false
}
