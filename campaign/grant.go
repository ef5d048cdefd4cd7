package campaign

import (
	"slices"
	"strings"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/referral"
)

// grant is the one function that takes stock. It locks the items of the batch
// before any read, decides in arrival order in memory, and writes all orders
// in one statement and all counters in another. An error rolls the whole
// batch back; a refusal is part of the answer.
func (s *Service) grant(tx *database.Tx, claims []Claim, how manner) (*batch, []Outcome, error) {
	b, err := s.load(tx, claims, how)
	if err != nil {
		return nil, nil, err
	}
	if how.keysFirst {
		if err := b.loadKeys(tx, claims); err != nil {
			return nil, nil, err
		}
	}
	out := make([]Outcome, len(claims))
	for i := range claims {
		out[i] = b.decide(&claims[i])
	}
	if !how.keysFirst {
		if err := b.replay(tx, claims, out); err != nil {
			return nil, nil, err
		}
	}
	return b, out, b.write(tx)
}

// manner is how a batch is granted. By default it waits for its items only as
// long as a batch should, and looks up only the keys of the claims it refuses,
// leaving the others to the unique index.
type manner struct {
	keysFirst bool // all keys are looked up before deciding
	patient   bool // locks are waited for as long as any transaction waits
}

// replay turns refusals whose key was granted before into that order.
func (b *batch) replay(tx *database.Tx, claims []Claim, out []Outcome) error {
	var refused []Claim
	for i, o := range out {
		if o.Refusal != nil && claims[i].revive == nil {
			refused = append(refused, claims[i])
		}
	}
	if len(refused) == 0 {
		return nil
	}
	if err := b.loadKeys(tx, refused); err != nil {
		return err
	}
	for i, o := range out {
		if o.Refusal != nil && claims[i].revive == nil {
			if again, ok := b.known(claims[i]); ok {
				out[i] = again
			}
		}
	}
	return nil
}

// place is a member at an item, where limits apply.
type place struct {
	item   id.Item
	member id.Member
}

// sitting is a member in a team.
type sitting struct {
	team   id.Team
	member id.Member
}

// keyed is an idempotency key as orders carry it.
type keyed struct {
	by  id.Member
	key string
}

// batch is everything one transaction decides on, read under the item locks.
type batch struct {
	now       clock.Milli
	next      func() int64
	items     map[id.Item]Item
	changed   clock.Milli // when a token last stopped telling the truth
	campaigns map[id.Campaign]Campaign
	kinds     map[string]Kind
	seatings  map[string]Seating
	merged    map[id.Member]id.Member
	strong    map[id.Member]bool
	groups    map[id.Member][]id.Group
	asks      ask                  // what else of audiences was read along with the locks
	facts     map[id.Member]*Facts // and what was found
	asked     map[id.Group]bool    // groups read along with the locks; nil once all were read
	holds     map[place]int        // pieces the member holds, granted ones included
	sits      map[sitting]bool     // teams the members have live orders in
	brought   map[place]int        // pieces a recorded merge brought in
	frozen    map[id.Program]map[id.Member]referral.Frozen
	before    map[keyed]Order // orders these keys were granted earlier, or in this batch

	unheard bool // no webhook wants to hear what claims do
	granted []Order
	revived []Order
	taken   map[id.Item]int64
	joined  map[id.Item]int64 // of these, by orders made now
}

// decide grants or refuses one claim in memory.
func (b *batch) decide(c *Claim) Outcome {
	if again, ok := b.known(*c); ok && c.revive == nil {
		return again
	}
	item, camp := b.items[c.Item], b.campaigns[c.Campaign]
	item.TeamPrices = camp.offers[item.ID]
	if m := b.merged[c.Member]; m != 0 {
		c.Member = m
	}
	if err := b.admits(camp, item, *c); err != nil {
		return Outcome{Refusal: err}
	}
	at := place{item.ID, c.Member}
	if err := b.within(item, *c); err != nil {
		return Outcome{Refusal: err}
	}
	free := item.Free()
	if c.fromLine {
		free = item.Left
	}
	if free-b.taken[item.ID] < int64(c.Qty) {
		return Outcome{Refusal: ErrSoldOut}
	}
	if !c.fromLine {
		if err := item.sessionRoom(&camp, b.now, b.joined[item.ID], c.Qty); err != nil {
			return Outcome{Refusal: err}
		}
	}
	seat := Seat{Price: item.Price}
	if seating := b.seatings[camp.Kind]; seating != nil {
		var err error
		c.Sits = b.sits[sitting{c.Team, c.Member}]
		if seat, err = seating.Fit(*c, camp, item); err != nil {
			return Outcome{Refusal: err}
		}
	}
	b.taken[item.ID] += int64(c.Qty)
	b.holds[at] += c.Qty
	b.sits[sitting{seat.Team, c.Member}] = true
	o := b.order(*c, camp, item, seat)
	b.join(&camp, item, o)
	b.before[keyed{c.By, c.Key}] = o
	if c.revive != nil {
		b.revived = append(b.revived, o)
	} else {
		b.granted = append(b.granted, o)
	}
	return Outcome{Order: o}
}

// within refuses pieces beyond the member's limit.
func (b *batch) within(item Item, c Claim) error {
	at := place{item.ID, c.Member}
	if limit := item.PerMember; limit > 0 && b.holds[at]+c.Qty > limit+b.brought[at] {
		return ErrLimit.With("limit", limit)
	}
	return nil
}

