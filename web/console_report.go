package web

import (
	"context"

	"siyu/campaign"
	"siyu/community"
	"siyu/internal/id"
	"siyu/internal/money"
)

// targetRow is a target beside what came of it.
type targetRow struct {
	Name    string
	Target  string
	Actual  string
	Reached string
	Width   int64 // of the bar, at most 100
	Full    bool
}

func targetOf(lang string, a campaign.Against) targetRow {
	r := targetRow{Target: count(a.Target), Actual: count(a.Actual), Reached: rate(a.Reached), Width: min(part(max(a.Actual, 0), a.Target), 100), Full: a.Actual >= a.Target}
	switch a.Name {
	case "paid_orders":
		r.Name = choose(lang, "付款订单", "Paid orders")
	case "pieces":
		r.Name = choose(lang, "件数", "Pieces")
	default:
		r.Name = choose(lang, "净额", "Net")
		r.Target, r.Actual = cny(money.Amount(a.Target)), cny(money.Amount(a.Actual))
	}
	return r
}

// reportView is what a campaign came to.
type reportView struct {
	Figures []figure
	Best    []figure
	Last    string // the like campaign before it
	Beside  []besideRow
	Advice  []string
}

// besideRow is a figure of this campaign over that of the last.
type besideRow struct {
	Name      string
	This      chartBar
	Last      chartBar
	Different string
}

// fillReport adds the report of an ended campaign.
func (s *Server) fillReport(ctx context.Context, p *campaignPage, run campaign.Campaign) error {
	r, err := s.Campaign.Report(ctx, run.ID)
	if err != nil {
		return err
	}
	say := func(zh, en string, args ...any) string { return choose(p.Lang, zh, en, args...) }
	unknown := say("成本未填", "cost unknown")
	amount := func(a *money.Amount) string {
		if a == nil {
			return unknown
		}
		return cny(*a)
	}
	v := &reportView{Figures: []figure{
		{say("售出", "Sold"), count(r.Sold)}, {say("未售", "Unsold"), count(r.Unsold)}, {say("待付", "Held"), count(r.Held)},
		{say("净额", "Net"), cny(r.Net)}, {say("成本", "Cost"), amount(r.Cost)}, {say("毛利", "Margin"), amount(r.Margin)},
	}}
	if v.Best, err = s.best(ctx, p, r, run); err != nil {
		return err
	}
	if l := r.LastLike; l != nil {
		v.Last = clean(l.Name)
		v.Beside = []besideRow{
			beside(say("净额", "Net"), int64(r.Net), int64(l.Net), cny(r.Net), cny(l.Net)),
			beside(say("付款订单", "Paid orders"), r.Total.Orders.Bought, l.Bought, count(r.Total.Orders.Bought), count(l.Bought)),
			beside(say("件数", "Pieces"), r.Sold, l.Sold, count(r.Sold), count(l.Sold)),
			beside(say("奖励", "Rewards"), int64(r.Total.RewardsPromised), int64(l.Rewards), cny(r.Total.RewardsPromised), cny(l.Rewards)),
		}
	}
	for _, a := range r.Advice {
		v.Advice = append(v.Advice, cleanLong(choose(p.Lang, a.Zh, a.En)))
	}
	p.Report = v
	return nil
}

// beside draws two figures on one scale; Different is the change in percent.
func beside(name string, this, last int64, thisText, lastText string) besideRow {
	bars := []chartBar{{N: max(this, 0), Value: thisText}, {N: max(last, 0), Value: lastText}}
	scale(bars)
	r := besideRow{Name: name, This: bars[0], Last: bars[1]}
	if last > 0 {
		by := (this - last) * 100 / last
		r.Different = count(by) + "%"
		if by >= 0 {
			r.Different = "+" + r.Different
		}
	}
	return r
}

// best are the hour, group and promoter that brought most.
func (s *Server) best(ctx context.Context, p *campaignPage, r campaign.Report, run campaign.Campaign) ([]figure, error) {
	var list []figure
	add := func(zh, en, value string, b *campaign.Best) {
		list = append(list, figure{choose(p.Lang, zh, en), choose(p.Lang, "%s · %d 单 ¥%s", "%s · %d orders ¥%s", value, b.Paid, b.Net)})
	}
	if b := r.BestHour; b != nil {
		add("成交最多的一小时", "Best hour", moment(p.Lang, p.Now, b.HourAt.Time().In(zoneOf(run))), b)
	}
	if b := r.BestGroup; b != nil {
		groups, err := community.GroupsIn(s.DB.Read(ctx), []id.Group{b.GroupID})
		if err != nil {
			return nil, err
		}
		add("成交最多的群", "Best group", clean(groups[b.GroupID].Name), b)
	}
	if b := r.BestPromoter; b != nil {
		names, err := community.NamesOf(s.DB.Read(ctx), []id.Member{b.MemberID})
		if err != nil {
			return nil, err
		}
		add("带来最多的人", "Best promoter", called(p.Lang, names[b.MemberID]), b)
	}
	return list, nil
}
