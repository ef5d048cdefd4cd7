// Package web is what people see: the phone pages a QR opens, and a console
// for staff, which reads, and hands out the goods of step rewards.
//
// It owns no table. Pages are rendered here, with both languages side by
// side in the templates; they work without JavaScript, which only lets clocks
// tick, stops a second tap and renews a waiting page. Nothing is loaded from
// elsewhere but pictures of products, and the content policy allows no inline
// script or style.
//
// Who is looking is one of three: a member, by a token the mall handed over,
// kept in a cookie for as long as the token lives; a guest, made on the first
// scan and kept in a cookie; staff, by an API key sealed in a cookie of the
// console, or a group owner, on his work page alone, by a link that was opened
// once. Forms carry a token signed for the one who saw them and the
// idempotency key of their effect, so that a double tap finds the first order.
//
// Acting on a page that shows a group's charter joins the group and records
// the consent, under the version shown. Visitors and addresses are kept to
// rates (limit.go).
//
// Names are shown as 王*. A code that is expired, revoked or mistyped gets one
// and the same page. Called by main.
package web

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/campaign/calendar"
	"siyu/campaign/exposure"
	"siyu/campaign/groupbuy"
	"siyu/campaign/guard"
	"siyu/campaign/invite"
	"siyu/campaign/material"
	"siyu/campaign/promotion"
	"siyu/campaign/tieout"
	"siyu/community"
	"siyu/community/gate"
	"siyu/community/gathering"
	"siyu/community/grade"
	"siyu/community/health"
	"siyu/community/life"
	"siyu/community/request"
	"siyu/community/ritual"
	"siyu/community/split"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/httpd"
	"siyu/internal/secret"
	"siyu/referral"
	"siyu/referral/insight"
	"siyu/referral/payee"
	"siyu/referral/promoter"
	"siyu/referral/review"
	"siyu/referral/settlement"
	"siyu/referral/taxreturn"
	"siyu/referral/voucher"
	"siyu/wallet"
)

// Server answers the pages from the rooms' services.
type Server struct {
	DB         *database.DB
	Secrets    *secret.Set
	Access     *access.Service
	Community  *community.Service
	Gate       *gate.Service
	Request    *request.Service
	Ritual     *ritual.Service
	Life       *life.Service
	Split      *split.Service
	Gathering  *gathering.Service
	Grade      *grade.Service
	Health     *health.Service
	Campaign   *campaign.Service
	Calendar   *calendar.Service
	GroupBuy   *groupbuy.Service
	Invite     *invite.Service
	Guard      *guard.Service
	Material   *material.Service
	Promotion  *promotion.Service
	Exposure   *exposure.Service
	Referral   *referral.Service
	Review     *review.Service
	Promoter   *promoter.Service
	Insight    *insight.Service
	Settlement *settlement.Service
	TieOut     *tieout.Service
	Payee      *payee.Service
	Wallet     *wallet.Service
	Voucher    *voucher.Service
	TaxReturn  *taxreturn.Service
	// PublicURL is where this house is reached, without a slash at the end;
	// cookies are Secure when it is https.
	PublicURL string
	Rates     Rates
	// Rehearsal puts a band on every page that says so.
	Rehearsal bool

	press  *press
	limits limits
}

