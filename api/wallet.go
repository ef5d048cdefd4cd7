package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func (s *Server) walletRoutes(r *routes) {
	r.get("/v1/members/:id/wallet", s.memberWallet, staff(access.Finance), member)
	r.get("/v1/members/:id/wallet/entries", s.walletEntries, staff(access.Finance), member)
}

// ownerOf is the live member whose money is asked for: finance sees members of
// its units, a member himself alone, by any of the ids that became him.
func (s *Server) ownerOf(c *gin.Context) (id.Member, error) {
	m, err := pathID[id.Member](c, "id")
	if err != nil {
		return 0, err
	}
	who, err := s.Community.FindMember(c.Request.Context(), m)
	if err == nil && memberOf(c) != 0 && !actor(c).Is(who.ID) {
		err = fault.NotFound
	}
	return who.ID, err
}

func (s *Server) memberWallet(c *gin.Context) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	w, err := s.Wallet.MemberWallet(c.Request.Context(), m)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, w)
}

func (s *Server) walletEntries(c *gin.Context) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Wallet.Entries(c.Request.Context(), m, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}
