// Package gate is how one gets into a group that is not open to everybody.
//
// A group may ask for answers to questions, a paid order, a fee, a voucher of
// somebody who is in it, a region, and a look by its owner; it may have a
// capacity, and then a waiting list. Every application agrees to one version
// of the group's charter. Tables: gates, applications, application_fees,
// vouches, violations.
//
// What holds always: a person has one open application to a group; whoever a
// gate let in was in the group's capacity when it did, decided under the lock
// of the gate's row; a voucher is used once; a fee's number counts once. What
// the outside reports of a group, people who are in it already, is never
// refused: a group may then hold more than its capacity, and nobody is let in
// until it does not. community.Join refuses a gated group, so there is no
// other way in. api and web call it; health reads violations.
package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
)

// Service is the room's use cases.
type Service struct {
	DB *database.DB
}

// Register takes the room's work.
func (s *Service) Register(r *task.Registry) {
	task.Every(r, "gate:admit_waiting", time.Minute, s.admitWaiting)
	task.Every(r, "gate:end_closed", time.Minute, s.endClosed)
}

// The refusals.
var (
	ErrIdentity = fault.New(fault.KindUnprocessable, "identity_required", "请先登录后参与", "sign in first: this needs a known member")
	ErrOpen     = fault.New(fault.KindConflict, "gate.open", "你已有一份申请在处理中", "you have an application under way")
	ErrIn       = fault.New(fault.KindConflict, "gate.in_already", "你已经在这个群里", "you are in this group already")
	ErrCharter  = fault.New(fault.KindConflict, "gate.charter", "群约定已更新到第 {version} 版，请看过再申请", "the charter is at version {version} by now; read it and apply again")
	ErrClosed   = fault.New(fault.KindConflict, "gate.closed", "这个群现在不收人", "the group takes nobody in now")
	ErrNone     = fault.New(fault.KindConflict, "gate.none", "这个群不用申请，从它的群码或活动页进入即可", "this group takes no applications; it is joined by its code or by a page of it")
	ErrRefused  = fault.New(fault.KindUnprocessable, "gate.refused", "还不符合入群条件", "the group's conditions are not met yet")
	ErrState    = fault.New(fault.KindConflict, "gate.state", "申请现在是“{status}”，不能这样操作", "the application is {status}; this cannot be done to it")
	ErrNotIn    = fault.New(fault.KindConflict, "gate.not_in", "你不在这个群里", "you are not in this group")
	ErrVouches  = fault.New(fault.KindConflict, "gate.vouches", "30 天内最多邀请 {max} 位", "{max} people in 30 days is the most you may vouch for")
	ErrTooNew   = fault.New(fault.KindConflict, "gate.too_new", "入群满 {days} 天才能邀请别人", "who has been in for {days} days may vouch")
	ErrFee      = fault.New(fault.KindConflict, "gate.fee", "费用应为 {fee} 分", "the fee is {fee} fen")
)

// Gate is what a group asks of whoever wants in; zero fields ask nothing.
// Capacity is how many people the group may hold.
type Gate struct {
	GroupID        id.Group     `json:"group_id"`
	Version        int          `json:"version"`
	Capacity       int          `json:"capacity"`
	Review         bool         `json:"review"`           // its owner looks at each
	PaidWithinDays int          `json:"paid_within_days"` // a paid order as recent as this
	Fee            money.Amount `json:"fee_fen"`
	VouchDays      int          `json:"vouch_days"`  // a voucher of somebody who has been in as long as this
	VouchMonth     int          `json:"vouch_month"` // how many he may give in 30 days
	Questions      []Question   `json:"questions"`
	Regions        []string     `json:"regions"` // one of them, as the applicant says
}

// Question is one line of the form.
type Question struct {
	Key      string `json:"key"`
	ZH       string `json:"zh"`
	EN       string `json:"en"`
	Required bool   `json:"required"`
}

// In is a gate to set.
type In struct {
	Capacity       int          `json:"capacity"`
	Review         bool         `json:"review"`
	PaidWithinDays int          `json:"paid_within_days"`
	Fee            money.Amount `json:"fee_fen"`
	VouchDays      int          `json:"vouch_days"`
	VouchMonth     int          `json:"vouch_month"`
	Questions      []Question   `json:"questions"`
	Regions        []string     `json:"regions"`
}

// Validate checks the gate's form.
func (in In) Validate() error {
	var c fault.Check
	c.Range(int64(in.Capacity), "capacity", 0, 2000)
	c.Range(int64(in.PaidWithinDays), "paid_within_days", 0, 3650)
	c.Range(int64(in.Fee), "fee_fen", 0, 1_000_000_00)
	c.Range(int64(in.VouchDays), "vouch_days", 0, 3650)
	c.Range(int64(in.VouchMonth), "vouch_month", 0, 50)
	c.That((in.VouchDays == 0) == (in.VouchMonth == 0), "vouch_month", "required", "vouch_days 与 vouch_month 须一起填写", "give vouch_days and vouch_month together")
	c.Range(int64(len(in.Questions)), "questions", 0, 5)
	keys := map[string]bool{}
	for i, q := range in.Questions {
		at := fmt.Sprintf("questions[%d]", i)
		c.That(q.Key != "" && len(q.Key) <= 32 && !keys[q.Key], at+".key", "format", "须填写，且不重复", "is required and comes once")
		c.Required(q.ZH, at+".zh")
		c.Length(q.ZH, at+".zh", 60)
		c.Length(q.EN, at+".en", 100)
		keys[q.Key] = true
	}
	c.Range(int64(len(in.Regions)), "regions", 0, 50)
	for i, r := range in.Regions {
		c.That(r != "" && len([]rune(r)) <= 20, fmt.Sprintf("regions[%d]", i), "format", "1 至 20 个字", "has 1 to 20 characters")
	}
	return c.Err()
}

