package campaign

import (
	"context"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// WaitStatus is where a place in a waiting line stands.
type WaitStatus string

// The states of a place: waiting until it is granted an order, skipped because
// its member may no longer have one, or left by him. Over is what waits when
// the campaign has ended; it is read, not written.
const (
	WaitWaiting WaitStatus = "waiting"
	WaitGranted WaitStatus = "granted"
	WaitSkipped WaitStatus = "skipped"
	WaitLeft    WaitStatus = "left"
	WaitOver    WaitStatus = "over"
)

// Words name the state.
func (s WaitStatus) Words() (zh, en string) {
	return map[WaitStatus]string{WaitWaiting: "候补中", WaitGranted: "已轮到", WaitSkipped: "未能轮到", WaitLeft: "已退出", WaitOver: "活动已结束"}[s], string(s)
}

// Wait is a member's place in the line of a sold-out item, for one piece.
type Wait struct {
	ID         id.Wait     `json:"id"`
	CampaignID id.Campaign `json:"campaign_id"`
	ItemID     id.Item     `json:"item_id"`
	MemberID   id.Member   `json:"-"`
	Seq        int64       `json:"-"`
	Status     WaitStatus  `json:"status"`
	Reason     string      `json:"reason"` // why it was skipped, a fault's code
	Place      int64       `json:"place" gorm:"-"`
	OrderID    id.Order    `json:"order_id"`
	CreatedAt  clock.Milli `json:"created_at"`
	ClosedAt   clock.Milli `json:"closed_at"`
}

// WaitIn asks for a place in the line of an item.
type WaitIn struct {
	Campaign id.Campaign `json:"-"`
	Member   id.Member   `json:"-"`
	Item     id.Item     `json:"item_id"`
}

// Validate checks the request.
func (in WaitIn) Validate() error {
	var c fault.Check
	c.That(in.Item != 0, "item_id", "required", "请选择商品", "name the item")
	return c.Err()
}

// The refusals of a place in a line.
var (
	ErrNoLine  = fault.New(fault.KindUnprocessable, "campaign.no_line", "此活动没有候补", "this campaign has no waiting list")
	ErrInStock = fault.New(fault.KindConflict, "campaign.in_stock", "还有货，请直接抢购", "there is stock left; claim it")
	ErrWaited  = fault.New(fault.KindConflict, "wait.closed", "候补已结束（{state}）", "this place is closed ({state})")
)

// Wait gives the member a place at the end of the line, or the one he has.
// Whoever could not claim the item cannot wait for it either.
func (s *Service) Wait(ctx context.Context, in WaitIn) (id.Wait, error) {
	var wid id.Wait
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		c := Claim{Campaign: in.Campaign, Item: in.Item, Member: in.Member, Qty: 1, fromLine: true}
		b, err := s.load(tx, []Claim{c}, manner{patient: true})
		if err != nil {
			return err
		}
		if err := b.mayWait(c); err != nil {
			return err
		}
		if m := b.merged[c.Member]; m != 0 {
			c.Member = m
		}
		if wid, err = joinLine(tx, c); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.shelves.forget(c.Item) })
		tx.SetResult("wait", int64(wid), 201)
		return nil
	})
	return wid, err
}

// mayWait refuses who may not claim the item, and everybody while some is left.
func (b *batch) mayWait(c Claim) error {
	camp, item := b.campaigns[c.Campaign], b.items[c.Item]
	if item.ID == 0 || item.CampaignID != camp.ID {
		return fault.NotFound
	}
	if camp.waitPayS == 0 {
		return ErrNoLine
	}
	if m := b.merged[c.Member]; m != 0 {
		c.Member = m
	}
	if err := b.admits(camp, item, c); err != nil {
		return err
	}
	if err := b.within(item, c); err != nil {
		return err
	}
	if item.Free() > 0 {
		return ErrInStock
	}
	return nil
}

// joinLine writes the place; the item is locked, so nobody else takes its seq.
// A place of whoever was merged into the member is his.
func joinLine(tx *database.Tx, c Claim) (id.Wait, error) {
	members, err := claimersOf(tx.DB, c.Member)
	if err != nil {
		return 0, err
	}
	var known []Wait
	if err := tx.Raw("SELECT * FROM waits WHERE item_id = ? AND member_id IN ? ORDER BY seq", c.Item, members).Scan(&known).Error; err != nil {
		return 0, err
	}
	var old Wait
	for _, w := range known {
		if w.Status == WaitWaiting {
			return w.ID, nil
		}
		if w.MemberID == c.Member {
			old = w
		}
	}
	row := Wait{
		ID: old.ID, CampaignID: c.Campaign, ItemID: c.Item, MemberID: c.Member, Status: WaitWaiting, CreatedAt: tx.Now,
	}
	if err := tx.Raw("SELECT COALESCE(MAX(seq), 0) + 1 FROM waits WHERE item_id = ?", c.Item).Scan(&row.Seq).Error; err != nil {
		return 0, err
	}
	if row.ID == 0 {
		row.ID = id.Wait(tx.Next())
		if err := tx.Create(&row).Error; err != nil {
			return 0, err
		}
	} else {
		err := tx.Exec("UPDATE waits SET seq = ?, status = ?, reason = '', order_id = 0, created_at = ?, closed_at = 0 WHERE id = ?",
			row.Seq, row.Status, row.CreatedAt, row.ID).Error
		if err != nil {
			return 0, err
		}
	}
	return row.ID, countWaits(tx, c.Item, 1)
}