// known is the answer to a claim whose key is known.
func (b *batch) known(c Claim) (Outcome, bool) {
	o, ok := b.before[keyed{c.By, c.Key}]
	if !ok {
		return Outcome{}, false
	}
	if o.InputHash != c.Hash {
		return Outcome{Refusal: database.ErrKeyReused}, true
	}
	return Outcome{Order: o, Replayed: true}, true
}

// admits checks all that is neither stock, limit nor seat.
func (b *batch) admits(camp Campaign, item Item, c Claim) error {
	if item.ID == 0 || camp.ID == 0 || item.CampaignID != camp.ID {
		return fault.NotFound
	}
	if err := open(b.kinds[camp.Kind], &camp, &item, &c, b.now); err != nil {
		return err
	}
	if item.PerMember > 0 && !b.strong[c.Member] {
		return ErrIdentity.With("login_url", camp.LoginURL)
	}
	return b.lets(&camp, c.Member)
}

// open checks what is the same for everybody: whether the item can be claimed
// now, in this quantity and in this way. Between the first early entry and the
// start it says yes; the batch then asks whether this member may enter early.
func open(kind Kind, camp *Campaign, item *Item, c *Claim, now clock.Milli) error {
	phase := camp.stage(now)
	switch {
	case !kind.Claimable:
		return ErrNotForClaim
	case phase == StatusDraft:
		return fault.NotFound
	case phase == StatusScheduled:
		return ErrNotStarted.With("starts_at", camp.StartsAt)
	case phase != StatusRunning:
		return ErrNotRunning.With("state", phase)
	}
	// Before the start there are no sessions, only early entries, and the line
	// is served between sessions too.
	if err := camp.inSession(now); err != nil && !c.fromLine && now >= camp.StartsAt {
		return err
	}
	switch {
	case c.Qty < 1 || c.Qty > item.PerOrder:
		return ErrQty.With("max", item.PerOrder)
	case kind.Seats == nil && (c.OpenTeam || c.Team != 0):
		return ErrNoTeams
	case kind.Seats != nil && c.OpenTeam == (c.Team != 0):
		return ErrTeamAsk
	}
	return nil
}

// order is the row a granted claim becomes, or the let-go order it revives.
func (b *batch) order(c Claim, camp Campaign, item Item, seat Seat) Order {
	deadline := b.now + clock.Milli(camp.PayWithinS)*1000
	if c.fromLine {
		deadline = b.now + clock.Milli(camp.waitPayS)*1000
	}
	if c.revive != nil {
		o := *c.revive
		o.DeadlineAt, o.TeamID, o.Status, o.ClosedAt = deadline, seat.Team, OrderHeld, 0
		return o
	}
	f := b.frozen[camp.ProgramID][c.Member]
	return Order{
		ID: id.Order(b.next()), CampaignID: camp.ID, ItemID: item.ID, MemberID: c.Member, TeamID: seat.Team,
		Qty: c.Qty, UnitPrice: seat.Price, Amount: seat.Price.Times(c.Qty), Status: OrderHeld,
		LimitFrozen: item.PerMember, BindingID: f.Binding, InviterID: f.Inviter, CodeID: f.Code,
		ProgramID: f.Program, ProgramVersion: f.Version,
		ClaimedBy: c.By, IdemKey: c.Key, InputHash: c.Hash,
		DeadlineAt: deadline, CreatedAt: b.now, Version: 1,
	}
}

// write inserts the orders, seats, counters and the one announcement.
func (b *batch) write(tx *database.Tx) error {
	all := append(append([]Order(nil), b.granted...), b.revived...)
	if len(all) == 0 {
		return nil
	}
	if len(b.granted) > 0 {
		if err := insertOrders(tx, b.granted); err != nil {
			return err
		}
	}
	for _, o := range b.revived {
		err := tx.Exec("UPDATE orders SET status = ?, deadline_at = ?, team_id = ?, closed_at = 0, version = version + 1 WHERE id = ?", OrderHeld, o.DeadlineAt, o.TeamID, o.ID).Error
		if err != nil {
			return err
		}
	}
	for kind, seating := range b.seatings {
		if err := seating.WriteTx(tx, b.ofKind(kind, all)); err != nil {
			return err
		}
	}
	if err := b.takeStock(tx); err != nil {
		return err
	}
	if err := b.takeSession(tx); err != nil {
		return err
	}
	if err := noteHolds(tx, all); err != nil {
		return err
	}
	if b.unheard {
		return nil
	}
	return task.EnqueueTx(tx, b.announcement(), tx.Now)
}

func (b *batch) ofKind(kind string, orders []Order) []Order {
	var out []Order
	for _, o := range orders {
		if b.campaigns[o.CampaignID].Kind == kind {
			out = append(out, o)
		}
	}
	return out
}

// takeStock moves what was taken from left to held and counts the new orders,
// every item in one statement. Nobody looks at how many rows it changed: were
// a decision ever wrong, the CHECK of items would refuse the whole batch.
func (b *batch) takeStock(tx *database.Tx) error {
	count := map[id.Item]int64{}
	for _, o := range b.granted {
		count[o.ItemID]++
	}
	items := sorted(b.taken)
	var pieces, grants []any
	var when strings.Builder
	for _, item := range items {
		when.WriteString(" WHEN ? THEN ?")
		pieces = append(pieces, item, b.taken[item])
		grants = append(grants, item, count[item])
	}
	by := "(CASE id" + when.String() + " ELSE 0 END)"
	return tx.Defer("UPDATE items SET left_qty = left_qty - "+by+", held_qty = held_qty + "+by+", grants = grants + "+by+", version = version + 1 WHERE id IN ?",
		slices.Concat(pieces, pieces, grants, []any{items})...)
}
