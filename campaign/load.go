package campaign

import (
	"maps"
	"slices"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

// load locks the batch's items by id ascending in one statement, then the
// kinds' own rows, and only then reads what the decisions need.
func (s *Service) load(tx *database.Tx, claims []Claim, how manner) (*batch, error) {
	b := &batch{
		now: tx.Now, next: tx.Next, kinds: s.kinds, unheard: s.unheard.Load(), items: map[id.Item]Item{}, asked: map[id.Group]bool{}, strong: map[id.Member]bool{},
		campaigns: map[id.Campaign]Campaign{}, seatings: map[string]Seating{},
		holds: map[place]int{}, sits: map[sitting]bool{}, brought: map[place]int{},
		frozen: map[id.Program]map[id.Member]referral.Frozen{},
		before: map[keyed]Order{}, taken: map[id.Item]int64{}, joined: map[id.Item]int64{},
	}
	itemIDs, memberIDs := map[id.Item]bool{}, map[id.Member]bool{}
	for _, c := range claims {
		itemIDs[c.Item] = true
		memberIDs[c.Member] = true
	}
	var sure map[id.Item]int64
	asked := memberIDs
	if !how.patient {
		if some, n := s.shelves.mayHold(claims, time.Now()); n != nil {
			asked, sure = some, n
		}
	}
	items, members := sorted(itemIDs), sorted(memberIDs)
	var audience []id.Group
	audience, b.asks = s.seen.audiences(claims)
	locks, seated := b.seat(tx, claims, s.seen.kind)
	if err := b.lockAndRead(tx, items, members, sorted(asked), audience, locks, how); err != nil {
		return nil, err
	}
	for item, grants := range sure {
		if b.items[item].Grants != grants { // another replica granted meanwhile
			clear(b.holds)
			clear(b.sits)
			if err := tx.Queries(b.holdsOf(items, members)); err != nil {
				return nil, err
			}
			break
		}
	}
	if err := s.seen.campaigns(tx, b); err != nil {
		return nil, err
	}
	if !seated {
		locks, _ = b.seat(tx, claims, func(c id.Campaign) (string, bool) { return b.campaigns[c].Kind, true })
		if err := tx.Queries(locks...); err != nil {
			return nil, err
		}
	}
	return b, b.loadMembers(tx, claims)
}

// lockAndRead locks the batch's items by id ascending in one statement, then
// the kinds' own rows. In the same message it reads when a member was last
// merged or erased, what the holders hold (merges are looked at later), and
// which of the audience's groups the members are in.
func (b *batch) lockAndRead(tx *database.Tx, items []id.Item, members, holders []id.Member, audience []id.Group, seats []database.Read, how manner) error {
	wait := tx.Dialect.LockSoon
	if how.patient {
		wait = ""
	}
	reads := []database.Read{
		{SQL: wait + itemsLocked + tx.Dialect.ForUpdate, Args: []any{items}, Row: b.item},
	}
	reads = append(reads, seats...)
	if len(holders) > 0 {
		reads = append(reads, b.holdsOf(items, holders))
	}
	if !b.asks.empty() {
		b.facts = map[id.Member]*Facts{}
		reads = append(reads, b.asks.reads(members, tx.Now, b.facts)...)
	}
	if len(audience) == 0 {
		return tx.Queries(reads...)
	}
	b.groups = map[id.Member][]id.Group{}
	dissolved := map[id.Group]bool{}
	reads = append(reads,
		community.DissolvedRead(audience, func(g id.Group) { dissolved[g] = true }),
		community.GroupsRead(members, func(m id.Member, g id.Group) {
			if !dissolved[g] {
				b.groups[m] = append(b.groups[m], g)
			}
		}))
	for _, g := range audience {
		b.asked[g] = true
	}
	return tx.Queries(reads...)
}

const itemColumns = "id, campaign_id, product_id, name, price, stock, left_qty, held_qty, sold_qty, per_member, per_order, sort_no, version, epoch, grants, freed, waiting, session_stock, session_at, session_taken"

const itemsLocked = "SELECT " + itemColumns + `, COALESCE((SELECT changed_at FROM member_changes WHERE id = 1), 0)
	FROM items WHERE id IN ? ORDER BY id`

func (b *batch) item(rows database.Row) error {
	var i Item
	err := rows.Scan(&i.ID, &i.CampaignID, &i.ProductID, &i.Name, &i.Price, &i.Stock, &i.Left, &i.Held, &i.Sold,
		&i.PerMember, &i.PerOrder, &i.SortNo, &i.Version, &i.Epoch, &i.Grants, &i.Freed, &i.Waiting,
		&i.SessionStock, &i.SessionAt, &i.SessionTaken, &b.changed)
	b.items[i.ID] = i
	return err
}

// holdsOf reads the pieces, and the teams, that orders claimed by these members
// hold.
func (b *batch) holdsOf(items []id.Item, claimers []id.Member) database.Read {
	return database.Read{
		SQL: `SELECT item_id, member_id, team_id, SUM(qty - refunded_qty) FROM orders
			WHERE claimed_by IN ? AND item_id IN ? AND status IN ('held', 'paid') GROUP BY item_id, member_id, team_id`,
		Args: []any{claimers, items},
		Row: func(rows database.Row) error {
			var at place
			var team id.Team
			var qty int
			err := rows.Scan(&at.item, &at.member, &team, &qty)
			b.holds[at] += qty
			b.sits[sitting{team, at.member}] = true
			return err
		},
	}
}

// seat begins the seatings of the kinds that have seats. Claims of campaigns
// that are not remembered wait until these were read.
func (b *batch) seat(tx *database.Tx, claims []Claim, kindOf func(id.Campaign) (kind string, known bool)) (locks []database.Read, known bool) {
	byKind := map[string][]Claim{}
	for _, c := range claims {
		kind, known := kindOf(c.Campaign)
		if !known {
			return nil, false
		}
		if b.kinds[kind].Seats != nil {
			byKind[kind] = append(byKind[kind], c)
		}
	}
	for _, kind := range sorted(byKind) {
		seating, reads := b.kinds[kind].Seats.Sit(tx, byKind[kind])
		b.seatings[kind] = seating
		locks = append(locks, reads...)
	}
	return locks, true
}

// tokenMargin is how much older than a token the last merge or erasure must be
// for the token to be believed without a look at its member; no transaction
// lasts as long.
const tokenMargin = clock.Milli(60_000)

// loadMembers reads who the members are now, what they hold, and the live
// bindings to be frozen on their orders. Whoever comes with a token issued
// after the last merge or erasure is who it says, and known, without a read.
func (b *batch) loadMembers(tx *database.Tx, claims []Claim) (err error) {
	asked, unsure := map[id.Member]bool{}, map[id.Member]bool{}
	for _, c := range claims {
		asked[c.Member] = true
		if c.Since == 0 || c.Since <= b.changed+tokenMargin {
			unsure[c.Member] = true
		} else {
			b.strong[c.Member] = true
		}
	}
	if len(unsure) > 0 {
		if err := b.lookUp(tx, sorted(unsure)); err != nil {
			return err
		}
	}
	members := make([]id.Member, 0, len(asked))
	for m := range asked {
		if into := b.merged[m]; into != 0 {
			m = into
		}
		members = append(members, m)
	}
	slices.Sort(members)
	for _, c := range b.campaigns {
		if !b.knowsAudience(c.Audience) {
			if b.groups, err = community.GroupsOf(tx.DB, members); err != nil {
				return err
			}
			b.asked = nil
		}
		if c.ProgramID != 0 && b.frozen[c.ProgramID] == nil {
			if b.frozen[c.ProgramID], err = referral.FrozenIn(tx.DB, c.ProgramID, members, tx.Now); err != nil {
				return err
			}
		}
	}
	if err := b.loadFacts(tx, members); err != nil {
		return err
	}
	return b.mergedHolds(tx, members)
}

// knowsAudience says whether the members' groups were read with these in view
// (dissolved ones left out), and nobody was ever merged, so that the members
// asked for are the members meant.
func (b *batch) knowsAudience(a Audience) bool {
	groups := a.allGroups()
	if len(groups) == 0 || b.groups != nil && b.asked == nil {
		return true
	}
	if b.changed > 0 || len(b.merged) > 0 {
		return false
	}
	for _, g := range groups {
		if !b.asked[g] {
			return false
		}
	}
	return true
}

// lookUp reads whether the members were merged and are known.
func (b *batch) lookUp(tx *database.Tx, members []id.Member) (err error) {
	if b.merged, err = community.FollowMerges(tx.DB, members); err != nil {
		return err
	}
	live := make([]id.Member, 0, len(members))
	for _, m := range members {
		if into := b.merged[m]; into != 0 {
			m = into
		}
		live = append(live, m)
	}
	known, err := community.StrongIn(tx.DB, live)
	maps.Copy(b.strong, known)
	return err
}

// anyMerged says that one of the members is somebody else today. The moment of
// the last change is as old as the statement that waited for the items' locks,
// so the first merge of all may have come between.
func (b *batch) anyMerged() bool {
	for m, into := range b.merged {
		if m != into {
			return true
		}
	}
	return false
}

// mergedHolds reads again what the members hold, once anybody was ever merged:
// with the orders claimed by whoever became them, before the merge or after it,
// and the pieces that a merge brought in beyond the limit.
func (b *batch) mergedHolds(tx *database.Tx, members []id.Member) error {
	if b.changed == 0 && !b.anyMerged() {
		return nil
	}
	merged, err := community.MergedInto(tx.DB, members)
	if err != nil {
		return err
	}
	claimers := slices.Clone(members)
	for _, list := range merged {
		claimers = append(claimers, list...)
	}
	items := sorted(b.items)
	clear(b.holds)
	clear(b.sits)
	return tx.Queries(b.holdsOf(items, claimers), database.Read{
		SQL: "SELECT item_id, member_id, qty FROM limit_merges WHERE member_id IN ? AND item_id IN ?", Args: []any{members, items},
		Row: func(rows database.Row) error {
			var at place
			var qty int
			err := rows.Scan(&at.item, &at.member, &qty)
			b.brought[at] = qty
			return err
		},
	})
}

// loadKeys finds the orders these keys were granted before.
func (b *batch) loadKeys(tx *database.Tx, claims []Claim) error {
	pairs := make([][]any, 0, len(claims))
	for _, c := range claims {
		pairs = append(pairs, []any{c.By, c.Key})
	}
	var rows []Order
	if err := tx.Raw("SELECT * FROM orders WHERE (claimed_by, idem_key) IN ?", pairs).Scan(&rows).Error; err != nil {
		return err
	}
	for _, o := range rows {
		b.before[keyed{o.ClaimedBy, o.IdemKey}] = o
	}
	return nil
}
