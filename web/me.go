package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/promoter"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// mePage is 我的奖励.
type mePage struct {
	page
	Name    string
	Sums    []sumView
	Rewards []rewardView
	Next    string
	Goals   []goalView // campaigns with steps; on the first page
}

type sumView struct {
	Name   string
	Amount money.Amount
	Quiet  bool
}

type rewardView struct {
	Href   string // of its own page
	What   string
	When   string
	Reason string
	Amount money.Amount
	Kind   string // points or a coupon in words
	State  string
	Tone   string // "", good, dim
	Void   bool
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
	ids := make([]id.Reward, len(list.Items))
	for i, r := range list.Items {
		ids[i] = r.ID
	}
	paid, err := settlement.PaidIn(s.DB.Read(ctx), ids)
	if err != nil {
		return err
	}
	coupons, err := s.couponNames(ctx, p.Lang, couponsOf(list.Items))
	if err != nil {
		return err
	}
	for _, r := range list.Items {
		p.Rewards = append(p.Rewards, rewardOf(p.Lang, p.Now, r, paid[r.ID], coupons))
	}
	if before == 0 {
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

// sums are the three figures a member asks for: what still waits, what is due,
// what was paid. A debt shows as a negative amount due.
func sums(lang string, w wallet.Wallet) []sumView {
	return []sumView{
		{choose(lang, "待到期", "Waiting"), w.Of(wallet.StageReserved, money.CNY), true},
		{choose(lang, "待结算", "Due"), w.Of(wallet.StagePayable, money.CNY), w.Of(wallet.StagePayable, money.CNY) == 0},
		{choose(lang, "已发放", "Paid"), w.Of(wallet.StagePaid, money.CNY), true},
	}
}

// rewardOf puts a reward into words; paidAt is zero until its money was sent.
func rewardOf(lang string, now time.Time, r referral.Reward, paidAt clock.Milli, coupons map[id.Coupon]string) rewardView {
	say := func(zh, en string, args ...any) string { return choose(lang, zh, en, args...) }
	day := func(m clock.Milli) string { return moment(lang, now, m.Time().In(shop)) }
	v := rewardView{Href: "/me/rewards/" + r.ID.String(), Amount: r.Net, When: say("%s 记下", "noted %s", day(r.EarnedAt)), What: say("邀请奖", "For inviting")}
	if r.Side == referral.SideInvitee {
		v.What = say("新人礼", "Welcome gift")
	}
	v.Kind = inKind(lang, r.Currency, r.Net, coupons[r.CouponID])
	switch r.State {
	case referral.RewardPending:
		v.State, v.Reason = say("待到期", "waiting"), say("%s 到期", "matures %s", day(r.MaturesAt))
		if r.Net < r.Amount {
			v.Reason = say("部分退款，已减少；%s 到期", "lowered by a partial refund; matures %s", day(r.MaturesAt))
		}
		if r.Note != "" && r.Currency == referral.Coupons {
			v.State, v.Reason = say("待发放", "waiting"), say("优惠券暂时发不出，会自动重试", "the coupon cannot be given yet; it is tried again")
		}
		if r.Review == referral.ReviewOpen {
			v.State, v.Reason = say("核实中", "being checked"), say("人工核实后到账或取消", "people look at it before it is paid")
		}
	case referral.RewardCleared:
		if r.Currency != money.CNY {
			v.State, v.Tone = say("已发放", "given"), "good"
			break
		}
		v.State, v.Tone = say("已到期，待结算", "due"), "good"
		if paidAt != 0 {
			v.State, v.Tone, v.Reason = say("已到账", "paid"), "dim", say("%s 到账", "paid on %s", date(lang, now, paidAt.Time().In(shop)))
		}
	case referral.RewardDeclined:
		v.State, v.Tone, v.Reason = say("未计", "none"), "dim", declined(lang, r.Note)
	default:
		v.State, v.Tone, v.Void, v.Amount = say("已取消", "cancelled"), "dim", true, r.Amount
		v.Kind = inKind(lang, r.Currency, r.Amount, coupons[r.CouponID])
		v.Reason = say("订单退款，奖励取消", "the order was refunded")
		for _, e := range r.Events {
			if e.Kind == referral.EventVoided && (e.StaffID != 0 || r.Review == referral.ReviewRefused) {
				v.Reason = say("经核查取消", "cancelled after a review")
			}
		}
	}
	return v
}

func declined(lang string, n referral.Note) string {
	switch n {
	case referral.NoteBudgetExhausted:
		return choose(lang, "活动奖励预算已用完", "the program's budget was used up")
	case referral.NoteIdentityRequired:
		return choose(lang, "付款时还没有登录会员", "there was no signed-in member when the order was paid")
	case referral.NoteInviterNotBuyer:
		return choose(lang, "你自己还没有下过单", "you had no order of your own yet")
	case referral.NotePromoterFrozen:
		return choose(lang, "付款时你的推广资格被暂停", "you were suspended as a promoter when it was paid")
	}
	if strings.HasSuffix(string(n), "_cap") {
		return choose(lang, "已达到活动的奖励上限", "the program's limit of rewards was reached")
	}
	return ""
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
