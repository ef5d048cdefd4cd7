package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/campaign/flashsale"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

// lineView are the waiting lines of a campaign's sold-out items, with the
// visitor's own places.
type lineView struct {
	PayWithin time.Duration
	Rows      []lineRow
}

// lineRow is one item's line as the visitor sees it.
type lineRow struct {
	Item    string
	ID      id.Item
	Wait    id.Wait // his place, if he ever had one
	Text    string
	More    string
	Order   string // the page of the order it became
	Join    bool
	Leave   bool
	Login   bool // joining wants a signed-in member
	Waiting bool
}

// Joins is how many lines can be joined.
func (l *lineView) Joins() (n int) {
	for _, r := range l.Rows {
		if r.Join && !r.Login {
			n++
		}
	}
	return n
}

// waits says whether the visitor is in some line.
func (l *lineView) waits() bool {
	if l != nil {
		for _, r := range l.Rows {
			if r.Waiting {
				return true
			}
		}
	}
	return false
}

// showLine offers the lines of what is sold out, and tells where the visitor
// stands in them.
func (s *Server) showLine(ctx context.Context, p *landingPage, run campaign.Campaign, v visitor) error {
	if run.Kind != flashsale.Kind().Name || len(p.Items) == 0 {
		return nil
	}
	rules, err := flashsale.Terms(run)
	if err != nil || rules.WaitPayWithinS == 0 {
		return err
	}
	places := map[id.Item]campaign.Wait{}
	// A sale that still has everything is asked for most, and has no line.
	lined := slices.ContainsFunc(run.Items, func(i campaign.Item) bool { return i.Waiting > 0 || i.Free() == 0 })
	if lined && database.ActorOf(ctx).Member != 0 {
		list, err := s.Campaign.ListWaits(ctx, run.ID)
		if err != nil {
			return err
		}
		for _, w := range list {
			if had, twice := places[w.ItemID]; !twice || had.Status != campaign.WaitWaiting {
				places[w.ItemID] = w
			}
		}
	}
	open := run.Phase(clock.MilliOf(p.Now)) == campaign.StatusRunning || p.Early.Open
	l := &lineView{PayWithin: time.Duration(rules.WaitPayWithinS) * time.Second}
	for _, item := range p.Items {
		r := lineRow{Item: item.Name, ID: item.ID}
		if w, in := places[item.ID]; in {
			r.tell(p.Lang, w)
		}
		r.Join = open && item.Rest == 0 && !r.Waiting && r.Order == ""
		r.Login = r.Join && item.PerMember > 0 && !v.Strong && p.LoginURL != ""
		if r.Join || r.Wait != 0 {
			l.Rows = append(l.Rows, r)
		}
	}
	if len(l.Rows) > 0 {
		p.Line = l
	}
	return nil
}

// tell puts a place into words.
func (r *lineRow) tell(lang string, w campaign.Wait) {
	r.Wait = w.ID
	say := func(zh, en string, args ...any) { r.Text = choose(lang, zh, en, args...) }
	switch w.Status {
	case campaign.WaitWaiting:
		r.Waiting, r.Leave = true, true
		say("第 %d 位", "place %d", w.Place)
	case campaign.WaitGranted:
		say("轮到你了，已为你下单", "it was your turn; an order was made for you")
		r.Order = "/o/" + w.OrderID.String()
	case campaign.WaitSkipped:
		say("轮到时已不符合条件，没有下单", "when it was your turn you could no longer have one")
		switch w.Reason {
		case campaign.ErrLimit.Code:
			r.More = choose(lang, "已买到限购的件数", "you have as many as one may have")
		case campaign.ErrBlocked.Code, campaign.ErrExcluded.Code, campaign.ErrAudience.Code:
			r.More = choose(lang, "此活动不再对你开放", "this campaign is no longer open to you")
		}
	case campaign.WaitLeft:
		say("你已放弃候补", "you have left the line")
	case campaign.WaitOver:
		say("活动已结束，没有轮到", "the campaign ended before your turn")
	}
}

// wait gives the visitor a place in the line of an item and shows the page
// again. Like a claim it is an act: who brought him is bound first.
func (s *Server) wait(c *gin.Context, v visitor, l referral.Landing) error {
	in := campaign.WaitIn{Campaign: l.CampaignID, Member: v.Member}
	if err := read(c.PostForm("item"), &in.Item); err != nil {
		return errForm
	}
	ctx, err := s.sent(c, v, c.FullPath(), "wait", l.Code, in.Item.String())
	if err != nil {
		return err
	}
	if err := s.bindQuietly(c.Request.Context(), v, l.Code, c.PostForm("page")); err != nil {
		return err
	}
	_, err = s.Campaign.Wait(ctx, in)
	var again *database.Replayed // a second tap: it stands already
	if err != nil && !errors.As(err, &again) {
		return err
	}
	s.keepPact(c, v)
	c.Redirect(http.StatusSeeOther, "/i/"+l.Code+"?waiting=1#line")
	return nil
}

// leave gives the visitor's own place up. Asked twice it is the same.
func (s *Server) leave(c *gin.Context, v visitor, l referral.Landing) error {
	var wid id.Wait
	if err := read(c.PostForm("wait"), &wid); err != nil {
		return errForm
	}
	if _, err := s.sent(c, v, c.FullPath(), "leave", l.Code, wid.String()); err != nil {
		return err
	}
	if err := s.Campaign.LeaveLine(c.Request.Context(), wid); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/i/"+l.Code+"#line")
	return nil
}