// Register parses the templates and adds the pages to the router. It panics on
// a template that does not parse: that is a mistake in the binary.
func (s *Server) Register(r gin.IRouter) {
	press, err := newPress()
	if err != nil {
		panic(err)
	}
	s.press, s.limits = press, s.newLimits()
	r.GET("/static/:file", press.shelf.serve)
	r.GET("/", s.open(s.home))

	r.GET("/i/:code", s.visit(s.landing))
	r.POST("/i/:code/:act", s.visit(s.takePart))
	r.GET("/t/:team", s.visit(s.team))
	r.POST("/t/:team/join", s.visit(s.joinTeam))
	r.POST("/t/:team/reopen", s.visit(s.reopenTeam))
	r.GET("/t/:team/qr.png", s.visit(s.teamPicture))
	r.GET("/o/:order", s.visit(s.order))
	r.POST("/o/:order/late", s.visit(s.chooseLate))
	r.GET("/g/:group", s.visit(s.group))
	r.POST("/g/:group/:act", s.visit(s.groupAct))
	r.GET("/g/:group/requests", s.visit(s.requests))
	r.POST("/g/:group/requests/:act", s.visit(s.requestAct))
	r.GET("/e/:event", s.visit(s.gathering))
	r.POST("/e/:event/:act", s.visit(s.gatheringAct))
	r.GET("/e/:event/seat.png", s.visit(s.seatPicture))
	r.GET("/me", s.visit(s.me))
	r.GET("/me/rewards/:id", s.visit(s.reward))
	r.GET("/me/codes", s.visit(s.codes))
	r.GET("/me/payee", s.visit(s.payee))
	r.POST("/me/payee", s.visit(s.enterPayee))
	r.GET("/me/withdrawals", s.visit(s.withdrawals))
	r.POST("/me/withdrawals", s.visit(s.askWithdrawal))
	r.POST("/me/withdrawals/:id/cancel", s.visit(s.cancelWithdrawal))
	r.GET("/me/statements", s.visit(s.statement))
	r.POST("/me/statements", s.visit(s.objectLine))
	r.GET("/me/promoter", s.visit(s.promoter))
	r.POST("/me/promoter", s.visit(s.applyPromoter))
	r.GET("/me/codes/:code/qr.png", s.visit(s.codePicture))

	r.GET("/console", s.staffOnly(s.console))
	r.GET("/console/calendar", s.staffOnly(s.consoleCalendar))
	r.POST("/console/calendar/days/:id/recall", s.staffOnly(s.consoleRecallDay))
	r.GET("/console/insight", s.staffOnly(s.consoleInsight))
	r.GET("/console/promotions", s.staffOnly(s.consolePromotions))
	r.POST("/console/promotions/:id/:act", s.staffOnly(s.consoleTurnPromotion))
	r.GET("/console/promoters", s.staffOnly(s.consolePromoters))
	r.POST("/console/promoters/:id/:act", s.staffOnly(s.consoleDecidePromoter))
	r.GET("/console/plan", s.staffOnly(s.consolePlan))
	r.GET("/console/exposure", s.staffOnly(s.consoleExposure))
	r.GET("/console/ledger", s.staffOnly(s.consoleLedger))
	r.GET("/console/ledger.csv", s.staffOnly(s.consoleLedgerCSV))
	r.GET("/console/vouchers", s.staffOnly(s.consoleVouchers))
	r.GET("/console/vouchers/file", s.staffOnly(s.consoleVoucherFile))
	r.POST("/console/vouchers/:act", s.staffOnly(s.consoleTurnDay))
	r.GET("/console/taxes", s.staffOnly(s.consoleTaxes))
	r.GET("/console/taxes/sheet", s.staffOnly(s.consoleTaxSheet))
	r.POST("/console/taxes/:act", s.staffOnly(s.consoleTurnMonth))
	r.GET("/console/payers", s.staffOnly(s.consolePayers))
	r.GET("/console/approvals", s.staffOnly(s.consoleApprovals))
	r.POST("/console/approvals/:sort/:id/:act", s.staffOnly(s.consoleDecideApproval))
	r.GET("/console/settlements", s.staffOnly(s.consoleSettlements))
	r.POST("/console/settlements", s.staffOnly(s.consoleMakeSettlement))
	r.GET("/console/settlements/:id", s.staffOnly(s.consoleSettlement))
	r.POST("/console/settlements/:id/:act", s.staffOnly(s.consoleTurnSettlement))
	r.GET("/console/settlements/:id/files/:name", s.staffOnly(s.consoleSettlementFile))
	r.POST("/console/payouts", s.staffOnly(s.consoleMakePayout))
	r.GET("/console/payouts/:id", s.staffOnly(s.consolePayout))
	r.POST("/console/payouts/:id/:act", s.staffOnly(s.consoleTurnPayout))
	r.GET("/console/bills", s.staffOnly(s.consoleBills))
	r.POST("/console/payouts/:id/bills/:no/cancel", s.staffOnly(s.consoleCallOff))
	r.GET("/console/tieouts", s.staffOnly(s.consoleTieOuts))
	r.POST("/console/tieouts/:id/explain", s.staffOnly(s.consoleExplain))
	r.POST("/console/tieouts/:id/approve", s.staffOnly(s.consoleTie))
	r.GET("/console/withdrawals", s.staffOnly(s.consoleWithdrawals))
	r.POST("/console/withdrawals/:id/refuse", s.staffOnly(s.consoleRefuse))
	r.GET("/console/koc-proposals", s.staffOnly(s.consoleKOC))
	r.POST("/console/koc-proposals", s.staffOnly(s.consoleProposeKOC))
	r.POST("/console/koc-proposals/:id/:act", s.staffOnly(s.consoleDecideKOC))
	r.GET("/console/groups/:id", s.staffOnly(s.consoleGroup))
	r.GET("/console/groups/:id/health", s.staffOnly(s.consoleHealth))
	r.GET("/console/groups/:id/rituals", s.staffOnly(s.consoleRituals))
	r.POST("/console/groups/:id/rituals/:act", s.staffOnly(s.consoleRitualsAct))
	r.GET("/console/groups/:id/split", s.staffOnly(s.consoleSplit))
	r.POST("/console/groups/:id/split/:act", s.staffOnly(s.consoleSplitAct))
	r.GET("/console/groups/:id/life", s.staffOnly(s.consoleLife))
	r.POST("/console/groups/:id/life/:act", s.staffOnly(s.consoleLifeAct))
	r.POST("/console/handovers/:id/:act", s.staffOnly(s.consoleHandover))
	r.GET("/console/groups/:id/gatherings", s.staffOnly(s.consoleGatherings))
	r.POST("/console/groups/:id/gatherings/:act", s.staffOnly(s.consoleGatheringsAct))
	r.GET("/console/requests/:id/group-buy", s.staffOnly(s.consoleWish))
	r.POST("/console/requests/:id/group-buy", s.staffOnly(s.consoleDraft))
	r.GET("/console/gatherings/:id/door", s.staffOnly(s.consoleDoor))
	r.GET("/console/gatherings/:id/door.png", s.staffOnly(s.consoleDoorPicture))
	r.GET("/console/groups/:id/grades", s.staffOnly(s.consoleGrades))
	r.GET("/console/work/enter", s.open(s.workDoor))
	r.POST("/console/work/enter", s.open(s.workEnter))
	r.POST("/console/work/leave", s.open(s.workLeave))
	r.GET("/console/work", s.atWork(s.work))
	r.GET("/console/work/groups/:id", s.atWork(s.workGroup))
	r.GET("/console/work/slots/:id/picture", s.atWork(s.workPicture))
	r.POST("/console/work/slots/:id/:act", s.atWork(s.workSlot))
	r.POST("/console/work/requests/:id/answer", s.atWork(s.workAnswer))
	r.POST("/console/work/applications/:id/decide", s.atWork(s.workDecide))
	r.POST("/console/work/rituals/:id/hold", s.atWork(s.workHold))
	r.POST("/console/work/groups/:id/:act", s.atWork(s.workGroupAct))
	r.GET("/console/work/gatherings/:id/scan", s.atWork(s.scan))
	r.POST("/console/work/gatherings/:id/scan", s.atWork(s.scanSeat))
	r.GET("/console/campaigns/:id", s.staffOnly(s.consoleCampaign))
	r.POST("/console/step-rewards/:id/hand-over", s.staffOnly(s.consoleHandOver))
	r.GET("/console/objections", s.staffOnly(s.consoleObjections))
	r.POST("/console/objections/:id/answer", s.staffOnly(s.consoleAnswer))
	r.GET("/console/reviews", s.staffOnly(s.consoleReviews))
	r.POST("/console/rewards/:id/review", s.staffOnly(s.consoleFind))
	r.POST("/console/rewards/:id/decide", s.staffOnly(s.consoleDecide))
	r.GET("/console/login", s.open(s.consoleLogin))
	r.POST("/console/login", s.open(s.consoleEnter))
	r.POST("/console/logout", s.open(s.consoleLeave))
}

