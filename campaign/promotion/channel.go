package promotion

import (
	"context"

	"siyu/campaign/guard"
	"siyu/campaign/material"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Label marks every ad as what it is; the law asks for the word, for its
// sponsor, and for a way to refuse more.
const (
	Label    = "广告"
	RefuseZH = "不想再看到此类广告，请告诉群主，或退出本群"
	RefuseEN = "to see no more of these, tell the group's owner or leave the group"
)

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
	Sponsor     string       `json:"sponsor"`   // of a material
	RefuseZH    string       `json:"refuse_zh"` // shown with it
	RefuseEN    string       `json:"refuse_en"`
	Priority    int          `json:"priority"`
	Shows
	Lines []Line `json:"lines"` // of a digest: what goes along with the main ad
}

// Line is an ad that goes along with another in one message.
type Line struct {
	PromotionID id.Promotion `json:"promotion_id"`
	CampaignID  id.Campaign  `json:"campaign_id"`
	Label       string       `json:"label"`
	Sponsor     string       `json:"sponsor"`
	Shows

	row digestRow
}

// Shows is what the group is to see: a text, or the variant of a material that
// is this group's.
type Shows struct {
	MaterialID id.Material       `json:"material_id"`
	Kind       material.Kind     `json:"kind"`
	VariantNo  int               `json:"variant_no"`
	TitleZH    string            `json:"title_zh"`
	TitleEN    string            `json:"title_en"`
	TextZH     string            `json:"text_zh"`
	TextEN     string            `json:"text_en"`
	Link       string            `json:"link"`
	AppID      string            `json:"app_id"`
	AppPath    string            `json:"app_path"`
	Picture    *material.Picture `json:"picture"` // its bytes are fetched by its id
}

// shows is what the promotion has for a group, and whose ad that is.
func shows(q *database.Query, p Promotion, group id.Group) (out Shows, sponsor string, err error) {
	if p.MaterialID == 0 {
		return Shows{Kind: material.KindText, TextZH: p.TextZH, TextEN: p.TextEN}, "", nil
	}
	m, err := material.Read(q, p.MaterialID)
	if err != nil {
		return out, "", err
	}
	v := m.For(group)
	out = Shows{
		MaterialID: m.ID, Kind: m.Kind, VariantNo: v.No, TitleZH: v.TitleZH, TitleEN: v.TitleEN, TextZH: v.TextZH, TextEN: v.TextEN,
		Link: v.Link, AppID: v.AppID, AppPath: v.AppPath,
	}
	if v.PictureID != 0 {
		picture, err := material.ReadPicture(q, v.PictureID)
		if err != nil {
			return out, "", err
		}
		out.Picture = &picture
	}
	return out, m.Sponsor, nil
}

// Receipt is what a channel knows of a send.
type Receipt string

// The receipts.
const (
	ReceiptPending   Receipt = "pending"   // somebody will confirm or report
	ReceiptShown     Receipt = "shown"     // the group has it
	ReceiptCancelled Receipt = "cancelled" // it was not shown and will not be
)

// Channel brings ads into groups. Its calls are repeatable: the slot is the
// key.
type Channel interface {
	Name() string
	// Deliver hands the ad out; the receipt is shown or pending.
	Deliver(ctx context.Context, s Send) (Receipt, error)
	// Cancel takes it back; the receipt is cancelled when the channel is sure
	// that it was not shown, else pending.
	Cancel(ctx context.Context, s Send) (Receipt, error)
	// Remind tells the group's owner that he has not posted it.
	Remind(ctx context.Context, s Send) error
}

func (s *Service) channel(name string) (Channel, bool) {
	for _, c := range s.Channels {
		if c.Name() == name {
			return c, true
		}
	}
	return nil, false
}
