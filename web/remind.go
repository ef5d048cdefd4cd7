package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/referral"
)

// showReminder offers to be reminded of what the page counts down to.
func (s *Server) showReminder(ctx context.Context, p *landingPage, run campaign.Campaign) error {
	if p.State != "soon" && p.State != "between" && p.State != "session_out" || run.Phase(clock.MilliOf(p.Now)) == campaign.StatusDraft {
		return nil
	}
	p.Remind = p.StartsAt
	if p.State != "soon" {
		p.Remind = p.Session.Next
	}
	if p.Remind.IsZero() {
		return nil // no session is left
	}
	if database.ActorOf(ctx).Member == 0 {
		return nil
	}
	list, err := s.Campaign.ListReminders(ctx, run.ID)
	if err != nil {
		return err
	}
	for _, r := range list {
		p.Reminded = p.Reminded || r.SessionAt == clock.MilliOf(p.Remind)
	}
	return nil
}

// remind notes the visitor's wish and shows the page again. A guest is sent to
// sign in: nobody could tell him.
func (s *Server) remind(c *gin.Context, v visitor, l referral.Landing) error {
	if l.CampaignID == 0 {
		return fault.NotFound
	}
	ctx, err := s.sent(c, v, c.FullPath(), "remind", l.Code)
	if err != nil {
		return err
	}
	_, err = s.Campaign.Remind(ctx, campaign.ReminderIn{Campaign: l.CampaignID, Member: v.Member})
	var again *database.Replayed // a second tap: it stands already
	if err != nil && !errors.As(err, &again) {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/i/"+l.Code+"?reminded=1")
	return nil
}
