package campaign

import (
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// announceHeld tells webhooks what one batch of claims did. It is a task, so
// that a claim never waits for an event, and it is written with the batch, so
// that what happened is told.
type announceHeld struct {
	Orders  []id.Order `json:"orders"`
	Again   []id.Order `json:"again,omitempty"`    // let go before, and had again
	SoldOut []id.Item  `json:"sold_out,omitempty"` // their last free piece went
}

// Kind names the task.
func (announceHeld) Kind() string { return "campaign:announce_held" }

// claimEvents are all that announceHeld may tell.
func (s *Service) claimEvents() []webhook.Type {
	list := []webhook.Type{eventOrderHeld, eventCampaignSoldOut}
	for _, k := range s.kinds {
		list = append(list, k.Events...)
	}
	return list
}

func (s *Service) announce(tx *database.Tx, a announceHeld) error {
	if heard, err := webhook.Wanted(tx.DB, s.claimEvents()...); err != nil || !heard {
		return err
	}
	var rows []Order
	if err := tx.Raw("SELECT * FROM orders WHERE id IN ? ORDER BY id", append(a.Again, a.Orders...)).Scan(&rows).Error; err != nil {
		return err
	}
	if err := publishOrders(tx, eventOrderHeld, rows); err != nil {
		return err
	}
	fresh := slices.DeleteFunc(rows, func(o Order) bool { return slices.Contains(a.Again, o.ID) })
	if err := s.announceSeats(tx, fresh); err != nil {
		return err
	}
	if len(a.SoldOut) == 0 {
		return nil
	}
	var items []Item
	if err := tx.Raw("SELECT * FROM items WHERE id IN ? ORDER BY id", a.SoldOut).Scan(&items).Error; err != nil {
		return err
	}
	for _, i := range items {
		if err := publishItem(tx, eventCampaignSoldOut, i); err != nil {
			return err
		}
	}
	return nil
}

// announceSeats lets the kinds tell of what their orders opened or joined.
func (s *Service) announceSeats(tx *database.Tx, orders []Order) error {
	if len(orders) == 0 {
		return nil
	}
	campaigns := map[id.Campaign]bool{}
	for _, o := range orders {
		campaigns[o.CampaignID] = true
	}
	var rows []Campaign
	if err := tx.Raw("SELECT id, kind FROM campaigns WHERE id IN ?", sorted(campaigns)).Scan(&rows).Error; err != nil {
		return err
	}
	byKind := map[string][]Order{}
	for _, c := range rows {
		for _, o := range orders {
			if o.CampaignID == c.ID {
				byKind[c.Kind] = append(byKind[c.Kind], o)
			}
		}
	}
	for kind, of := range byKind {
		if tell := s.kinds[kind].AnnounceTx; tell != nil {
			if err := tell(tx, of); err != nil {
				return err
			}
		}
	}
	return nil
}

// announcement is what the batch has to tell.
func (b *batch) announcement() announceHeld {
	a := announceHeld{}
	for _, o := range b.granted {
		a.Orders = append(a.Orders, o.ID)
	}
	for _, o := range b.revived {
		a.Again = append(a.Again, o.ID)
	}
	for _, item := range sorted(b.taken) {
		if free := b.items[item].Free(); free > 0 && free <= b.taken[item] {
			a.SoldOut = append(a.SoldOut, item)
		}
	}
	return a
}
