package campaign

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
)

// ProductsIn reads products by id, whoever asks; unknown ids are left out. The
// pages show their pictures and list prices beside a campaign's items.
func ProductsIn(q *database.Query, products []id.Product) (map[id.Product]Product, error) {
	out := make(map[id.Product]Product, len(products))
	if len(products) == 0 {
		return out, nil
	}
	var rows []Product
	if err := q.Raw("SELECT * FROM products WHERE id IN ?", products).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("campaign: products: %w", err)
	}
	for _, p := range rows {
		out[p.ID] = p
	}
	return out, nil
}
