package campaign

import (
	"context"

	"siyu/internal/database"
)

// ProductFilter narrows a list of products; its zero value does not.
type ProductFilter struct {
	Category string
	Tag      string
}

// ListProducts lists products, newest first.
func (s *Service) ListProducts(ctx context.Context, f ProductFilter, page database.Page) (database.Paged[Product], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	if f.Category != "" {
		cond, args = cond+" AND category = ?", append(args, f.Category)
	}
	if f.Tag != "" {
		cond, args = cond+" AND tags LIKE ? ESCAPE '!'", append(args, "%"+likeTag(f.Tag)+"%")
	}
	var rows []Product
	err := s.DB.Read(ctx).Raw("SELECT * FROM products WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	return database.Cut(page, rows, func(p Product) int64 { return int64(p.ID) }), err
}
