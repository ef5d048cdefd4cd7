package web

import (
	"context"
	"time"

	"siyu/campaign"
	"siyu/internal/clock"
)

// earlyView is what a member may do before the campaign starts for all. From is
// zero for whoever has to wait for the start.
type earlyView struct {
	From time.Time
	Open bool // he may buy now
}

// showEarly opens the page to an early member, or tells him from when it is.
func (s *Server) showEarly(ctx context.Context, p *landingPage, run campaign.Campaign, v visitor) error {
	if run.Phase(clock.MilliOf(p.Now)) != campaign.StatusScheduled {
		return nil
	}
	from, err := s.Campaign.EarlyFrom(ctx, run, v.Member)
	if err != nil || from == 0 {
		return err
	}
	p.Early = earlyView{From: from.Time().In(zoneOf(run)), Open: from <= clock.MilliOf(p.Now)}
	if !p.Early.Open {
		p.Clock.Until = p.Early.From
		return nil
	}
	p.State = onSale(p.Items)
	return nil
}

// sells says whether the visitor may buy now: the campaign runs, or he is one
// of those who may before it starts.
func (s *Server) sells(ctx context.Context, run campaign.Campaign, v visitor, now time.Time) (bool, error) {
	switch run.Phase(clock.MilliOf(now)) {
	case campaign.StatusRunning:
		return true, nil
	case campaign.StatusScheduled:
		from, err := s.Campaign.EarlyFrom(ctx, run, v.Member)
		return from != 0 && from <= clock.MilliOf(now), err
	}
	return false, nil
}
