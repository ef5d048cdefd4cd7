package groupbuy

import (
	"cmp"
	"context"
	"encoding/json"

	"siyu/campaign"
	"siyu/community"
	"siyu/community/request"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// DraftIn is a group-buy to draft for what a group asked for.
type DraftIn struct {
	SKU      string       `json:"sku"`
	Price    money.Amount `json:"price_fen"`
	Stock    int64        `json:"stock"`
	Size     int          `json:"size"`
	StartsAt clock.Milli  `json:"starts_at"`
	EndsAt   clock.Milli  `json:"ends_at"`
}

// Validate checks what the campaign's own check would name otherwise.
func (in DraftIn) Validate() error {
	var c fault.Check
	c.Required(in.SKU, "sku")
	c.Range(int64(in.Size), "size", 2, 100)
	return c.Err()
}

// Draft makes a draft from a request: its name is the request's line and its
// audience the request's group, whose askers are told. A request has one; asked
// again, whoever asks, it is the one that stands.
func (s *Service) Draft(ctx context.Context, from id.Request, in DraftIn) (id.Campaign, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	rules, err := json.Marshal(map[string]int{"size": in.Size})
	if err != nil {
		return 0, err
	}
	var made id.Campaign
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		r, err := request.BuyTx(tx, from)
		if err != nil {
			return err
		}
		if made = r.CampaignID; made != 0 {
			tx.SetResult("campaign", int64(made), 201)
			return nil
		}
		name, err := draftName(tx, r, in.SKU)
		if err != nil {
			return err
		}
		made, err = s.Campaign.CreateTx(tx, campaign.CampaignIn{
			Kind: "group_buy", Name: name, StartsAt: in.StartsAt, EndsAt: in.EndsAt, Rules: rules,
			Audience: campaign.Audience{Groups: []id.Group{r.GroupID}},
			Items:    []campaign.ItemIn{{SKU: in.SKU, Price: in.Price, Stock: in.Stock}},
		})
		if err != nil {
			return err
		}
		return r.DraftedTx(tx, made)
	})
	return made, err
}

// draftName is what was asked for; where the asker was erased, and his words
// with him, it is the product's name.
func draftName(tx *database.Tx, r request.Request, sku string) (string, error) {
	var product string
	err := tx.Raw("SELECT name FROM products WHERE sku = ? AND EXISTS (SELECT 1 FROM members WHERE id = ? AND status = ?)", sku, r.MemberID, community.MemberErased).Scan(&product).Error
	return cmp.Or(product, r.Line), err
}
