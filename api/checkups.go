package api

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign/checkup"
	"siyu/campaign/guard"
	"siyu/internal/fault"
	"siyu/internal/httpd"
)

func (s *Server) checkupRoutes(r *routes) {
	r.post("/v1/checkups", s.checkUp, staff(access.Marketer, access.GroupOwner), bodyLimit(checkup.BytesMax))
}

// checkUp replays a file of past sends through the guard; nothing is kept.
func (s *Server) checkUp(c *gin.Context) error {
	o, err := checkupOptions(c)
	if err != nil {
		return err
	}
	body, err := httpd.Body(c)
	if err != nil {
		return err
	}
	events, lines, err := checkup.Read(bytes.NewReader(body), o.Zone)
	if err != nil {
		return err
	}
	report := checkup.Examine(events, o)
	report.Lines = lines
	return render(c, http.StatusOK, report)
}

func checkupOptions(c *gin.Context) (checkup.Options, error) {
	o := checkup.Options{Preset: guard.Preset(c.Query("preset"))}
	var check fault.Check
	var err error
	zone := c.DefaultQuery("zone", "Asia/Shanghai")
	o.Zone, err = time.LoadLocation(zone)
	check.That(err == nil && zone != "Local", "zone", "unknown_value", "应为 IANA 时区，如 Asia/Shanghai", "must be an IANA zone like Asia/Shanghai")
	if text := c.Query("days"); text != "" {
		o.Days, err = strconv.Atoi(text)
		check.That(err == nil && o.Days > 0, "days", "format", "应为整数", "must be a whole number")
	}
	if err := check.Err(); err != nil {
		return o, err
	}
	return o, o.Validate()
}