// row is a gate as it lies in the table.
type row struct {
	GroupID        id.Group
	Version        int
	Capacity       int
	Review         bool
	PaidWithinDays int
	Fee            money.Amount
	VouchDays      int
	VouchMonth     int
	Questions      string
	Regions        string
}

const gateColumns = "group_id, version, capacity, review, paid_within_days, fee, vouch_days, vouch_month, questions, regions"

func (r row) gate() (Gate, error) {
	g := Gate{r.GroupID, r.Version, r.Capacity, r.Review, r.PaidWithinDays, r.Fee, r.VouchDays, r.VouchMonth, []Question{}, []string{}}
	if r.GroupID == 0 {
		return g, nil
	}
	if err := json.Unmarshal([]byte(r.Questions), &g.Questions); err != nil {
		return g, fmt.Errorf("gate: questions of %s: %w", r.GroupID, err)
	}
	if err := json.Unmarshal([]byte(r.Regions), &g.Regions); err != nil {
		return g, fmt.Errorf("gate: regions of %s: %w", r.GroupID, err)
	}
	return g, nil
}

// find reads a group's gate; Version is 0 where there is none.
func find(q *database.Query, group id.Group, lock string) (Gate, error) {
	var r row
	if err := q.Raw("SELECT "+gateColumns+" FROM gates WHERE group_id = ?"+lock, group).Scan(&r).Error; err != nil {
		return Gate{}, fmt.Errorf("gate: gate of %s: %w", group, err)
	}
	g, err := r.gate()
	g.GroupID = group
	return g, err
}

// Find reads the gate of a group that the actor may see; members see those of
// all groups.
func (s *Service) Find(ctx context.Context, group id.Group) (Gate, error) {
	q := s.DB.Read(ctx)
	if _, err := seen(ctx, q, group); err != nil {
		return Gate{}, err
	}
	return find(q, group, "")
}

// seen reads a group that the actor may see.
func seen(ctx context.Context, q *database.Query, group id.Group) (community.Group, error) {
	known, err := community.GroupsIn(q, []id.Group{group})
	if err != nil {
		return community.Group{}, err
	}
	g := known[group]
	if g.ID == 0 || !g.SeenBy(database.ActorOf(ctx)) {
		return community.Group{}, fault.NotFound
	}
	return g, nil
}

// Set replaces a group's gate when version is the one last read, 0 for a group
// that has none yet. Applications under way keep what they were told.
func (s *Service) Set(ctx context.Context, group id.Group, version int, in In) (Gate, error) {
	if err := in.Validate(); err != nil {
		return Gate{}, err
	}
	g := Gate{group, version + 1, in.Capacity, in.Review, in.PaidWithinDays, in.Fee, in.VouchDays, in.VouchMonth,
		append([]Question{}, in.Questions...), append([]string{}, in.Regions...)}
	questions, err := json.Marshal(g.Questions)
	if err != nil {
		return Gate{}, err
	}
	regions, err := json.Marshal(g.Regions)
	if err != nil {
		return Gate{}, err
	}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		if err := community.GateTx(tx, group); err != nil {
			return err
		}
		before, err := find(tx.DB, group, tx.Dialect.ForUpdate)
		switch {
		case err != nil:
			return err
		case before.Version != version:
			return fault.Stale
		case version == 0:
			err = tx.Exec("INSERT INTO gates ("+gateColumns+") VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?)",
				group, g.Capacity, g.Review, g.PaidWithinDays, g.Fee, g.VouchDays, g.VouchMonth, string(questions), string(regions)).Error
		default:
			err = database.One(tx.Exec(`UPDATE gates SET version = version + 1, capacity = ?, review = ?, paid_within_days = ?, fee = ?, vouch_days = ?,
				vouch_month = ?, questions = ?, regions = ? WHERE group_id = ?`+tx.Only("version = ?"),
				g.Capacity, g.Review, g.PaidWithinDays, g.Fee, g.VouchDays, g.VouchMonth, string(questions), string(regions), group, version), fault.Stale)
		}
		if err != nil {
			return err
		}
		return database.AuditTx(tx, "group.gate", group, before, g)
	})
	return g, err
}

// after is the moment from which an order counts.
func (g Gate) after(now clock.Milli) clock.Milli {
	return now.Add(-time.Duration(g.PaidWithinDays) * 24 * time.Hour)
}
