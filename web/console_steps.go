package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/campaign/invite"
	"siyu/internal/database"
	"siyu/internal/id"
)

// stepsDesk is what staff see of a referral campaign's steps: whether the
// breaker stopped it, what was given of what there is, and the goods that wait
// to be handed over.
type stepsDesk struct {
	Tripped bool
	Kept    string
	Figures []figure
	Goods   []goodsRow
	More    bool // than are listed
}

type goodsRow struct {
	ID      id.StepReward
	Member  id.Member
	Name    string // masked
	What    string
	Step    int
	Reached time.Time
}

// goodsShown is how many goods to hand over one page lists, oldest last.
const goodsShown = 50

// fillDesk adds the steps' desk.
func (s *Server) fillDesk(ctx context.Context, p *campaignPage, c campaign.Campaign) error {
	run, err := s.Invite.FindRun(ctx, c.ID)
	if missing(err) || errors.Is(err, invite.ErrNoSteps) {
		return nil
	}
	if err != nil {
		return err
	}
	of := func(n, most int64) string {
		if most == 0 {
			return count(n)
		}
		return count(n) + " / " + count(most)
	}
	d := &stepsDesk{Tripped: run.Status == invite.RunTripped, Figures: []figure{
		{choose(p.Lang, "已给奖励", "Rewards given"), of(run.Rewards, run.RewardsCap)},
		{choose(p.Lang, "已给积分", "Points given"), of(run.Points, run.PointsCap)},
	}}
	if run.Sample > 0 {
		d.Kept = choose(p.Lang, "最近 %d 位中留下 %d 位", "%[2]d of the last %[1]d were kept", run.Sample, run.Kept)
	}
	list, err := s.Invite.ListRewards(ctx, invite.RewardFilter{Campaign: c.ID, State: invite.RewardReady}, database.Page{Limit: goodsShown})
	if err != nil {
		return err
	}
	d.More = list.NextCursor != ""
	names, err := namesIn(s.DB.Read(ctx), list.Items, func(w invite.Reward) id.Member { return w.MemberID })
	if err != nil {
		return err
	}
	zone := zoneOf(c)
	for _, w := range list.Items {
		what, err := s.giftName(ctx, p.Lang, invite.Gift{Kind: w.Kind, Coupon: w.CouponID, Points: w.Points, Name: w.GoodsName, Qty: w.GoodsQty}, map[id.Coupon]string{})
		if err != nil {
			return err
		}
		d.Goods = append(d.Goods, goodsRow{w.ID, w.MemberID, called(p.Lang, names[w.MemberID]), what, w.Step, w.ReachedAt.Time().In(zone)})
	}
	p.Form = s.formToken(deskOf(ctx), s.DB.Clock.Now().Add(formFor))
	p.Steps = d
	return nil
}

// consoleHandOver answers POST /console/step-rewards/{id}/hand-over.
func (s *Server) consoleHandOver(c *gin.Context) error {
	ctx, err := s.tapped(c, []access.Role{access.Admin, access.Marketer})
	if err != nil {
		return err
	}
	var rid id.StepReward
	if err := read(c.Param("id"), &rid); err != nil {
		return err
	}
	w, err := s.Invite.FindReward(ctx, rid)
	if err != nil {
		return err
	}
	// Handing over is once for all: a second tap finds it done.
	if w.State != invite.RewardGiven {
		if err := s.Invite.HandOver(ctx, rid, invite.HandOver{Note: c.PostForm("note")}); err != nil {
			return err
		}
	}
	c.Redirect(http.StatusSeeOther, "/console/campaigns/"+w.CampaignID.String()+"#goods")
	return nil
}
