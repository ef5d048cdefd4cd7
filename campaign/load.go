package campaign

import (
	"maps"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

// load locks the batch's items by id ascending in one statement, then the
// kinds' own rows, and only then reads what the decisions need.
func (s *Service) load(tx *database.Tx, claims []Claim) (*batch, error) {
	b := &batch{
		now: tx.Now, next: tx.Next, kinds: s.kinds, items: map[id.Item]Item{}, strong: map[id.Member]bool{},
		campaigns: map[id.Campaign]Campaign{}, seatings: map[string]Seating{},
		holds: map[place]int{}, brought: map[place]int{},
		frozen: map[id.Program]map[id.Member]referral.Frozen{},
		before: map[keyed]Order{}, taken: map[id.Item]int64{},
	}
	itemIDs := map[id.Item]bool{}
	for _, c := range claims {
		itemIDs[c.Item] = true
	}
	if err := b.lockItems(tx, sorted(itemIDs)); err != nil {
		return nil, err
	}
	if err := s.seen.campaigns(tx, b); err != nil {
		return nil, err
	}
	if err := b.lockSeats(tx, claims); err != nil {
		return nil, err
	}
	return b, b.loadMembers(tx, claims)
}

// lockItems locks the batch's items and reads, in the same statement, when
// tokens last became untrue.
func (b *batch) lockItems(tx *database.Tx, ids []id.Item) error {
	var rows []struct {
		Item
		ChangedAt clock.Milli
	}
	err := tx.Raw(`SELECT items.*, COALESCE((SELECT changed_at FROM member_changes WHERE id = 1), 0) AS changed_at
		FROM items WHERE id IN ? ORDER BY id`+tx.Dialect.ForUpdate, ids).Scan(&rows).Error
	for _, r := range rows {
		b.items[r.ID], b.changed = r.Item, r.ChangedAt
	}
	return err
}

func (b *batch) lockSeats(tx *database.Tx, claims []Claim) error {
	byKind := map[string][]Claim{}
	for _, c := range claims {
		kind := b.campaigns[c.Campaign].Kind
		byKind[kind] = append(byKind[kind], c)
	}
	for _, name := range slices.Sorted(maps.Keys(byKind)) {
		seats := b.kinds[name].Seats
		if seats == nil {
			continue
		}
		seating, err := seats.LockTx(tx, byKind[name])
		if err != nil {
			return err
		}
		b.seatings[name] = seating
	}
	return nil
}

// tokenMargin is how much older than a token the last change of members must
// be for the token's word to stand; no transaction lasts as long.
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
		if len(c.Audience.Groups) > 0 && b.groups == nil {
			if b.groups, err = community.GroupsOf(tx.DB, members); err != nil {
				return err
			}
		}
		if c.ProgramID != 0 && b.frozen[c.ProgramID] == nil {
			if b.frozen[c.ProgramID], err = referral.FrozenIn(tx.DB, c.ProgramID, members, tx.Now); err != nil {
				return err
			}
		}
	}
	return b.loadHolds(tx, members)
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

func (b *batch) loadHolds(tx *database.Tx, members []id.Member) error {
	var limited []id.Item
	for _, item := range b.items {
		if item.PerMember > 0 {
			limited = append(limited, item.ID)
		}
	}
	if len(limited) == 0 {
		return nil
	}
	claimers := members
	if b.changed > 0 {
		merged, err := community.MergedInto(tx.DB, members)
		if err != nil {
			return err
		}
		for _, list := range merged {
			claimers = append(claimers, list...)
		}
	}
	var rows []struct {
		ItemID   id.Item
		MemberID id.Member
		Qty      int
	}
	err := tx.Raw(`SELECT item_id, member_id, SUM(qty - refunded_qty) AS qty FROM orders
		WHERE claimed_by IN ? AND item_id IN ? AND status IN ('held', 'paid') GROUP BY item_id, member_id`, claimers, limited).Scan(&rows).Error
	if err != nil {
		return err
	}
	for _, r := range rows {
		b.holds[place{r.ItemID, r.MemberID}] = r.Qty
	}
	if b.changed == 0 {
		return nil // nobody known was ever merged
	}
	rows = rows[:0]
	err = tx.Raw("SELECT item_id, member_id, qty FROM limit_merges WHERE member_id IN ? AND item_id IN ?", members, limited).Scan(&rows).Error
	for _, r := range rows {
		b.brought[place{r.ItemID, r.MemberID}] = r.Qty
	}
	return err
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
