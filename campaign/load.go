package campaign

import (
	"maps"
	"slices"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

// load locks the batch's items by id ascending in one statement, then the
// kinds' own rows, and only then reads what the decisions need.
func (s *Service) load(tx *database.Tx, claims []Claim) (*batch, error) {
	b := &batch{
		now: tx.Now, next: tx.Next, kinds: s.kinds,
		campaigns: map[id.Campaign]Campaign{}, seatings: map[string]Seating{},
		holds: map[place]int{}, brought: map[place]int{},
		frozen: map[id.Program]map[id.Member]referral.Frozen{},
		before: map[keyed]Order{}, taken: map[id.Item]int64{},
	}
	itemIDs := map[id.Item]bool{}
	memberIDs := map[id.Member]bool{}
	for _, c := range claims {
		itemIDs[c.Item] = true
		memberIDs[c.Member] = true
	}
	var err error
	if b.items, err = lockItems(tx, slices.Sorted(maps.Keys(itemIDs))); err != nil {
		return nil, err
	}
	if err := b.loadCampaigns(tx); err != nil {
		return nil, err
	}
	if err := b.lockSeats(tx, claims); err != nil {
		return nil, err
	}
	if err := b.loadMembers(tx, slices.Sorted(maps.Keys(memberIDs))); err != nil {
		return nil, err
	}
	return b, b.loadKeys(tx, claims)
}

func (b *batch) loadCampaigns(tx *database.Tx) error {
	ids := map[id.Campaign]bool{}
	for _, item := range b.items {
		ids[item.CampaignID] = true
	}
	var rows []Campaign
	if err := tx.Raw("SELECT * FROM campaigns WHERE id IN ?", slices.Sorted(maps.Keys(ids))).Scan(&rows).Error; err != nil {
		return err
	}
	for _, c := range rows {
		if err := c.unpack(); err != nil {
			return err
		}
		b.campaigns[c.ID] = c
	}
	return nil
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

// loadMembers reads who the members are now, what they hold, and the live
// bindings to be frozen on their orders.
func (b *batch) loadMembers(tx *database.Tx, asked []id.Member) (err error) {
	if b.merged, err = community.FollowMerges(tx.DB, asked); err != nil {
		return err
	}
	members := make([]id.Member, 0, len(asked))
	for _, m := range asked {
		if into := b.merged[m]; into != 0 {
			m = into
		}
		members = append(members, m)
	}
	if b.strong, err = community.StrongIn(tx.DB, members); err != nil {
		return err
	}
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
	var rows []struct {
		ItemID   id.Item
		MemberID id.Member
		Qty      int
	}
	err := tx.Raw(`SELECT item_id, member_id, SUM(qty - refunded_qty) AS qty FROM orders
		WHERE member_id IN ? AND item_id IN ? AND status IN ('held', 'paid') GROUP BY item_id, member_id`, members, limited).Scan(&rows).Error
	if err != nil {
		return err
	}
	for _, r := range rows {
		b.holds[place{r.ItemID, r.MemberID}] = r.Qty
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
		pairs = append(pairs, []any{c.Principal, c.Key})
	}
	var rows []Order
	if err := tx.Raw("SELECT * FROM orders WHERE (principal, idem_key) IN ?", pairs).Scan(&rows).Error; err != nil {
		return err
	}
	for _, o := range rows {
		b.before[keyed{o.Principal, o.IdemKey}] = o
	}
	return nil
}
