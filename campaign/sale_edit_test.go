package campaign_test

import (
	"pgregory.net/rapid"

	"siyu/campaign"
	"siyu/internal/fault"
	"siyu/internal/money"
)

// edit changes one thing of the item; once published it may only become better.
func (m *saleMachine) edit(r *rapid.T) {
	e := campaign.ItemEdit{ID: m.item, AddStock: int64(rapid.IntRange(-3, 3).Draw(r, "add"))}
	next := m.saleBook
	next.stock += e.AddStock
	switch rapid.IntRange(0, 4).Draw(r, "what") {
	case 0:
		next.price = m.price + money.Amount(rapid.SampledFrom([]int{-100, 0, 100}).Draw(r, "price"))
		e.Price = &next.price
	case 1:
		next.perMember = rapid.SampledFrom([]int{m.perMember - 1, m.perMember + 1, m.perMember + 2, 0}).Draw(r, "per member")
		e.PerMember = &next.perMember
	case 2:
		next.perOrder = m.perOrder + rapid.IntRange(-1, 1).Draw(r, "per order")
		e.PerOrder = &next.perOrder
	case 3:
		if m.sessions {
			next.sessionStock = m.sessionStock + int64(rapid.IntRange(-1, 2).Draw(r, "session"))
			e.SessionStock = &next.sessionStock
		}
	}
	c, err := m.w.Campaign.FindCampaign(bg, m.c.ID)
	if err != nil {
		r.Fatal(err)
	}
	err = m.w.Campaign.Edit(bg, m.c.ID, c.Version, campaign.CampaignEdit{Items: []campaign.ItemEdit{e}})
	switch {
	case m.over || m.now >= m.ends:
		m.answered(r, err, campaign.ErrTransition.Code)
	case !m.better(next):
		m.answered(r, err, fault.Invalid.Code)
	default:
		m.answered(r, err, "")
		m.stock, m.price, m.perMember, m.perOrder, m.sessionStock = next.stock, next.price, next.perMember, next.perOrder, next.sessionStock
	}
	m.drain(0)
}

// better says whether the edit is allowed.
func (b *saleBook) better(next saleBook) bool {
	looser := func(was, is int64) bool { return is == 0 || was > 0 && is >= was }
	switch {
	case next.left() < 0, next.perOrder < b.perOrder, next.perOrder < 1, next.price > b.price, next.price < 1:
		return false
	case next.perMember < 0, next.perMember > 0 && next.perOrder > next.perMember:
		return false
	case next.sessionStock < 0 || next.sessionStock > next.stock:
		return false
	}
	return looser(int64(b.perMember), int64(next.perMember)) && looser(b.sessionStock, next.sessionStock)
}