// countWaits moves the item's count of places that wait.
func countWaits(tx *database.Tx, item id.Item, by int64) error {
	res := tx.Exec("UPDATE items SET waiting = waiting + ?, version = version + 1 WHERE id = ?"+tx.Only("waiting + ? >= 0"), by, item, by)
	return database.One(res, fault.Stale)
}

// LeaveLine gives the member's place up. What it was granted before, or was
// left before, stays as it is.
func (s *Service) LeaveLine(ctx context.Context, wid id.Wait) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		w, err := ownWait(tx.Context(), tx.DB, wid)
		if err != nil {
			return err
		}
		if err := LockItemTx(tx, w.ItemID); err != nil {
			return err
		}
		if w, err = ownWait(tx.Context(), tx.DB, wid); err != nil {
			return err
		}
		switch w.Status {
		case WaitLeft:
			return nil
		case WaitWaiting:
		default:
			return ErrWaited.With("state", w.Status)
		}
		if err := tx.Exec("UPDATE waits SET status = ?, closed_at = ? WHERE id = ?", WaitLeft, tx.Now, wid).Error; err != nil {
			return err
		}
		tx.AfterCommit(func() { s.shelves.forget(w.ItemID) })
		return countWaits(tx, w.ItemID, -1)
	})
}

// FindWait is the caller's own place, with how far it is from the head.
func (s *Service) FindWait(ctx context.Context, wid id.Wait) (Wait, error) {
	q := s.DB.Read(ctx)
	w, err := ownWait(ctx, q, wid)
	if err != nil {
		return w, err
	}
	return w, s.place(q, &w)
}

// ListWaits lists the caller's own places in the campaign's lines.
func (s *Service) ListWaits(ctx context.Context, cid id.Campaign) ([]Wait, error) {
	if _, err := s.FindCampaign(ctx, cid); err != nil {
		return nil, err
	}
	q := s.DB.Read(ctx)
	members, err := claimersOf(q, database.ActorOf(ctx).Member)
	if err != nil {
		return nil, err
	}
	rows := []Wait{}
	err = q.Raw(`SELECT waits.* FROM waits JOIN items ON items.id = waits.item_id
		WHERE items.campaign_id = ? AND waits.member_id IN ? ORDER BY items.sort_no, waits.id LIMIT ?`, cid, members, itemsMax).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if err := s.place(q, &rows[i]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// WaitsOf are all of a member's places, for his export.
func (s *Service) WaitsOf(ctx context.Context, member id.Member, page database.Page) (database.Paged[Wait], error) {
	q := s.DB.Read(ctx)
	members, err := claimersOf(q, member)
	if err != nil {
		return database.Paged[Wait]{}, err
	}
	var rows []Wait
	err = q.Raw("SELECT * FROM waits WHERE member_id IN ? AND id < ? ORDER BY id DESC LIMIT ?", members, page.Bound(), page.Fetch()).Scan(&rows).Error
	if err != nil {
		return database.Paged[Wait]{}, err
	}
	list := database.Cut(page, rows, func(w Wait) int64 { return int64(w.ID) })
	for i := range list.Items {
		if err := s.place(q, &list.Items[i]); err != nil {
			return list, err
		}
	}
	return list, nil
}

// ownWait is the place if it is the caller's, or of whom he was merged with.
func ownWait(ctx context.Context, q *database.Query, wid id.Wait) (Wait, error) {
	var w Wait
	if err := q.Raw("SELECT * FROM waits WHERE id = ?", wid).Scan(&w).Error; err != nil {
		return w, err
	}
	members, err := claimersOf(q, database.ActorOf(ctx).Member)
	if err != nil {
		return w, err
	}
	for _, m := range members {
		if w.ID != 0 && w.MemberID == m {
			return w, nil
		}
	}
	return w, fault.NotFound
}

// place counts who is before him; an ended campaign has no line.
func (s *Service) place(q *database.Query, w *Wait) error {
	if w.Status != WaitWaiting {
		return nil
	}
	var c Campaign
	if err := q.Raw("SELECT status, starts_at, ends_at FROM campaigns WHERE id = ?", w.CampaignID).Scan(&c).Error; err != nil {
		return err
	}
	if c.Phase(clock.MilliOf(s.DB.Clock.Now())) == StatusEnded {
		w.Status = WaitOver
		return nil
	}
	return q.Raw("SELECT COUNT(*) + 1 FROM waits WHERE item_id = ? AND status = ? AND seq < ?", w.ItemID, WaitWaiting, w.Seq).Scan(&w.Place).Error
}
