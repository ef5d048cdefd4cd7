package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral"
)

func (s *Server) jobRoutes(r *routes) {
	makers := staff(access.Marketer, access.Mall)
	r.post("/v1/codes/batches", s.createCodeBatch, makers, keyed, bodyLimit(codeBatchBody))
	r.get("/v1/jobs/:id", found(s.Referral.FindBatch), makers)
	r.get("/v1/jobs/:id/codes.csv", s.readJobCodes, makers)
	r.get("/v1/jobs/:id/cards.pdf", s.readJobCards, makers)
}

// codeBatchBody holds the ids of 100,000 members.
const codeBatchBody = 4 << 20

func (s *Server) createCodeBatch(c *gin.Context) error {
	var in referral.BatchIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.placesExist(c, []referral.CodeIn{{CampaignID: in.CampaignID}}, theOne); err != nil {
		return err
	}
	job, err := once(s.Referral.CreateBatch(c.Request.Context(), in))(c)
	if err != nil {
		return err
	}
	found, err := s.Referral.FindBatch(c.Request.Context(), job)
	if err != nil {
		return err
	}
	c.Header("Location", "/v1/jobs/"+job.String())
	return render(c, http.StatusAccepted, found)
}

func (s *Server) readJobCodes(c *gin.Context) error {
	job, err := pathID[id.Job](c, "id")
	if err != nil {
		return err
	}
	found, err := s.Referral.FindBatch(c.Request.Context(), job)
	if err != nil {
		return err
	}
	if found.Status != referral.BatchDone {
		return referral.ErrBatchState.With("done", found.Done).With("total", found.Total)
	}
	c.Header("Content-Type", "text/csv; charset=utf-8")
	c.Header("Content-Disposition", `attachment; filename="`+job.String()+`-codes.csv"`)
	c.Header("Cache-Control", "private, no-store")
	c.Status(http.StatusOK)
	if err := s.Referral.WriteBatch(c.Request.Context(), found, c.Writer); err != nil {
		panic(http.ErrAbortHandler) // the head has gone out
	}
	return nil
}

// readJobCards answers table cards of a job's codes, a page each.
func (s *Server) readJobCards(c *gin.Context) error {
	job, err := pathID[id.Job](c, "id")
	if err != nil {
		return err
	}
	in := referral.CardsIn{}
	if in.Template, err = queryID[id.PosterTemplate](c, "template"); err != nil {
		return err
	}
	if in.From, err = queryInt(c, "from", 1); err != nil {
		return err
	}
	if in.Count, err = queryInt(c, "count", referral.CardsMax); err != nil {
		return err
	}
	found, err := s.Referral.FindBatch(c.Request.Context(), job)
	if err != nil {
		return err
	}
	cards, err := s.Referral.FindCards(c.Request.Context(), found, in)
	if err != nil {
		return err
	}
	c.Header("Content-Type", "application/pdf")
	c.Header("Content-Disposition", `attachment; filename="`+job.String()+`-cards.pdf"`)
	c.Header("Cache-Control", "private, no-store")
	c.Status(http.StatusOK)
	if err := s.Referral.WriteCards(c.Request.Context(), cards, c.Writer); err != nil {
		panic(http.ErrAbortHandler) // the head has gone out
	}
	return nil
}

// queryInt is the whole number in the query under the name.
func queryInt(c *gin.Context, name string, otherwise int) (int, error) {
	text := c.Query(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fault.Invalid.Field(name, "format", "应为整数", "must be a whole number")
	}
	return n, nil
}