// home answers GET /: this house has no front page for members, who come by a
// code or from the mall, but who just started it should find the doors.
func (s *Server) home(c *gin.Context) error {
	p := plainPage{page: s.base(c, "")}
	p.Title, p.Head = "Siyu 私域", choose(p.Lang, "这里是 Siyu 私域", "This is Siyu")
	p.Body = choose(p.Lang, "会员请扫邀请码，或从商城的会员中心进来。", "Members come by an invite code or from their mall's member page.")
	p.Link, p.LinkText = "/console", choose(p.Lang, "员工控制台", "Staff console")
	p.Second, p.SecondText = "/docs", choose(p.Lang, "接口文档", "API documentation")
	return s.show(c, http.StatusOK, "plain", p.page, p)
}

// Lost answers an address that leads nowhere, or is there for forms alone: a
// browser gets a page, anybody else the problem.
func (s *Server) Lost(why *fault.Fault) gin.HandlerFunc {
	return func(c *gin.Context) {
		if c.Request.Method != http.MethodGet || !strings.Contains(c.GetHeader("Accept"), "text/html") {
			httpd.Refuse(c, why)
			return
		}
		s.open(func(*gin.Context) error { return why })(c)
	}
}

// view is a page's handler: it renders, or returns why not.
type view func(c *gin.Context, v visitor) error

