package campaign

import (
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Item is a product's place in a campaign. Left + Held + Sold is Stock at
// every moment; nothing but grant and the folding of orders moves them.
type Item struct {
	ID         id.Item      `json:"id"`
	CampaignID id.Campaign  `json:"campaign_id"`
	ProductID  id.Product   `json:"product_id"`
	Name       string       `json:"name"`
	Price      money.Amount `json:"price_fen"`
	Stock      int64        `json:"stock"`
	Left       int64        `json:"left" gorm:"column:left_qty"`
	Held       int64        `json:"held" gorm:"column:held_qty"`
	Sold       int64        `json:"sold" gorm:"column:sold_qty"`
	PerMember  int          `json:"per_member"`
	PerOrder   int          `json:"per_order"`
	SortNo     int          `json:"-"`
	Version    int          `json:"version"`
	Waiting    int64        `json:"waiting"` // places in the waiting line

	// SessionStock is how many pieces each session may sell, 0 being all that
	// is left. SessionTaken are the live pieces of orders made since SessionAt,
	// the beginning of the last session in which one was.
	SessionStock int64       `json:"session_stock"`
	SessionAt    clock.Milli `json:"-"`
	SessionTaken int64       `json:"-"`

	Epoch  int   `json:"-"` // raised whenever the campaign around it changes
	Grants int64 `json:"-"` // orders ever granted, by any replica
	Freed  int64 `json:"-"` // pieces ever given back

	// Reference is the lowest price its product was dealt at here in the seven
	// days before the campaign starts; 0 is none known. It is looked up when the
	// campaign is published, and again when it starts.
	Reference money.Amount `json:"reference_fen"`

	TeamPrices []TeamPrice `json:"team_prices,omitempty" gorm:"-"`
}

// Free is what an ordinary claim may take: pieces on their way to the waiting
// line are promised.
func (i Item) Free() int64 { return max(i.Left-i.Waiting, 0) }

// lockItems locks items by id ascending in one statement.
func lockItems(tx *database.Tx, ids []id.Item) (map[id.Item]Item, error) {
	var rows []Item
	err := tx.Raw("SELECT * FROM items WHERE id IN ? ORDER BY id"+tx.Dialect.ForUpdate, ids).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	items := make(map[id.Item]Item, len(rows))
	for _, r := range rows {
		items[r.ID] = r
	}
	return items, nil
}

// move is one change of an item's counters; the three deltas sum to zero, or
// to the change of stock.
type move struct {
	left, held, sold int64
}

// moveTx applies one move. The guard and the CHECK of the table both refuse a
// negative counter. Pieces given back go to the head of the item's waiting line in
// this transaction, or reopen this process's memory at once.
func (s *Service) moveTx(tx *database.Tx, item id.Item, m move) error {
	if m.left != 0 {
		tx.AfterCommit(func() { s.shelves.forget(item) })
	}
	res := tx.Exec(`UPDATE items SET left_qty = left_qty + ?, held_qty = held_qty + ?, sold_qty = sold_qty + ?, freed = freed + ?, version = version + 1
		WHERE id = ?`+tx.Only("left_qty + ? >= 0 AND held_qty + ? >= 0 AND sold_qty + ? >= 0"),
		m.left, m.held, m.sold, max(m.left, 0), item, m.left, m.held, m.sold)
	if err := database.One(res, ErrSoldOut); err != nil || m.left <= 0 {
		return err
	}
	if err := s.serveLine(tx, item); err != nil {
		return err
	}
	return publishRestocked(tx, item, m.left)
}
