package campaign

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// productsMax is how many products one batch may hold.
const productsMax = 200

// Product is the brand's SKU.
type Product struct {
	ID         id.Product   `json:"id"`
	UnitID     id.Unit      `json:"unit_id"`
	SKU        string       `json:"sku" gorm:"column:sku"`
	Name       string       `json:"name"`
	Picture    string       `json:"picture"`
	Spec       string       `json:"spec"`
	Category   string       `json:"category"`
	Tags       Tags         `json:"tags"`
	ListPrice  money.Amount `json:"list_price_fen"`
	Cost       money.Amount `json:"cost_fen"`
	FloorPrice money.Amount `json:"floor_price_fen"`
	OnSale     bool         `json:"on_sale"`
	Version    int          `json:"version"`
	CreatedAt  clock.Milli  `json:"created_at"`
}

// ProductIn is one row of a batch, keyed by SKU.
type ProductIn struct {
	SKU        string       `json:"sku"`
	Name       string       `json:"name"`
	Picture    string       `json:"picture"`
	Spec       string       `json:"spec"`     // 500 g, red, size L
	Category   string       `json:"category"` // as the mall names it
	Tags       Tags         `json:"tags"`
	ListPrice  money.Amount `json:"list_price_fen"`
	Cost       money.Amount `json:"cost_fen"`
	FloorPrice money.Amount `json:"floor_price_fen"`
	OnSale     *bool        `json:"on_sale"` // default true
	UnitID     id.Unit      `json:"unit_id"` // default the caller's unit
}

// ProductBatch is the input of PUT /v1/products.
type ProductBatch struct {
	Products []ProductIn `json:"products"`
}

// Validate checks every row.
func (in ProductBatch) Validate() error {
	var c fault.Check
	c.Range(int64(len(in.Products)), "products", 1, productsMax)
	for i, p := range in.Products {
		at := fmt.Sprintf("products[%d].", i)
		c.Required(p.SKU, at+"sku")
		c.Length(p.SKU, at+"sku", 64)
		c.Required(p.Name, at+"name")
		c.Length(p.Name, at+"name", 200)
		c.Length(p.Picture, at+"picture", 500)
		c.Length(p.Spec, at+"spec", 100)
		c.Length(p.Category, at+"category", 64)
		p.Tags.check(&c, at+"tags")
		c.Range(int64(p.ListPrice), at+"list_price_fen", 1, priceMax)
		c.Range(int64(p.Cost), at+"cost_fen", 0, priceMax)
		c.Range(int64(p.FloorPrice), at+"floor_price_fen", 0, priceMax)
		c.That(p.FloorPrice <= p.ListPrice || p.ListPrice < 1, at+"floor_price_fen", "range", "不能高于标价", "must not exceed list_price_fen")
	}
	return c.Err()
}

// PutProducts makes or updates products by SKU, all or none, and returns their
// ids in the order given.
func (s *Service) PutProducts(ctx context.Context, in ProductBatch) ([]id.Product, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	ids := make([]id.Product, len(in.Products))
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		for i, p := range in.Products {
			pid, err := putProduct(tx, p)
			if err != nil {
				return err
			}
			ids[i] = pid
		}
		return nil
	})
	return ids, err
}

func putProduct(tx *database.Tx, in ProductIn) (id.Product, error) {
	onSale := in.OnSale == nil || *in.OnSale
	if in.UnitID == 0 {
		in.UnitID = tx.Actor.Unit
	}
	if !tx.Actor.Sees(in.UnitID) {
		return 0, fault.NotFound.Field("products.unit_id", "not_found", "没有这个组织", "there is no such unit")
	}
	row := Product{
		ID: id.Product(tx.Next()), UnitID: in.UnitID, SKU: in.SKU, Name: in.Name, Picture: in.Picture,
		Spec: in.Spec, Category: in.Category, Tags: in.Tags,
		ListPrice: in.ListPrice, Cost: in.Cost, FloorPrice: in.FloorPrice, OnSale: onSale, Version: 1, CreatedAt: tx.Now,
	}
	var old Product
	if err := tx.Raw("SELECT * FROM products WHERE sku = ?"+tx.Dialect.ForUpdate, in.SKU).Scan(&old).Error; err != nil {
		return 0, err
	}
	if old.ID == 0 {
		if err := tx.Create(&row).Error; err != nil {
			return 0, err
		}
		return row.ID, database.AuditTx(tx, "product.create", row.ID, nil, row)
	}
	if !tx.Actor.Sees(old.UnitID) {
		return 0, fault.NotFound
	}
	err := tx.Exec(`UPDATE products SET unit_id = ?, name = ?, picture = ?, spec = ?, category = ?, tags = ?, list_price = ?, cost = ?, floor_price = ?, on_sale = ?, version = version + 1
		WHERE id = ?`, in.UnitID, in.Name, in.Picture, in.Spec, in.Category, in.Tags, in.ListPrice, in.Cost, in.FloorPrice, onSale, old.ID).Error
	if err != nil {
		return 0, err
	}
	return old.ID, database.AuditTx(tx, "product.update", old.ID, old, row)
}