// open runs a handler that needs no visitor.
func (s *Server) open(h func(c *gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		err := s.limits.from(c, s.limits.address)
		if err == nil {
			legible(c)
			err = h(c)
		}
		if err != nil {
			s.fail(c, err)
		}
	}
}

// legible replaces in a form what is no text, as reading JSON does: MariaDB
// refuses it.
func legible(c *gin.Context) {
	if c.ContentType() != "application/x-www-form-urlencoded" || c.Request.ParseForm() != nil {
		return // a form that cannot be read has no token
	}
	for _, values := range c.Request.PostForm {
		for i, v := range values {
			values[i] = strings.ToValidUTF8(v, "\uFFFD")
		}
	}
}

// base is what every page starts from.
func (s *Server) base(c *gin.Context, title string) page {
	p := page{Lang: s.lang(c), Title: title, Now: s.DB.Clock.Now()}
	p.at(c.Request.URL.EscapedPath())
	return p
}

// at says what the page's own address is, from the root of this house.
func (p *page) at(address string) {
	p.Home = address
	p.Other = withQuery(address, "lang", choose(p.Lang, langEN, langZH))
}

// sentFrom lets the answer to a form that failed lead back to the page the form
// stood on: its own address takes nothing but forms.
func (p *plainPage) sentFrom(c *gin.Context) {
	if c.Request.Method == http.MethodGet {
		return
	}
	p.Home, p.Other = "", ""
	from, err := url.Parse(c.GetHeader("Referer"))
	if err != nil || from.Host != c.Request.Host || !strings.HasPrefix(from.EscapedPath(), "/") {
		return
	}
	p.at(from.EscapedPath())
	p.Link, p.LinkText = p.Home, choose(p.Lang, "返回", "Go back")
}

// lang is ?lang=, which is then remembered, or the cookie, or what the browser
// asks for.
func (s *Server) lang(c *gin.Context) string {
	if lang := tongueOf(c.Query("lang")); lang != "" {
		s.setCookie(c, cookieLang, lang, "/", 365*24*time.Hour)
		return lang
	}
	kept, _ := c.Cookie(cookieLang)
	return cmp.Or(tongueOf(kept), httpd.Lang(c))
}

// tongueOf is one of the two languages, or nothing. What a link asked for is never
// kept as it was written: a cookie of thousands of letters would come with every
// request for a year.
func tongueOf(asked string) string {
	switch {
	case asked == langEN:
		return langEN
	case strings.HasPrefix(asked, "zh"):
		return langZH
	}
	return ""
}

// fail answers with a page that says what went wrong in the fault's own words.
// Anything that is not a fault is logged and shown as one sentence.
func (s *Server) fail(c *gin.Context, err error) {
	f := httpd.Seen(c, err)
	if f.RetryAfter > 0 {
		c.Header("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
	p := plainPage{page: s.base(c, ""), Sad: true}
	p.Head, p.Body = f.Text(p.Lang), choose(p.Lang, "可以返回上一页再试，或向邀请你的人问问。", "Go back and try again, or ask who invited you.")
	p.sentFrom(c)
	switch {
	case errors.Is(err, httpd.ErrTooMany):
		p.crowded(c)
	case errors.Is(err, httpd.ErrNoMethod):
		p.Head = choose(p.Lang, "这个地址只收表单", "This address only takes forms")
		p.Body = choose(p.Lang, "请返回上一页，用页面上的按钮。", "Go back and use the button on the page.")
		p.Other = "" // the other language's link would lead here again
	case errors.Is(err, fault.NotFound), errors.Is(err, httpd.ErrNoRoute):
		p.Head = choose(p.Lang, "这里什么也没有", "There is nothing here")
		p.Body = choose(p.Lang, "地址可能不完整，或这一页不属于你。", "The address may be incomplete, or the page is not yours.")
	}
	p.Title = p.Head
	if err := s.show(c, int(f.Kind), "plain", p.page, p); err != nil {
		slog.Error("page failed", "request_id", httpd.RequestID(c), "route", c.FullPath(), "error", err)
		c.Status(http.StatusInternalServerError)
	}
}
