package main

import (
	"siyu/api"
	"siyu/campaign"
	"siyu/campaign/calendar"
	"siyu/campaign/exposure"
	"siyu/campaign/flashsale"
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
	"siyu/internal/httpd"
	"siyu/internal/secret"
	"siyu/internal/task"
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
	"siyu/web"
)

// wire makes the rooms, registers what they do in the background, and opens
// REST and pages over them.
func (h *house) wire(keys *secret.Set, allow webhook.Allow) error {
	rooms, err := h.rooms(keys, allow)
	if err != nil {
		return err
	}
	reg := task.NewRegistry()
	for _, room := range []interface{ Register(*task.Registry) }{
		rooms.Community, rooms.Intake, rooms.Gate, rooms.Welcome, rooms.Grade, rooms.Life, rooms.Split, rooms.Ritual, rooms.Gathering, rooms.Request, rooms.Health,
		rooms.Referral, rooms.Review, rooms.Settlement, rooms.Wallet,
		rooms.Campaign, rooms.GroupBuy, rooms.Invite, rooms.Guard, rooms.Exposure, rooms.Promotion, rooms.TieOut, rooms.Webhook,
	} {
		room.Register(reg)
	}
	task.Register(reg, h.db)
	if err := h.queue(reg); err != nil {
		return err
	}
	h.rest, h.campaign, h.referral, h.review = rooms, rooms.Campaign, rooms.Referral, rooms.Review
	engine, err := httpd.NewEngine(httpd.Config{TrustedProxies: h.cfg.TrustedProxies})
	if err != nil {
		return err
	}
	if err := rooms.Mount(engine); err != nil {
		return err
	}
	pages := h.pages(rooms)
	pages.Register(engine)
	engine.NoRoute(pages.Lost(httpd.ErrNoRoute))
	engine.NoMethod(pages.Lost(httpd.ErrNoMethod))
	h.handler = engine
	return nil
}

// rooms makes every room, those that others use first, and hands them out as
// the REST server, which has them all. A new kind of campaign is one more
// argument of campaign.New.
func (h *house) rooms(keys *secret.Set, allow webhook.Allow) (*api.Server, error) {
	db := h.db
	r := &api.Server{
		DB: db, Secrets: keys, Access: h.access,
		Community: &community.Service{DB: db, Secrets: keys}, Gate: &gate.Service{DB: db}, Welcome: &welcome.Service{DB: db}, Grade: &grade.Service{DB: db},
		Life: &life.Service{DB: db}, Split: &split.Service{DB: db}, Ritual: &ritual.Service{DB: db}, Gathering: &gathering.Service{DB: db, Secrets: keys},
		Request: &request.Service{DB: db}, Health: &health.Service{DB: db},
		Wallet:   &wallet.Service{DB: db},
		Referral: &referral.Service{DB: db, Secrets: keys, PublicURL: h.cfg.PublicURL, QRURL: h.cfg.QRURL, PosterFont: h.cfg.PosterFont},
		Review:   &review.Service{DB: db, Secrets: keys}, Promoter: &promoter.Service{DB: db}, Insight: &insight.Service{DB: db}, Payee: &payee.Service{DB: db, Secrets: keys},
		GroupBuy: &groupbuy.Service{DB: db, PublicURL: h.cfg.PublicURL},
		Guard:    &guard.Service{DB: db, Moments: calendar.Moments, Platform: guard.Platform(h.cfg.PlatformCap)}, Exposure: &exposure.Service{DB: db},
		Material: &material.Service{DB: db}, TieOut: &tieout.Service{DB: db},
		Webhook: &webhook.Service{DB: db, Secrets: keys, Allow: allow},
		Ready:   h.degraded, Gauges: h.gauges,
		Rates: api.Rates{Staff: h.cfg.Rates.Staff, Member: h.cfg.Rates.Member, Address: h.cfg.Rates.Address},
	}
	r.Intake = &intake.Service{DB: db, Community: r.Community, Secrets: keys}
	r.TaxReturn, r.Voucher = &taxreturn.Service{DB: db, Payees: r.Payee}, &voucher.Service{DB: db, Books: r.Wallet}
	r.Settlement = &settlement.Service{DB: db, Vault: r.Payee}
	r.Campaign = campaign.New(db, r.Community, flashsale.Kind(), r.GroupBuy.Kind(), invite.Kind())
	r.GroupBuy.Campaign = r.Campaign
	r.Calendar, r.Invite = &calendar.Service{DB: db, Campaign: r.Campaign}, &invite.Service{DB: db, Campaign: r.Campaign}
	r.Promotion = &promotion.Service{DB: db, Guard: r.Guard, Exposure: r.Exposure, Campaign: r.Campaign, Dates: r.Calendar, Paces: map[string]promotion.Pace{
		promotion.FileChannel{}.Name(): promotion.Pace(h.cfg.Paces.File), promotion.WebhookChannel{}.Name(): promotion.Pace(h.cfg.Paces.Webhook),
	}}
	if h.rehearsal() {
		return r, nil // it pays nobody and sends nothing to anybody
	}
	r.Promotion.Channels = []promotion.Channel{promotion.FileChannel{Dir: h.outbox(), Owner: promotion.Owner(h.cfg.FileOwner), DB: db}, promotion.WebhookChannel{DB: db}}
	var err error
	r.Settlement.Bills, err = billsOf(h.cfg)
	return r, err
}

// pages are the pages over the rooms.
func (h *house) pages(r *api.Server) *web.Server {
	return &web.Server{
		DB: r.DB, Secrets: r.Secrets, Access: r.Access, Community: r.Community, Gate: r.Gate, Request: r.Request, Ritual: r.Ritual, Life: r.Life, Split: r.Split,
		Gathering: r.Gathering, Grade: r.Grade, Health: r.Health, Campaign: r.Campaign, Calendar: r.Calendar, GroupBuy: r.GroupBuy, Invite: r.Invite, Guard: r.Guard,
		Material: r.Material, Promotion: r.Promotion, Exposure: r.Exposure, Referral: r.Referral, Review: r.Review, Promoter: r.Promoter, Insight: r.Insight,
		Settlement: r.Settlement, TieOut: r.TieOut, Payee: r.Payee, Wallet: r.Wallet, Voucher: r.Voucher, TaxReturn: r.TaxReturn,
		PublicURL: h.cfg.PublicURL, Rehearsal: h.rehearsal(),
		Rates: web.Rates{Visitor: h.cfg.Rates.Member, Address: h.cfg.Rates.Address},
	}
}
