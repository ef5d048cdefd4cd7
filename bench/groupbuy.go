package main

import (
	"context"
	"fmt"

	"siyu/internal/id"
)

// teamsOpen teams of one item, of teamSize each, are joined at once.
const (
	teamsOpen = 1000
	teamSize  = 100
)

// runGroupBuy measures joins into teams against the same join as one
// transaction per request.
func runGroupBuy(ctx context.Context, l *lab) error {
	if err := l.startFront(ctx, (l.rounds+len(pools(l.store.sqlite)))*teamsOpen); err != nil {
		return err
	}
	ours := l.joining()
	if _, err := l.turn(ctx, ours.warm(), -1); err != nil {
		return err
	}
	way, err := l.bestPool(ctx, "join", l.joinBaseline)
	if err != nil {
		return err
	}
	base := l.joinBaseline("join", way)
	if err := l.play(ctx, []subject{ours, base}); err != nil {
		return err
	}
	l.table()
	l.printf("  %.2f × the same join as one transaction per request (goal 8)\n", l.ratio(ours.name, base.name, rateOf))
	return l.settled(ctx)
}

// joining is the house under joins, into new teams every round.
func (l *lab) joining() subject {
	var items []item
	s := subject{name: "siyu", says: "joins", addrs: l.addrs(), pids: l.pids(), codes: []int{201}}
	s.source = func(ctx context.Context, round int) (source, error) {
		var err error
		items, err = l.openSale(ctx, sale{kind: "group_buy", items: 1, stock: plenty, limit: l.limit, rules: map[string]any{"size": teamSize}})
		if err != nil {
			return source{}, err
		}
		teams, err := l.openTeams(ctx, items[0], fmt.Sprintf("open%d", round))
		if err != nil {
			return source{}, err
		}
		kinds := make([]request, len(teams))
		for i, t := range teams {
			kinds[i] = post("/v1/teams/"+t+"/join", `{"qty":1}`)
		}
		key := fmt.Sprintf("join%d", round)
		// The openers sit already; the others fill all teams but for no seat.
		count := min(len(l.crowd.ids)-teamsOpen, teamsOpen*(teamSize-1))
		return source{count: count, write: func(buf []byte, n int) []byte {
			return kinds[n%teamsOpen].write(buf, l.crowd, teamsOpen+n, key, n)
		}}, nil
	}
	s.after = func(ctx context.Context, f *figure) error {
		if err := l.exact(ctx, items, teamsOpen+f.good); err != nil {
			return err
		}
		seats, err := l.store.number(ctx, "SELECT COALESCE(SUM(live_seats), 0) FROM teams WHERE item_id = ?", items[0].id)
		if err == nil && seats != int64(teamsOpen+f.good) {
			err = fmt.Errorf("%w: %d in teams, %d seats", errInexact, teamsOpen+f.good, seats)
		}
		return err
	}
	return s
}

// openTeams opens the teams by claims of the first members.
func (l *lab) openTeams(ctx context.Context, of item, key string) ([]string, error) {
	teams := make([]string, 0, teamsOpen)
	kind := post("/v1/campaigns/"+of.campaign.String()+"/teams", of.body())
	src := oncePer(l.crowd, key, kind)
	src.count = teamsOpen
	t, err := drive(plan{addrs: l.addrs(), conns: l.conns, lasts: grace, src: src, seen: func(_, status int, body []byte) {
		if team := field(body, "team_id"); status == 201 && team != "" {
			teams = append(teams, team)
		}
	}})
	if err == nil && len(teams) != teamsOpen {
		err = fmt.Errorf("%d of %d teams opened: %s", len(teams), teamsOpen, t.codesText())
	}
	return teams, err
}

// joinBaseline is the join as a transaction of its own; in the probe's path
// the campaign stands for the team.
func (l *lab) joinBaseline(name, way string) subject {
	s := subject{name: name, says: "one transaction per join", addrs: []string{l.front.house}, pids: []int{l.front.pid()}, codes: []int{201}}
	s.source = func(context.Context, int) (source, error) {
		kinds := make([]request, teamsOpen)
		for i := range kinds {
			l.baseTeam++
			kinds[i] = post("/probe/"+way+"/"+id.Campaign(l.baseTeam).String()+"/claims", item{id: 1}.body())
		}
		return oncePer(l.crowd, fmt.Sprintf("%s%d", name, l.baseTeam), kinds...), nil
	}
	return s
}
