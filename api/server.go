// Package api is the REST face of the house: routes, who may call them,
// strict input, idempotency, and rendering. It holds no business: a handler
// binds, calls one service, renders.
//
// A room's resources live in <noun>.go: a method that adds its routes to the
// table, listed in Server.table below, and the handlers. What each route takes
// and answers is written in contract/<noun>.yaml; `go generate ./api` joins
// the fragments into openapi.yaml, and tests hold table and contract together
// in both directions.
//
// What must stay true: a route names its callers or is public by name; every
// POST that creates or moves something is keyed; an id of another unit answers
// as one that does not exist; nothing here waits on Redis.
package api

import (
	"context"
	"sync"

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
	"siyu/community/intake"
	"siyu/community/life"
	"siyu/community/request"
	"siyu/community/ritual"
	"siyu/community/split"
	"siyu/community/welcome"
	"siyu/internal/database"
	"siyu/internal/secret"
	"siyu/internal/webhook"
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

// Server is the API over the rooms. Fields without a comment are the rooms.
type Server struct {
	DB         *database.DB
	Secrets    *secret.Set
	Access     *access.Service
	Community  *community.Service
	Intake     *intake.Service
	Gate       *gate.Service
	Request    *request.Service
	Ritual     *ritual.Service
	Life       *life.Service
	Split      *split.Service
	Welcome    *welcome.Service
	Gathering  *gathering.Service
	Grade      *grade.Service
	Health     *health.Service
	Wallet     *wallet.Service
	Referral   *referral.Service
	Payee      *payee.Service
	Review     *review.Service
	Promoter   *promoter.Service
	Insight    *insight.Service
	Settlement *settlement.Service
	TaxReturn  *taxreturn.Service
	Voucher    *voucher.Service
	TieOut     *tieout.Service
	Campaign   *campaign.Service
	Calendar   *calendar.Service
	GroupBuy   *groupbuy.Service
	Invite     *invite.Service
	Guard      *guard.Service
	Exposure   *exposure.Service
	Material   *material.Service
	Promotion  *promotion.Service
	Webhook    *webhook.Service

	// Ready names what runs degraded, like the queue; nil means nothing can.
	// The database is asked by /readyz itself.
	Ready func(context.Context) []string
	// Gauges are figures for /metrics that only main can see.
	Gauges func(context.Context) []Gauge
	// Rehearsals open a second house; empty in one that is itself a rehearsal.
	Rehearsals Rehearsals
	// Rates are how often callers may call; zero takes the defaults.
	Rates Rates

	limits  *limits
	metrics *metrics
	docs    func() ([]byte, error)
}

// table is every route of the house; each room adds its line.
func (s *Server) table() *routes {
	r := &routes{}
	s.healthRoutes(r)
	s.contractRoutes(r)
	s.accessRoutes(r)
	s.workLinkRoutes(r)
	s.walletRoutes(r)
	s.ledgerRoutes(r)
	s.voucherRoutes(r)
	s.tieOutRoutes(r)
	s.couponRoutes(r)
	s.memberCouponRoutes(r)
	s.couponCodeRoutes(r)
	s.pointRoutes(r)
	s.rewardRoutes(r)
	s.reviewRoutes(r)
	s.promoterRoutes(r)
	s.insightRoutes(r)
	s.codeRoutes(r)
	s.jobRoutes(r)
	s.posterRoutes(r)
	s.programRoutes(r)
	s.kocRoutes(r)
	s.memberRoutes(r)
	s.personalRoutes(r)
	s.groupRoutes(r)
	s.membershipRoutes(r)
	s.activityRoutes(r)
	s.importRoutes(r)
	s.gateRoutes(r)
	s.requestRoutes(r)
	s.ritualRoutes(r)
	s.topicRoutes(r)
	s.groupLifeRoutes(r)
	s.splitRoutes(r)
	s.welcomeRoutes(r)
	s.gatheringRoutes(r)
	s.gradeRoutes(r)
	s.groupHealthRoutes(r)
	s.tagRoutes(r)
	s.blockRoutes(r)
	s.productRoutes(r)
	s.campaignRoutes(r)
	s.simulateRoutes(r)
	s.priceApprovalRoutes(r)
	s.rehearsalRoutes(r)
	s.claimRoutes(r)
	s.teamRoutes(r)
	s.waitRoutes(r)
	s.noticeRoutes(r)
	s.reminderRoutes(r)
	s.templateRoutes(r)
	s.calendarRoutes(r)
	s.inviteRoutes(r)
	s.orderRoutes(r)
	s.materialRoutes(r)
	s.promotionRoutes(r)
	s.guardRoutes(r)
	s.exposureRoutes(r)
	s.silenceRoutes(r)
	s.permitRoutes(r)
	s.observeRoutes(r)
	s.checkupRoutes(r)
	s.slotRoutes(r)
	s.payerRoutes(r)
	s.taxReturnRoutes(r)
	s.payeeRoutes(r)
	s.settlementRoutes(r)
	s.payoutRoutes(r)
	s.objectionRoutes(r)
	s.withdrawalRoutes(r)
	s.payoutFileRoutes(r)
	s.billRoutes(r)
	s.webhookRoutes(r)
	s.taskRoutes(r)
	return r
}

// Mount adds the API to an engine of httpd.
func (s *Server) Mount(e *gin.Engine) error {
	s.limits = newLimits(s.DB, s.Rates)
	s.metrics = newMetrics()
	s.docs = sync.OnceValues(s.drawDocs)
	of, err := contractDemands()
	if err != nil {
		return err
	}
	for _, rt := range s.table().list {
		rt.queries = of.queries[rt.name()]
		e.Handle(rt.method, rt.path, s.serve(rt))
	}
	return nil
}
