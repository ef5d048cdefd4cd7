package campaign

import (
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// TeamPrice is what a piece of an item costs in a team of one size. A size
// without one costs the item's price. OpenerPrice is for who opens the team; 0
// is no other price.
type TeamPrice struct {
	Size        int          `json:"size"`
	Price       money.Amount `json:"price_fen"`
	OpenerPrice money.Amount `json:"opener_price_fen"`
}

// At is what a piece costs in a team of the size, and costs its opener. The
// item's own price, which may be lowered while the campaign runs, is the most
// that any size costs.
func (i Item) At(size int) (price, opener money.Amount) {
	price = i.Price
	for _, p := range i.TeamPrices {
		if p.Size != size {
			continue
		}
		price = min(price, p.Price)
		if p.OpenerPrice > 0 {
			return price, min(price, p.OpenerPrice)
		}
	}
	return price, price
}

// prices are all a piece may cost; an opener's price of 0 is among them and
// harms nobody, because no price is 0.
func (i Item) prices() []money.Amount {
	out := []money.Amount{i.Price}
	for _, p := range i.TeamPrices {
		out = append(out, p.Price, p.OpenerPrice)
	}
	return out
}

// least is the lowest of them.
func (i Item) least() money.Amount {
	least := i.Price
	for _, p := range i.prices() {
		if p > 0 {
			least = min(least, p)
		}
	}
	return least
}

// teamPricesMax is how many sizes a campaign may offer.
const teamPricesMax = 6

// priced checks the item's prices by team size: only sizes the campaign
// offers, none above the item's price, none below the product's floor unless
// two people agreed, and none dearer than that of a smaller team.
func priced(check *fault.Check, at string, sizes []int, item Item, p Product, approved approvals) {
	seen := map[int]bool{}
	for i, x := range item.TeamPrices {
		at := fmt.Sprintf("%steam_prices[%d].", at, i)
		check.That(slices.Contains(sizes, x.Size), at+"size", "not_offered", "活动规则中没有这个团人数", "is no team size of the campaign's rules")
		check.That(!seen[x.Size], at+"size", "repeated", "同一人数只能定一个价", "has its price already")
		seen[x.Size] = true
		check.That(x.Price >= 1, at+"price_fen", "range", "至少 1 分", "must be at least 1")
		check.That(x.Price <= item.Price, at+"price_fen", "range", "不能高于活动价 "+item.Price.String(), "must not exceed the item's price "+item.Price.String())
		aboveFloor(check, at+"price_fen", p, x.Price, approved.allow(item.ID, x.Price, p))
		check.That(x.OpenerPrice >= 0 && x.OpenerPrice <= x.Price, at+"opener_price_fen", "range", "开团价应在 0（不另定）到团价之间", "must be from 0, none, to price_fen")
		aboveFloor(check, at+"opener_price_fen", p, x.OpenerPrice, x.OpenerPrice == 0 || approved.allow(item.ID, x.OpenerPrice, p))
	}
	for i, size := range sizes {
		if i == 0 {
			continue
		}
		smaller, smallerOpener := item.At(sizes[i-1])
		price, opener := item.At(size)
		check.That(price <= smaller && opener <= smallerOpener, at+"team_prices", "larger_dearer",
			fmt.Sprintf("%d 人团不能比 %d 人团贵", size, sizes[i-1]), fmt.Sprintf("makes a team of %d dearer than one of %d", size, sizes[i-1]))
	}
}

// sizes are the team sizes the campaign offers, ascending; none for a kind
// without teams.
func (k Kind) sizes(c Campaign) ([]int, error) {
	if k.Sizes == nil {
		return nil, nil
	}
	return k.Sizes(c)
}

// readTeamPrices gives the items their prices by team size.
func readTeamPrices(q *database.Query, items []Item) error {
	ids := make([]id.Item, len(items))
	at := map[id.Item]int{}
	for i, item := range items {
		ids[i], at[item.ID] = item.ID, i
		items[i].TeamPrices = nil
	}
	var rows []struct {
		ItemID id.Item
		TeamPrice
	}
	if err := q.Raw("SELECT item_id, size, price, opener_price FROM item_prices WHERE item_id IN ? ORDER BY item_id, size", append(ids, 0)).Scan(&rows).Error; err != nil {
		return err
	}
	for _, r := range rows {
		item := &items[at[r.ItemID]]
		item.TeamPrices = append(item.TeamPrices, r.TeamPrice)
	}
	return nil
}

// writeTeamPrices replaces the item's prices by team size.
func writeTeamPrices(tx *database.Tx, item id.Item, prices []TeamPrice) error {
	if err := tx.Exec("DELETE FROM item_prices WHERE item_id = ?", item).Error; err != nil {
		return err
	}
	for _, p := range prices {
		err := tx.Exec("INSERT INTO item_prices (item_id, size, price, opener_price) VALUES (?, ?, ?, ?)", item, p.Size, p.Price, p.OpenerPrice).Error
		if err != nil {
			return err
		}
	}
	return nil
}
