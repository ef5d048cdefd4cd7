package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/internal/id"
)

// Probe does something in the place of a claim.
type Probe func(ctx context.Context, in Probed) (campaign.Order, error)

// Probed is what the front knows of the claim when a probe is called.
type Probed struct {
	Campaign id.Campaign
	Item     id.Item
	Member   id.Member
	Key      string
}

// MountProbe adds to an engine that has the API a POST route with :id in its
// path that is a claim in all but the claim: middleware, token, rate, key,
// strict body and answer are a claim's. bench measures with it what the front
// costs by itself and how other ways to claim do behind the same front;
// nothing that ships calls it.
func (s *Server) MountProbe(e *gin.Engine, path string, work Probe) {
	rt := &route{method: http.MethodPost, path: path, member: true, keyed: true, claims: true}
	rt.handle = func(c *gin.Context) error {
		cid, err := pathID[id.Campaign](c, "id")
		if err != nil {
			return err
		}
		var in claimRequest
		if err := bind(c, &in); err != nil {
			return err
		}
		o, err := work(c.Request.Context(), Probed{cid, in.ItemID, memberOf(c), c.GetHeader("Idempotency-Key")})
		if err != nil {
			return err
		}
		etag(c, o.Version)
		return render(c, http.StatusCreated, o)
	}
	rt.label = rt.name()
	e.Handle(rt.method, rt.path, s.serve(rt))
}
