package guard

import (
	"fmt"
	"slices"
	"time"

	"siyu/community"
	"siyu/community/health"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// loaded is what the reads of a question found.
type loaded struct {
	groups   map[id.Group]community.Group
	charters map[id.Group]community.Charter
	guards   map[id.Group]groupGuard
	ads      []adRow
	silences []hush
	permits  []permitRow
	health   map[id.Group]health.Standing
	intakes  map[id.Group]community.Intake
	ruling   ruling
}

// adRow is when a slot of a group counts.
type adRow struct {
	group       id.Group
	campaign    id.Campaign
	first, last clock.Milli
}

// reads are groups, charters, policies and slots, each in one statement, so
// that a reservation sends them together.
func (ask question) reads(into *loaded) []database.Read {
	n := len(ask.groups)
	*into = loaded{make(map[id.Group]community.Group, n), make(map[id.Group]community.Charter, n), make(map[id.Group]groupGuard, n), make([]adRow, 0, 4*n), nil, nil, map[id.Group]health.Standing{}, map[id.Group]community.Intake{}, ruling{}}
	reads := []database.Read{
		community.GroupRows(ask.keys(), func(g community.Group) { into.groups[g.ID] = g }),
		community.CharterRows(ask.keys(), max(ask.now, ask.window.From), func(c community.Charter) { into.charters[c.GroupID] = c }),
		ask.silencesRead(into), policiesRead(ask.keys(), &into.ruling),
		health.StandingRows(ask.keys(), func(s health.Standing) { into.health[s.GroupID] = s }),
	}
	if ask.window == (Window{}) {
		return reads
	}
	if !ask.settled {
		reads = append(reads, ask.intakeRead(ask.groups, into))
	}
	// Two indexes begin with the group, and looking how many rows each would
	// give costs MariaDB more than to read them.
	counts, args := ask.counted(ask.groups, ask.dialect.ByIndex("slots_counted"))
	return append(reads, ask.permitsRead(into), database.Read{
		SQL:  "SELECT group_id, campaign_id, first_at, last_at" + counts + " AND last_at >= ? AND first_at <= ?",
		Args: append(args, ask.window.From.Add(-reach), ask.window.To.Add(reach)),
		Row: func(rows database.Row) error {
			var r adRow
			err := rows.Scan(&r.group, &r.campaign, &r.first, &r.last)
			into.ads = append(into.ads, r)
			return err
		},
	}, community.PastAdRows(ask.groups, ask.window.From.Add(-reach), ask.window.To.Add(reach), func(p community.PastAd) {
		for range min(p.N, pastMost) {
			into.ads = append(into.ads, adRow{group: p.GroupID, first: p.At, last: p.At})
		}
	}))
}

// pastMost is how many ads of one past moment are counted: no cap is as high.
const pastMost = 100

// counted are the slots of the groups that count. What is not left out is not
// in the condition, where it would make the engine weigh one index more.
func (ask question) counted(groups []id.Group, byIndex string) (from string, args []any) {
	from, args = " FROM slots"+byIndex+" WHERE group_id IN ? AND released_at = 0", []any{groups}
	if ask.except != 0 {
		from, args = from+" AND promotion_id <> ?", append(args, ask.except)
	}
	if ask.slot != 0 {
		from, args = from+" AND id <> ?", append(args, ask.slot)
	}
	return from, args
}

// guardsRead reads the groups' own rows; lock ends the statement.
func guardsRead(groups database.Keys[id.Group], lock string, into *loaded) database.Read {
	return database.Read{
		SQL: "SELECT " + guardColumns + " FROM group_guards WHERE " + groups.Of("group_id") + " ORDER BY group_id" + lock,
		Row: func(rows database.Row) error {
			var g groupGuard
			err := rows.Scan(&g.GroupID, &g.Preset, &g.Mode, &g.WarmUpDays, &g.GapHours, &g.AdsPerDay, &g.AdsPerWeek, &g.AdsPerMonth,
				&g.QuietFrom, &g.QuietTo, &g.ObserveUntil, &g.LastSeq, &g.Version, &g.CreatedAt, &g.Rules, &g.HeldVersion)
			into.guards[g.GroupID] = g
			return err
		},
	}
}

// load answers the question. Groups without a row of their own get the one
// they would begin with.
func (s *Service) load(q *database.Query, ask question) (map[id.Group]*known, error) {
	ask.platform, ask.dialect = s.Platform, s.DB.Dialect
	var err error
	if ask.moments, ask.momentsKnown, err = s.moments(q, ask.window); err != nil {
		return nil, err
	}
	var found loaded
	for _, r := range append(ask.reads(&found), guardsRead(ask.keys(), "", &found)) {
		if err := r.On(q); err != nil {
			return nil, fmt.Errorf("guard: load: %w", err)
		}
	}
	return ask.assemble(q, &found)
}

// assemble puts what was found together, group by group.
func (ask question) assemble(q *database.Query, found *loaded) (map[id.Group]*known, error) {
	all := make([]known, len(ask.groups))
	out := make(map[id.Group]*known, len(ask.groups))
	zones, near := map[string]*time.Location{}, nearby{all: ask.moments}
	for i, g := range ask.groups {
		group, k := found.groups[g], &all[i]
		var err error
		if k.state, err = stateOf(group, found.charters[g], zones); err != nil {
			return nil, err
		}
		var own bool
		if k.guard, own = found.guards[g]; !own {
			k.guard = newGuard(group, ask.now)
			k.guard.ObserveUntil = 0 // its days are counted from when the row is made, with the first ad
		}
		k.laws = laws{found.ruling.house, found.ruling.units[group.UnitID], k.guard, found.ruling.groups[g], Preset(group.Preset)}
		k.policy, _ = k.laws.at(max(ask.now, ask.window.From))
		if s, judged := found.health[g]; judged {
			k.state.Condition = conditionOf(s, k.state.Zone)
		}
		k.state.Platform, k.state.MomentsKnown = ask.platform, ask.momentsKnown
		days := near.of(group.UnitID, k.state.Zone)
		k.state.Moments, k.state.Mourning = days.key, days.avoid
		if in, some := found.intakes[g]; some {
			k.state.Intake = intakeOf(in)
		}
		for _, h := range found.silences {
			if h.of(group.UnitID, g, ask.campaign) {
				k.state.Silences = append(k.state.Silences, h.during)
			}
		}
		k.group, out[g] = group, k
	}
	for _, r := range found.ads {
		state := &out[r.group].state
		state.Ads.Add(r.first, r.last)
		if ask.campaign != 0 && r.campaign != 0 && r.campaign != ask.campaign {
			state.Others.Add(r.first, r.last)
		}
	}
	if ask.window == (Window{}) {
		return out, nil
	}
	if err := ask.permits(q, found, out); err != nil {
		return nil, err
	}
	if ask.settled {
		if err := ask.intakes(q, found, out); err != nil {
			return nil, err
		}
	}
	return out, ask.lives(q, out)
}

// lives counts all slots of the groups that have a cap for life.
func (ask question) lives(q *database.Query, into map[id.Group]*known) error {
	var limited []id.Group
	for g, k := range into {
		if k.policy.Life != Unlimited {
			limited = append(limited, g)
		}
	}
	if len(limited) == 0 {
		return nil
	}
	slices.Sort(limited)
	for part := range slices.Chunk(limited, chunk) {
		var lives []struct {
			GroupID id.Group
			N       int
		}
		counts, args := ask.counted(part, "")
		if err := q.Raw("SELECT group_id, COUNT(*) AS n"+counts+" GROUP BY group_id", args...).Scan(&lives).Error; err != nil {
			return fmt.Errorf("guard: slots: %w", err)
		}
		for _, l := range lives {
			into[l.GroupID].state.Life = l.N
		}
		err := community.PastAdRows(part, 0, ask.window.To, func(p community.PastAd) { into[p.GroupID].state.Life += p.N }).On(q)
		if err != nil {
			return err
		}
	}
	return nil
}
