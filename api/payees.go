package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/id"
	"siyu/referral/payee"
)

// payeeRoutes never answer more than masks: what is sealed leaves by the file
// of a payout alone.
func (s *Server) payeeRoutes(r *routes) {
	finance, both := staff(access.Finance), staff(access.Finance, access.Cashier)
	r.post("/v1/members/:id/payee", s.enterPayee, finance, member, keyed)
	r.get("/v1/members/:id/payee", s.payeeOfMember, both, member)
	r.get("/v1/payees", paged(s.Payee.ListPending), both)
	r.get("/v1/payees/:id", s.findPayee, both)
	r.post("/v1/payees/:id/approve", s.approvePayee, finance)
	r.post("/v1/payees/:id/reject", s.rejectPayee, finance)
	r.post("/v1/payees/:id/invoices", s.recordInvoice, finance, keyed)
	r.get("/v1/payees/:id/invoices", listed(s.Payee.ListInvoices), both)
}

// enterPayee adds a version, by the member himself or by finance for him.
func (s *Server) enterPayee(c *gin.Context) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	var in payee.Entry
	if err := bind(c, &in); err != nil {
		return err
	}
	if _, err := once(s.Payee.Enter(c.Request.Context(), m, in))(c); err != nil {
		return err
	}
	return s.renderPayeeOf(c, http.StatusCreated, m)
}

func (s *Server) payeeOfMember(c *gin.Context) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	return s.renderPayeeOf(c, http.StatusOK, m)
}

func (s *Server) renderPayeeOf(c *gin.Context, status int, m id.Member) error {
	found, err := s.Payee.PayeeOf(c.Request.Context(), m)
	if err != nil {
		return err
	}
	return render(c, status, found)
}

func (s *Server) findPayee(c *gin.Context) error {
	pid, err := pathID[id.Payee](c, "id")
	if err != nil {
		return err
	}
	return s.renderPayee(c, http.StatusOK, pid)
}

func (s *Server) approvePayee(c *gin.Context) error {
	var in payee.DecideIn
	return s.movePayee(c, http.StatusOK, &in, func(pid id.Payee) error { return s.Payee.Approve(c.Request.Context(), pid, in) })
}

func (s *Server) rejectPayee(c *gin.Context) error {
	var in payee.DecideIn
	return s.movePayee(c, http.StatusOK, &in, func(pid id.Payee) error { return s.Payee.Reject(c.Request.Context(), pid, in) })
}

func (s *Server) recordInvoice(c *gin.Context) error {
	var in payee.InvoiceIn
	return s.movePayee(c, http.StatusCreated, &in, func(pid id.Payee) error {
		return done(s.Payee.RecordInvoice(c.Request.Context(), pid, in))(c)
	})
}

// movePayee binds what a step needs, takes it and shows the payee as it stands
// then.
func (s *Server) movePayee(c *gin.Context, status int, in any, step func(id.Payee) error) error {
	pid, err := pathID[id.Payee](c, "id")
	if err != nil {
		return err
	}
	if err := bind(c, in); err != nil {
		return err
	}
	if err := step(pid); err != nil {
		return err
	}
	return s.renderPayee(c, status, pid)
}

func (s *Server) renderPayee(c *gin.Context, status int, pid id.Payee) error {
	found, err := s.Payee.FindPayee(c.Request.Context(), pid)
	if err != nil {
		return err
	}
	return render(c, status, found)
}
