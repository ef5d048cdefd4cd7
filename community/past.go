package community

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// PastAd is what was sent into a group at one moment before Siyu knew the
// group: N ads. The guard counts them like its own.
type PastAd struct {
	GroupID id.Group    `gorm:"column:group_id"`
	At      clock.Milli `gorm:"column:at"`
	N       int         `gorm:"column:qty"`
}

// TableName is the table's.
func (PastAd) TableName() string { return "past_ads" }

// ErrPastAd refuses an ad of the time since Siyu knows the group: those are
// slots, and would count twice.
var ErrPastAd = fault.New(fault.KindUnprocessable, "community.past_ad",
	"这条推广发出时群已由 Siyu 管理；请用「手工推广」补记（POST /v1/groups/ID/ads）",
	"Siyu knew the group by then; record the ad as posted by hand (POST /v1/groups/ID/ads)")

// PutPastAdsTx writes past ads, a result for each in order; the same moment
// again replaces how many there were. The groups are ones the actor may see.
func PutPastAdsTx(tx *database.Tx, ads []PastAd) ([]RowResult, error) {
	type key struct {
		group id.Group
		at    clock.Milli
	}
	groups, moments := make([]id.Group, len(ads)), make([]clock.Milli, len(ads))
	for i, a := range ads {
		groups[i], moments[i] = a.GroupID, a.At
	}
	slices.Sort(groups)
	slices.Sort(moments)
	var rows []PastAd
	err := tx.Raw("SELECT group_id, at, qty FROM past_ads WHERE group_id IN ? AND at IN ?", slices.Compact(groups), slices.Compact(moments)).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("community: past ads: %w", err)
	}
	stand := map[key]int{}
	for _, r := range rows {
		stand[key{r.GroupID, r.At}] = r.N
	}
	out := make([]RowResult, len(ads))
	fresh := map[key]int{}
	for i, a := range ads {
		k := key{a.GroupID, a.At}
		n, had := stand[k]
		stand[k] = a.N
		out[i] = RowUpdated
		_, new := fresh[k]
		switch {
		case !had:
			out[i] = RowCreated
			fresh[k] = a.N
		case new:
			fresh[k] = a.N
		case n != a.N:
			if err := tx.Exec("UPDATE past_ads SET qty = ? WHERE group_id = ? AND at = ?", a.N, a.GroupID, a.At).Error; err != nil {
				return nil, fmt.Errorf("community: past ads: %w", err)
			}
		}
	}
	list := make([]any, 0, len(fresh))
	for k, n := range fresh {
		list = append(list, []any{k.group, k.at, n})
	}
	if len(list) == 0 {
		return out, nil
	}
	err = tx.Exec("INSERT INTO past_ads (group_id, at, qty) VALUES "+strings.Repeat("?,", len(list)-1)+"?", list...).Error
	return out, raced(err)
}

// PastAdRows reads the past ads of groups in a span of time, both ends
// included.
func PastAdRows(groups []id.Group, from, to clock.Milli, row func(PastAd)) database.Read {
	return database.Read{
		SQL: "SELECT group_id, at, qty FROM past_ads WHERE group_id IN ? AND at >= ? AND at <= ?", Args: []any{groups, from, to},
		Row: func(rows database.Row) error {
			var p PastAd
			err := rows.Scan(&p.GroupID, &p.At, &p.N)
			row(p)
			return err
		},
	}
}

// GroupsNamed finds the groups the actor may see by what a file calls them: an
// external id, a public id, or a name that only one of them has.
func GroupsNamed(ctx context.Context, q *database.Query, names []string) (map[string]Group, error) {
	out := make(map[string]Group, len(names))
	ids := map[id.Group]string{}
	for _, n := range names {
		var g id.Group
		if g.UnmarshalText([]byte(n)) == nil {
			ids[g] = n
		}
	}
	actor := database.ActorOf(ctx)
	within, units := actor.Within("unit_id")
	ask := func(cond string, args ...any) ([]Group, error) {
		var rows []Group
		err := q.Raw("SELECT "+groupColumns+" FROM chat_groups WHERE "+cond+within+" ORDER BY id", append(args, units...)...).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("community: groups by name: %w", err)
		}
		return slices.DeleteFunc(rows, func(g Group) bool { return !g.SeenBy(actor) }), nil
	}
	byExternal, err := ask("external_id IN ?", names)
	var byID, byName []Group
	if list := slices.Sorted(maps.Keys(ids)); err == nil && len(list) > 0 {
		byID, err = ask("id IN ?", list)
	}
	if err != nil {
		return nil, err
	}
	for _, g := range byExternal {
		out[g.ExternalID] = g
	}
	for _, g := range byID {
		out[ids[g.ID]] = g
	}
	rest := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return out[n].ID != 0 })
	if len(rest) == 0 {
		return out, nil
	}
	if byName, err = ask("name IN ?", rest); err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, g := range byName {
		count[g.Name]++
		out[g.Name] = g
	}
	for name, n := range count {
		if n > 1 {
			delete(out, name)
		}
	}
	return out, nil
}
