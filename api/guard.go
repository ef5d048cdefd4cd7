package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/guard"
	"siyu/internal/id"
)

func (s *Server) guardRoutes(r *routes) {
	r.post("/v1/guard/check", s.checkGuard, staff(access.Marketer, access.GroupOwner))
	r.get("/v1/guard/presets", s.listPresets, staff(access.Marketer, access.GroupOwner))
	r.get("/v1/guard/presets/:preset", s.findPresetPolicy, staff(access.Marketer, access.GroupOwner))
	r.put("/v1/guard/presets/:preset", s.setPresetPolicy, staff(access.Marketer))
	r.get("/v1/units/:id/ad-policies/:preset", s.findUnitPolicy, staff(access.Marketer, access.GroupOwner))
	r.put("/v1/units/:id/ad-policies/:preset", s.setUnitPolicy, staff(access.Marketer))
	r.get("/v1/guard/forecast", s.forecastGuard, staff(access.Marketer, access.GroupOwner))
	r.get("/v1/decisions", s.listDecisions, staff(access.Marketer, access.GroupOwner))
	r.get("/v1/decisions/:id", found(s.Guard.FindDecision), staff(access.Marketer, access.GroupOwner))
	r.get("/v1/groups/:id/ad-policy", s.findAdPolicy, staff(access.Marketer, access.GroupOwner))
	r.put("/v1/groups/:id/ad-policy", s.setAdPolicy, staff(access.Marketer, access.GroupOwner))
	r.post("/v1/groups/:id/ads", s.postAd, staff(access.Marketer, access.GroupOwner, access.Mall), keyed)
}

// checkGuard is a dry run: what would become of an ad in each group.
func (s *Server) checkGuard(c *gin.Context) error {
	var in guard.CheckIn
	if err := bind(c, &in); err != nil {
		return err
	}
	answers, err := s.Guard.Check(c.Request.Context(), guard.Trial{Groups: in.Groups, Windows: []guard.Window{in.Window()}})
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, gin.H{"items": answers[0]})
}

func (s *Server) listPresets(c *gin.Context) error {
	return render(c, http.StatusOK, gin.H{"items": guard.Presets()})
}

func (s *Server) forecastGuard(c *gin.Context) error {
	g, err := queryID[id.Group](c, "group_id")
	if err != nil {
		return err
	}
	f, err := s.Guard.Forecast(c.Request.Context(), g)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, f)
}

func (s *Server) listDecisions(c *gin.Context) error {
	f, err := slotFilter(c)
	if err != nil {
		return err
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	list, err := s.Guard.ListDecisions(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findAdPolicy(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	p, err := s.Guard.FindAdPolicy(c.Request.Context(), g)
	if err != nil {
		return err
	}
	etag(c, p.Version)
	return render(c, http.StatusOK, p)
}

func (s *Server) setAdPolicy(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	var in guard.AdPolicyIn
	if err := bind(c, &in); err != nil {
		return err
	}
	p, err := s.Guard.SetAdPolicy(c.Request.Context(), g, in, version)
	if err != nil {
		return err
	}
	etag(c, p.Version)
	return render(c, http.StatusOK, p)
}

// findPresetPolicy shows what the brand sets for the groups of a preset.
func (s *Server) findPresetPolicy(c *gin.Context) error { return s.findLayerPolicy(c, 0) }

func (s *Server) setPresetPolicy(c *gin.Context) error { return s.setLayerPolicy(c, 0) }

func (s *Server) findUnitPolicy(c *gin.Context) error {
	unit, err := pathID[id.Unit](c, "id")
	if err != nil {
		return err
	}
	return s.findLayerPolicy(c, unit)
}

func (s *Server) setUnitPolicy(c *gin.Context) error {
	unit, err := pathID[id.Unit](c, "id")
	if err != nil {
		return err
	}
	return s.setLayerPolicy(c, unit)
}

func (s *Server) findLayerPolicy(c *gin.Context, unit id.Unit) error {
	p, err := s.Guard.FindLayerPolicy(c.Request.Context(), unit, guard.Preset(c.Param("preset")))
	if err != nil {
		return err
	}
	etag(c, p.Version)
	return render(c, http.StatusOK, p)
}

func (s *Server) setLayerPolicy(c *gin.Context, unit id.Unit) error {
	version, err := versionFromZero(c)
	if err != nil {
		return err
	}
	var in guard.SettingsIn
	if err := bind(c, &in); err != nil {
		return err
	}
	p, err := s.Guard.SetLayerPolicy(c.Request.Context(), unit, guard.Preset(c.Param("preset")), in, version)
	if err != nil {
		return err
	}
	etag(c, p.Version)
	return render(c, http.StatusOK, p)
}

// postAd counts an ad that was posted by hand.
func (s *Server) postAd(c *gin.Context) error {
	g, err := pathID[id.Group](c, "id")
	if err != nil {
		return err
	}
	var in guard.PostIn
	if err := bind(c, &in); err != nil {
		return err
	}
	if in.CampaignID != 0 {
		if _, err := s.Campaign.FindCampaign(c.Request.Context(), in.CampaignID); err != nil {
			return err
		}
	}
	slot, err := once(s.Guard.PostByHand(c.Request.Context(), g, in.CampaignID, in.At))(c)
	if err != nil {
		return err
	}
	return s.renderSlot(c, http.StatusCreated, slot)
}
