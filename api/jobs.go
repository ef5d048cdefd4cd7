package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/id"
	"siyu/referral"
)

func (s *Server) jobRoutes(r *routes) {
	makers := staff(access.Marketer, access.Mall)
	r.post("/v1/codes/batches", s.createCodeBatch, makers, keyed, bodyLimit(codeBatchBody))
	r.get("/v1/jobs/:id", s.findJob, makers)
	r.get("/v1/jobs/:id/codes.csv", s.readJobCodes, makers)
}

// codeBatchBody holds the ids of 100,000 members.
const codeBatchBody = 4 << 20

func (s *Server) createCodeBatch(c *gin.Context) error {
	var in referral.BatchIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := s.placesExist(c, referral.CodeIn{CampaignID: in.CampaignID}); err != nil {
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

func (s *Server) findJob(c *gin.Context) error {
	job, err := pathID[id.Job](c, "id")
	if err != nil {
		return err
	}
	found, err := s.Referral.FindBatch(c.Request.Context(), job)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, found)
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
