package promotion

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"siyu/campaign"
	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

// SendStatus is where one window's ad for one group stands. That it was shown
// or freed is the slot's to say.
type SendStatus string

// The statuses of a send.
const (
	SendDeferred SendStatus = "deferred" // asked again at not_before
	SendRefused  SendStatus = "refused"
	SendReserved SendStatus = "reserved" // it has a slot
	SendHanded   SendStatus = "handed"   // the channel has it
	SendClosed   SendStatus = "closed"   // its slot or window is over
	SendDigest   SendStatus = "digest"   // its window is over; it waits for a digest
	SendJoined   SendStatus = "joined"   // it goes along in another's slot
)

type sendRow struct {
	PromotionID id.Promotion `gorm:"column:promotion_id"`
	WindowNo    int          `gorm:"column:window_no"`
	GroupID     id.Group     `gorm:"column:group_id"`
	Status      SendStatus   `gorm:"column:status"`
	RuleName    guard.Rule   `gorm:"column:rule_name"`
	NotBefore   clock.Milli  `gorm:"column:not_before"`
	SlotID      id.Slot      `gorm:"column:slot_id"`
	HandedAt    clock.Milli  `gorm:"column:handed_at"`
	PublishedAt clock.Milli  `gorm:"column:published_at"`
	VariantNo   int          `gorm:"column:variant_no"`
	RemindedAt  clock.Milli  `gorm:"column:reminded_at"`

	digest digestRow // with PromotionID 0: none
}

// TableName is the table's.
func (sendRow) TableName() string { return "promotion_sends" }

const sendColumns = "promotion_id, window_no, group_id, status, rule_name, not_before, slot_id, handed_at, published_at, variant_no, reminded_at"

// allWindows in closeWindow means every window of the promotion.
const allWindows = 0

// openWindow asks the guard for every group of the window that has no answer
// yet, or whose deferral is over. Again: what waits for the planner is planned
// anew, though its time has not come.
type openWindow struct {
	Promotion id.Promotion `json:"promotion"`
	Window    int          `json:"window"`
	Again     bool         `json:"again,omitempty"`
	Lifted    bool         `json:"lifted,omitempty"` // what waits for a silence to end, too
}

// closeWindow ends what is over: slots past their end, or all of them once the
// promotion is cancelled.
type closeWindow struct {
	Promotion id.Promotion `json:"promotion"`
	Window    int          `json:"window"`
}

// deliver hands slots to the channel.
type deliver struct {
	Slots []id.Slot `json:"slots"`
}

func (openWindow) Kind() string  { return "promotion:open_window" }
func (closeWindow) Kind() string { return "promotion:close_window" }
func (deliver) Kind() string     { return "promotion:deliver" }

// deliverMost is how many slots one deliver task names at most.
const deliverMost = 50

// Register adds the room's tasks.
func (s *Service) Register(r *task.Registry) {
	task.HandleOutside(r, s.openWindow)
	task.HandleOutside(r, s.deliver)
	task.HandleOutside(r, s.closeWindow)
	task.HandleOutside(r, s.recall)
	task.HandleOutside(r, s.unsay)
	task.HandleOutside(r, s.gatherDigest)
	task.HandleOutside(r, s.remind)
	task.HandleOutside(r, s.playOwner)
	task.HandleOutside(r, s.hush)
	task.HandleOutside(r, s.dayBack)
	task.Every(r, "promotion:end_cancelled", time.Hour, s.endCancelled)
}

// errStopped rolls a reservation back: the promotion was cancelled meanwhile.
var errStopped = errors.New("promotion: stopped")

func (s *Service) openWindow(ctx context.Context, _ task.Job, a openWindow) error {
	p, err := find(s.DB.Read(ctx), database.Actor{}, a.Promotion)
	if err != nil || p.Status != StatusApproved && p.Status != StatusRunning {
		return ignoreMissing(err)
	}
	w := p.Windows[a.Window-1]
	now := s.now()
	offer, err := s.Campaign.FindCampaign(ctx, p.CampaignID)
	if err != nil {
		return err
	}
	switch phase := offer.Phase(now); {
	case now >= w.To || over(phase):
		return nil
	case phase != campaign.StatusScheduled && phase != campaign.StatusRunning:
		return task.Snooze(time.Minute) // a pause may end while the window lasts
	}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		return tx.Exec("UPDATE promotions SET status = ?, version = version + 1 WHERE id = ?"+tx.Only("status = ?"),
			StatusRunning, p.ID, StatusApproved).Error
	})
	if err != nil {
		return err
	}
	early := []guard.Rule{"none"}
	if a.Again {
		early = append(early, guard.RulePlan)
	}
	if a.Lifted {
		early = append(early, guard.RuleSilence)
	}
	var groups []id.Group
	err = s.DB.Read(ctx).Raw(`SELECT g.group_id FROM promotion_groups g
		LEFT JOIN promotion_sends s ON s.promotion_id = g.promotion_id AND s.group_id = g.group_id AND s.window_no = ?
		WHERE g.promotion_id = ? AND (s.status IS NULL OR (s.status = ? AND (s.not_before <= ? OR s.rule_name IN ?))) ORDER BY g.group_id`,
		w.No, p.ID, SendDeferred, now, early).Scan(&groups).Error
	if err != nil {
		return fmt.Errorf("promotion: groups of %s: %w", p.ID, err)
	}
	err = s.ask(ctx, p, w, groups)
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}

