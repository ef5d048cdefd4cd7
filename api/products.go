package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/internal/id"
)

func (s *Server) productRoutes(r *routes) {
	r.put("/v1/products", s.putProducts, staff(access.Marketer, access.Mall))
	r.get("/v1/products", s.listProducts, staff(access.Marketer, access.Mall, access.Finance))
}

func (s *Server) putProducts(c *gin.Context) error {
	var in campaign.ProductBatch
	if err := bind(c, &in); err != nil {
		return err
	}
	units := map[id.Unit]bool{}
	for _, one := range in.Products {
		units[one.UnitID] = true
	}
	for unit := range units {
		if err := s.unitThere(c, unit); err != nil {
			return err
		}
	}
	ids, err := s.Campaign.PutProducts(c.Request.Context(), in)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"product_ids": ids})
}

func (s *Server) listProducts(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Campaign.ListProducts(c.Request.Context(), campaign.ProductFilter{Category: c.Query("category"), Tag: c.Query("tag")}, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}
