package web

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/promoter"
)

// mePage is 我的奖励.
type mePage struct {
	page
	Name     string
	Sums     []sumView
	Rewards  []rewardView
	Next     string
	Confirms []confirmView // on the first page
	Goals    []goalView    // campaigns with steps; on the first page
}

type sumView struct {
	Name   string
	Amount money.Amount
	Quiet  bool
}

// rewardsShown is how many rewards one page lists.
const rewardsShown = 20

// me answers GET /me.
func (s *Server) me(c *gin.Context, v visitor) error {
	if v.Guest && !v.Strong {
		return s.stranger(c)
	}
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	list, err := s.Referral.ListRewards(ctx, referral.RewardFilter{}, database.Page{Before: before, Limit: rewardsShown})
	if err != nil {
		return err
	}
	held, err := s.Wallet.MemberWallet(ctx, v.Member)
	if err != nil {
		return err
	}
	p := mePage{page: s.base(c, ""), Name: v.Name, Sums: sums(s.lang(c), held)}
	p.Title = choose(p.Lang, "我的奖励", "My rewards")
	seen, err := s.Settlement.SeeAll(ctx, list.Items)
	if err != nil {
		return err
	}
	coupons, err := s.couponNames(ctx, p.Lang, couponsOf(list.Items))
	if err != nil {
		return err
	}
	for _, r := range seen {
		p.Rewards = append(p.Rewards, rewardOf(p.Lang, p.Now, r, coupons))
	}
	if before == 0 {
		if p.Confirms, err = s.confirms(ctx, p.page, v.Member); err != nil {
			return err
		}
		codes, err := s.Referral.ListCodes(ctx, referral.CodeFilter{Inviter: v.Member}, database.Page{Limit: codesShown})
		if err != nil {
			return err
		}
		if p.Goals, err = s.goals(ctx, p.page, v.Member, codes.Items); err != nil {
			return err
		}
	}
	if list.NextCursor != "" {
		p.Next = "/me?cursor=" + list.NextCursor
	}
	return s.show(c, http.StatusOK, "me", p.page, p)
}

// stranger says that rewards are seen by members alone.
func (s *Server) stranger(c *gin.Context) error {
	p := plainPage{page: s.base(c, "")}
	p.Head = choose(p.Lang, "请从商城登录后打开", "Open this from the mall, signed in")
	p.Body = choose(p.Lang, "奖励记在会员名下。在商城登录后，从会员中心进来就能看到。",
		"Rewards belong to members. Sign in at the mall and come from your member page.")
	p.Title = p.Head
	return s.show(c, http.StatusUnauthorized, "plain", p.page, p)
}

// shop is the zone of pages that belong to no campaign. China has had one
// offset since 1992, so no zone file is needed.
var shop = time.FixedZone(clock.Shanghai, 8*60*60)

// codesPage shows a member's own codes.
type codesPage struct {
	page
	Codes  []codeView
	Frozen bool // he is a promoter who is suspended
}

type codeView struct {
	Name  string
	Code  string
	Image string
	Until time.Time
}

// codesShown is how many codes the page draws.
const codesShown = 10

// codes answers GET /me/codes: the live codes of the member.
func (s *Server) codes(c *gin.Context, v visitor) error {
	if v.Guest && !v.Strong {
		return s.stranger(c)
	}
	ctx := c.Request.Context()
	list, err := s.Referral.ListCodes(ctx, referral.CodeFilter{}, database.Page{Limit: codesShown})
	if err != nil {
		return err
	}
	p := codesPage{page: s.base(c, "")}
	p.Title = choose(p.Lang, "我的邀请码", "My codes")
	standing, err := promoter.StandingIn(s.DB.Read(ctx), []id.Member{v.Member})
	if err != nil {
		return err
	}
	p.Frozen = standing[v.Member] == promoter.Frozen
	names := map[id.Campaign]string{}
	for _, code := range list.Items {
		if code.Status != referral.CodeLive {
			continue
		}
		name, known := names[code.CampaignID]
		if !known {
			if name, err = s.campaignName(c, code.CampaignID); err != nil {
				return err
			}
			names[code.CampaignID] = name
		}
		view := codeView{Name: name, Code: code.Code, Image: "/me/codes/" + code.Code + "/qr.png"}
		if code.ExpiresAt != 0 {
			view.Until = code.ExpiresAt.Time().In(shop)
		}
		p.Codes = append(p.Codes, view)
	}
	return s.show(c, http.StatusOK, "codes", p.page, p)
}

func (s *Server) campaignName(c *gin.Context, cid id.Campaign) (string, error) {
	general := choose(s.lang(c), "邀请好友", "Invite a friend")
	if cid == 0 {
		return general, nil
	}
	run, err := s.Campaign.FindCampaign(c.Request.Context(), cid)
	if missing(err) {
		return general, nil
	}
	return clean(run.Name), err
}

// missing says that what was looked for is not there, or not for this caller.
func missing(err error) bool {
	f, ok := fault.As(err)
	return ok && f.Kind == fault.KindNotFound
}

// codePicture answers the QR of one of the member's own codes.
func (s *Server) codePicture(c *gin.Context, v visitor) error {
	p, err := s.Referral.CodePicture(c.Request.Context(), c.Param("code"), referral.FormPNG, 0)
	if err != nil {
		return err
	}
	picture(c, p)
	return nil
}

// picture answers a QR that the visitor's browser may keep for an hour.
func picture(c *gin.Context, p referral.Picture) {
	c.Header("Cache-Control", "private, max-age=3600")
	c.Header("ETag", p.ETag)
	if c.GetHeader("If-None-Match") == p.ETag {
		c.Status(http.StatusNotModified)
		return
	}
	c.Data(http.StatusOK, string(p.Form), p.Bytes)
}
