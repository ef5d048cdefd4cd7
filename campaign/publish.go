package campaign

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// publishable refuses what could not be kept. A draft may be older than its
// products' prices, its kind's rules and its own window, so all is looked at
// again.
func (s *Service) publishable(tx *database.Tx, c Campaign) error {
	kind, ok := s.kinds[c.Kind]
	if !ok {
		return ErrKind.With("kind", c.Kind).Field("kind", "unknown_value", "请选择支持的活动类型", "choose a kind this house runs")
	}
	if _, err := kind.Rules(c.Rules); err != nil {
		return err
	}
	products, err := productsOf(tx.DB, c)
	if err != nil {
		return err
	}
	sizes, err := kind.sizes(c)
	if err != nil {
		return err
	}
	var check fault.Check
	c.input().check(&check)
	check.That(c.EndsAt > tx.Now, "ends_at", "past", "结束时间已过，请改到以后", "lies in the past; move it")
	check.That(!kind.Claimable || len(c.Items) > 0, "items", "required", "至少一个商品", "at least one item")
	first := map[id.Product]int{}
	for i, item := range c.Items {
		at := fmt.Sprintf("items[%d].", i)
		check.That(item.Stock >= 1, at+"stock", "range", "库存至少 1 件，请补货", "must be at least 1; add stock")
		limits(&check, at, item.PerMember, item.PerOrder)
		sessionStock(&check, at, item.SessionStock, item.Stock)
		sellable(&check, at, products[item.ProductID], item.Price)
		priced(&check, at, sizes, item, products[item.ProductID])
		n, again := first[item.ProductID]
		check.That(!again, at+"sku", "repeated", fmt.Sprintf("与 items[%d] 重复，同一商品请合并为一项", n), fmt.Sprintf("is that of items[%d]; name each product once", n))
		first[item.ProductID] = i
	}
	if err := s.checkSessionStock(&check, c, c.Items); err != nil {
		return err
	}
	return check.Err()
}

// input is the campaign as somebody would make it anew, without its items.
func (c Campaign) input() CampaignIn {
	return CampaignIn{
		UnitID: c.UnitID, Kind: c.Kind, Name: c.Name, StartsAt: c.StartsAt, EndsAt: c.EndsAt, Zone: c.Zone,
		ProgramID: c.ProgramID, Rules: c.Rules, Audience: c.Audience, PayWithinS: c.PayWithinS,
		LoginURL: c.LoginURL, PayURL: c.PayURL,
	}
}
