package campaign

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// publishable refuses what could not be kept. A draft may be older than its
// products' prices, its kind's rules and its own window, so all is looked at
// again.
func (s *Service) publishable(q *database.Query, now clock.Milli, c Campaign) error {
	kind, ok := s.kinds[c.Kind]
	if !ok {
		return ErrKind.With("kind", c.Kind).Field("kind", "unknown_value", "请选择支持的活动类型", "choose a kind this house runs")
	}
	if _, err := kind.Rules(c.Rules); err != nil {
		return err
	}
	if kind.Publishable != nil {
		if err := kind.Publishable(q, c); err != nil {
			return err
		}
	}
	products, err := productsOf(q, c)
	if err != nil {
		return err
	}
	sizes, err := kind.sizes(c)
	if err != nil {
		return err
	}
	var check fault.Check
	c.input().check(&check)
	check.That(c.EndsAt > now, "ends_at", "past", "结束时间已过，请改到以后", "lies in the past; move it")
	check.That(!kind.Claimable || len(c.Items) > 0, "items", "required", "至少一个商品", "at least one item")
	var approved approvals
	first := map[id.Product]int{}
	for i, item := range c.Items {
		at := fmt.Sprintf("items[%d].", i)
		check.That(item.Stock >= 1, at+"stock", "range", "库存至少 1 件，请补货", "must be at least 1; add stock")
		limits(&check, at, item.PerMember, item.PerOrder)
		sessionStock(&check, at, item.SessionStock, item.Stock)
		p := products[item.ProductID]
		if item.least() < p.FloorPrice && approved == nil {
			if approved, err = approvalsOf(q, c.ID); err != nil {
				return err
			}
		}
		sellable(&check, at, p, item.Price, approved.allow(item.ID, item.Price, p))
		priced(&check, at, sizes, item, p, approved)
		n, again := first[item.ProductID]
		check.That(!again, at+"sku", "repeated", fmt.Sprintf("与 items[%d] 重复，同一商品请合并为一项", n), fmt.Sprintf("is that of items[%d]; name each product once", n))
		first[item.ProductID] = i
	}
	if err := s.checkSessionStock(&check, c, c.Items); err != nil {
		return err
	}
	for _, f := range CheckTexts(textsOf(c)) {
		check.That(f.Result != ResultRefusal, f.Where, f.ID, f.ReasonZH+"（"+f.RuleZH+"）", f.ReasonEN+" ("+f.RuleEN+")")
	}
	return check.Err()
}

// textsOf is what members read of the campaign itself.
func textsOf(c Campaign) []Text {
	texts := []Text{{"name", c.Name}}
	for i, item := range c.Items {
		texts = append(texts, Text{fmt.Sprintf("items[%d].name", i), item.Name})
	}
	for _, x := range []Text{
		{"texts.zh.title", c.Texts.ZH.Title}, {"texts.zh.subtitle", c.Texts.ZH.Subtitle}, {"texts.zh.rules", c.Texts.ZH.Rules},
		{"texts.en.title", c.Texts.EN.Title}, {"texts.en.subtitle", c.Texts.EN.Subtitle}, {"texts.en.rules", c.Texts.EN.Rules},
		{"share_title", c.ShareTitle}, {"share_desc", c.ShareDesc},
	} {
		if x.Says != "" {
			texts = append(texts, x)
		}
	}
	return texts
}

// input is the campaign as somebody would make it anew, without its items.
func (c Campaign) input() CampaignIn {
	return CampaignIn{
		UnitID: c.UnitID, Kind: c.Kind, Name: c.Name, StartsAt: c.StartsAt, EndsAt: c.EndsAt, Zone: c.Zone,
		ProgramID: c.ProgramID, PayerID: c.PayerID, Rules: c.Rules, Audience: c.Audience, PayWithinS: c.PayWithinS,
		LoginURL: c.LoginURL, PayURL: c.PayURL, Face: c.Face,
		AcceptsCoupons: c.AcceptsCoupons, AcceptsPoints: c.AcceptsPoints, Budget: c.Budget,
	}
}