// ask asks the guard for the groups whose turn it is, and lets the others wait
// for theirs. A group that nobody else wants is asked for with the whole
// window; where others wait too, with the slot that was planned.
func (s *Service) ask(ctx context.Context, p Promotion, w Window, groups []id.Group) error {
	fits, err := s.fit(ctx, groups, p.ID)
	if err != nil {
		return err
	}
	held, err := heldOut(s.DB.Read(ctx), p.ID)
	if err != nil {
		return err
	}
	turns, waiting := fits.turns(p.ID, w, groups, s.now())
	spare, err := s.spare(ctx, slices.Concat(slices.Collect(maps.Values(turns))...), held)
	if err != nil {
		return err
	}
	note := func(tx *database.Tx, answers []guard.Answer) error {
		return s.noteTx(tx, p, w, spare.freshFirst(answers))
	}
	for _, slot := range inOrder(turns) {
		ask := guard.Ask{Campaign: p.CampaignID, Promotion: p.ID, WindowNo: w.No, Window: slot, Groups: turns[slot], HeldOut: held, Sparing: spare.sparing}
		answers, err := s.Guard.Reserve(ctx, ask, note)
		if err != nil {
			return err
		}
		if err := s.preempt(ctx, p, w, ask, answers); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(waiting, 200) {
		if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return note(tx, part) }); err != nil {
			return err
		}
	}
	return nil
}

// namedAtOnce is how many groups one statement names: from 200 on MariaDB guesses
// how many rows that is, and might lock them all.
const namedAtOnce = 190

// noteTx keeps what the guard answered, in the transaction that reserved, with
// the tasks that follow from it.
func (s *Service) noteTx(tx *database.Tx, p Promotion, w Window, answers []guard.Answer) error {
	current, err := share(tx, p.ID)
	if err != nil {
		return err
	}
	if current.Status != StatusRunning {
		return errStopped
	}
	rows := make([]sendRow, len(answers))
	groups := make([]id.Group, len(answers))
	var slots []id.Slot
	again, ends := map[clock.Milli]bool{}, map[clock.Milli]bool{}
	for i, a := range answers {
		groups[i] = a.GroupID
		rows[i] = sendRow{PromotionID: p.ID, WindowNo: w.No, GroupID: a.GroupID, Status: SendRefused, RuleName: a.Rule, NotBefore: a.NotBefore, SlotID: a.SlotID}
		switch a.Outcome {
		case guard.OutcomeAllow:
			rows[i].Status = SendReserved
			slots, ends[a.Window.To] = append(slots, a.SlotID), true
		case guard.OutcomeDefer:
			rows[i].Status, again[a.NotBefore] = SendDeferred, true
		}
	}
	for part := range slices.Chunk(groups, namedAtOnce) {
		err = tx.Exec("DELETE FROM promotion_sends WHERE promotion_id = ? AND window_no = ? AND group_id IN ? AND status = ?", p.ID, w.No, part, SendDeferred).Error
		if err != nil {
			return fmt.Errorf("promotion: sends of %s: %w", p.ID, err)
		}
	}
	if err := tx.Create(&rows).Error; err != nil {
		return fmt.Errorf("promotion: sends of %s: %w", p.ID, err)
	}
	return s.follow(tx, p, w, slots, again, ends)
}

// follow enqueues the deliveries, the next askings, and the ends of slots that
// end before their window.
func (s *Service) follow(tx *database.Tx, p Promotion, w Window, slots []id.Slot, again, ends map[clock.Milli]bool) error {
	for part := range slices.Chunk(slots, s.Paces[p.Channel].wave()) {
		if err := task.EnqueueTx(tx, deliver{part}, tx.Now); err != nil {
			return err
		}
	}
	for at := range again {
		if err := task.EnqueueTx(tx, openWindow{Promotion: p.ID, Window: w.No}, at); err != nil {
			return err
		}
	}
	for at := range ends {
		if at == w.To {
			continue // that task was enqueued by the approval
		}
		if err := task.EnqueueTx(tx, closeWindow{p.ID, w.No}, at); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) now() clock.Milli { return clock.MilliOf(s.DB.Clock.Now()) }

func ignoreMissing(err error) error {
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
