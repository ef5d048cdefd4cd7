package campaign

import (
	"maps"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// ask is which facts the audiences of a batch need beside the members' groups.
// The zero one needs none and sends nothing.
type ask struct {
	standings, seen, blocks bool
	units                   map[id.Unit]bool
	tags                    map[id.Tag]bool
	bought                  int // days back; 0 is not asked
}

// add adds what the audience needs.
func (k *ask) add(a Audience) {
	if !a.asksMore() {
		return
	}
	if k.tags == nil {
		k.tags, k.units = map[id.Tag]bool{}, map[id.Unit]bool{}
	}
	for _, list := range [][]id.Tag{a.TagsAny, a.TagsAll, a.ExcludeTags} {
		for _, t := range list {
			k.tags[t] = true
		}
	}
	for _, e := range a.Early {
		for _, t := range e.Tags {
			k.tags[t] = true
		}
	}
	for _, u := range a.Units {
		k.units[u] = true
	}
	k.standings = k.standings || len(a.Roles)+len(a.Units) > 0
	k.seen = k.seen || a.NewSince != 0
	k.blocks = k.blocks || a.Blocklist
	if a.Bought != nil {
		k.bought = max(k.bought, a.Bought.Days)
	}
}

func (k ask) empty() bool {
	return !k.standings && !k.seen && !k.blocks && k.bought == 0 && len(k.tags) == 0
}

// covers says whether what was read answers the other too.
func (k ask) covers(other ask) bool {
	return (k.standings || !other.standings) && (k.seen || !other.seen) && (k.blocks || !other.blocks) && k.bought >= other.bought &&
		within(slices.Collect(maps.Keys(other.tags)), slices.Collect(maps.Keys(k.tags))) &&
		within(slices.Collect(maps.Keys(other.units)), slices.Collect(maps.Keys(k.units)))
}

// reads are the statements that answer it, into the facts by member.
func (k ask) reads(members []id.Member, now clock.Milli, into map[id.Member]*Facts) []database.Read {
	of := func(m id.Member) *Facts {
		if into[m] == nil {
			into[m] = &Facts{}
		}
		return into[m]
	}
	var reads []database.Read
	if len(k.tags) > 0 {
		reads = append(reads, community.TagsRead(members, func(m id.Member, t id.Tag) { of(m).Tags = append(of(m).Tags, t) }))
	}
	below := map[id.Unit][]id.Unit{}
	if len(k.units) > 0 {
		reads = append(reads, community.UnitsBelowRead(sorted(k.units), func(top, part id.Unit) { below[part] = append(below[part], top) }))
	}
	if k.standings {
		reads = append(reads, community.StandingsRead(members, func(m id.Member, s community.Standing) {
			f := of(m)
			f.Standings = append(f.Standings, s)
			f.Units = append(f.Units, below[s.Unit]...)
		}))
	}
	if k.seen {
		reads = append(reads, community.SeenRead(members, func(m id.Member, first clock.Milli, paid bool) {
			of(m).FirstSeen, of(m).Paid = first, paid
		}))
	}
	if k.blocks {
		reads = append(reads, community.BlocksRead(members, now, func(m id.Member, _ clock.Milli) { of(m).Blocked = true }))
	}
	if k.bought > 0 {
		reads = append(reads, boughtRead(members, now.Add(-days(k.bought)), func(m id.Member, p Purchase) { of(m).Bought = append(of(m).Bought, p) }))
	}
	return reads
}

// boughtRead begins at the facts of the members, which a merge moves, and not
// at orders, which keep who claimed them.
func boughtRead(members []id.Member, since clock.Milli, row func(id.Member, Purchase)) database.Read {
	return database.Read{
		SQL: `SELECT f.member_id, o.campaign_id, f.at, COALESCE((SELECT p.sku FROM items i JOIN products p ON p.id = i.product_id WHERE i.id = o.item_id), '')
			FROM member_facts f JOIN orders o ON o.id = f.ref
			WHERE f.member_id IN ? AND f.kind = 'order_paid' AND f.at >= ? AND o.status = 'paid'`,
		Args: []any{members, since},
		Row: func(rows database.Row) error {
			var m id.Member
			var p Purchase
			if err := rows.Scan(&m, &p.Campaign, &p.At, &p.SKU); err != nil {
				return err
			}
			row(m, p)
			return nil
		},
	}
}

// loadFacts reads what the audiences of the batch need, unless it came along
// with the locks: when a campaign was not remembered, or a member turned out
// to be merged into another.
func (b *batch) loadFacts(tx *database.Tx, members []id.Member) error {
	var need ask
	for _, c := range b.campaigns {
		need.add(c.Audience)
	}
	moved := false
	for m, into := range b.merged {
		moved = moved || m != into
	}
	if need.empty() || b.asks.covers(need) && !moved {
		return nil
	}
	b.facts = map[id.Member]*Facts{}
	return tx.Queries(need.reads(members, b.now, b.facts)...)
}
