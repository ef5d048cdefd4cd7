// Package campaign runs campaigns: their products and items, the stock, the
// orders members are granted, and what the mall reports of those orders.
//
// Tables: products, campaigns, campaign_faces, campaign_templates, items, orders,
// payments, refunds, shipments, sweeps, limit_merges, waits, reminders,
// reminder_runs, item_prices, late_choices, order_discounts, budget_marks,
// price_approvals. A kind of campaign (flash sale, group-buy, referral)
// is a room below this one that registers a Kind; group-buy keeps its teams in
// its own table.
//
// Stock is taken by one function only, grant, which the committer calls for
// claims as they arrive and TakeTx for payments that came too late and for the
// head of a waiting line. Payments,
// refunds and shipments are rows the mall may report in any order and any
// number of times; after each the order is folded again from its rows, so the
// end is the same. Lock order: campaign, item, team, order.
//
// Invariants kept here: V1 (left + held + sold = stock), V2 (limits per
// member), V9 (nothing is held past its deadline, no paid money is stranded),
// V12 (a waiting line is served from its head), V14 (discounts, the coupons
// and points behind them, and the budget say the same), V13 (two people stand
// behind a price under the floor).
package campaign

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
	"siyu/referral"
)

// Status is where a campaign stands in its life.
type Status string

// The states: draft → scheduled → running ⇄ paused → ended, or cancelled
// before it ran.
const (
	StatusDraft     Status = "draft"
	StatusScheduled Status = "scheduled"
	StatusRunning   Status = "running"
	StatusPaused    Status = "paused"
	StatusEnded     Status = "ended"
	StatusCancelled Status = "cancelled"
)

// Words name the state.
func (s Status) Words() (zh, en string) {
	return map[Status]string{StatusDraft: "草稿", StatusScheduled: "未开始", StatusRunning: "进行中", StatusPaused: "已暂停", StatusEnded: "已结束", StatusCancelled: "已取消"}[s], string(s)
}

// Campaign is one run of one kind.
type Campaign struct {
	ID          id.Campaign     `json:"id"`
	UnitID      id.Unit         `json:"unit_id"`
	Kind        string          `json:"kind"`
	Name        string          `json:"name"`
	Status      Status          `json:"status"`
	StartsAt    clock.Milli     `json:"starts_at"`
	EndsAt      clock.Milli     `json:"ends_at"`
	Zone        string          `json:"zone"`
	ProgramID   id.Program      `json:"program_id"`
	PayerID     id.Payer        `json:"payer_id"` // pays its rewards where their program names nobody
	Rules       json.RawMessage `json:"rules" gorm:"-"`
	RulesText   string          `json:"-" gorm:"column:rules"`
	RulesDigest string          `json:"rules_digest"`
	Audience    Audience        `json:"audience" gorm:"-"`
	AudienceRaw string          `json:"-" gorm:"column:audience"`
	PayWithinS  int             `json:"pay_within_s"`
	LoginURL    string          `json:"login_url"`
	PayURL      string          `json:"pay_url"`
	// AcceptsCoupons and AcceptsPoints say what its orders may be paid with
	// besides money; points pay at most this part of the goods.
	AcceptsCoupons bool      `json:"accepts_coupons"`
	AcceptsPoints  money.Bps `json:"accepts_points_bp"`
	// Budget bounds its discounts and rewards together; 0 is no bound.
	Budget    money.Amount `json:"budget_fen"`
	Version   int          `json:"version"`
	CreatedAt clock.Milli  `json:"created_at"`
	Items     []Item       `json:"items" gorm:"-"`
	Face      `gorm:"-"`

	hours    *timetable              // of a remembered campaign; nil is its whole window
	waitPayS int                     // of a remembered campaign; 0 is no waiting line
	offers   map[id.Item][]TeamPrice // of a remembered campaign with teams
}

// TableName is campaigns.
func (Campaign) TableName() string { return "campaigns" }

// Phase is the state by the clock: a scheduled campaign runs from its start
// and any ends at its end, whether or not the worker has written it yet.
func (c *Campaign) Phase(now clock.Milli) Status {
	switch c.Status {
	case StatusScheduled, StatusRunning, StatusPaused:
		if now >= c.EndsAt {
			return StatusEnded
		}
	}
	if c.Status == StatusScheduled && now >= c.StartsAt {
		return StatusRunning
	}
	return c.Status
}

func (c *Campaign) unpack() error {
	c.Rules = json.RawMessage(c.RulesText)
	return json.Unmarshal([]byte(c.AudienceRaw), &c.Audience)
}

// Service is the room. Start must be called before Claim, and Close after the
// last one.
type Service struct {
	DB        *database.DB
	Community *community.Service
	kinds     map[string]Kind
	seen      seen
	shelves   shelves
	unheard   atomic.Bool  // nobody wants to hear what a claim does, as of at most freshFor ago
	flights   atomic.Int64 // begins and ends of batches; odd while one runs

	queue   chan *waiting
	stopped chan struct{}
	closing sync.Once
	gate    sync.RWMutex // held for writing while the queue is closed
	closed  bool
}

// New makes the room with the kinds it runs.
func New(db *database.DB, people *community.Service, kinds ...Kind) *Service {
	s := &Service{
		DB: db, Community: people, kinds: map[string]Kind{},
		queue: make(chan *waiting, queueMax), stopped: make(chan struct{}),
	}
	for _, k := range kinds {
		s.kinds[k.Name] = k
	}
	return s
}

// Kind is what one kind of campaign adds to the room.
type Kind struct {
	// Name is group_buy, flash_sale or referral.
	Name string
	// Rules checks the kind's rules and returns them complete, with defaults
	// written out, as they will be frozen.
	Rules func(raw json.RawMessage) (json.RawMessage, error)
	// Publishable refuses rules that name what is not there; nil asks nothing.
	Publishable func(q *database.Query, c Campaign) error
	// Hours reads the times at which a running campaign may be claimed from;
	// nil is its whole window. It is asked once per remembered campaign.
	Hours func(c Campaign) (Hours, error)
	// WaitPayS reads how long, in seconds, an order from the waiting line may
	// wait for payment. Kinds with seats leave it nil and have no line.
	WaitPayS func(c Campaign) (int, error)
	// Sizes reads the team sizes a campaign offers, ascending; nil for a kind
	// without teams, whose items have one price.
	Sizes func(c Campaign) ([]int, error)
	// LateChoice reads how long who paid too late for his team may choose
	// another; 0 sends the money back at once. Kinds without teams leave it nil.
	LateChoice func(c Campaign) (time.Duration, error)
	// Seats is set by a kind that holds more than stock.
	Seats Seats
	// Claimable says whether its items may be claimed at all.
	Claimable bool
	// Events are what AnnounceTx may publish of granted orders. It runs as a
	// task, because a claim waits for no event.
	Events     []webhook.Type
	AnnounceTx func(tx *database.Tx, granted []Order) error
}

// Seats is what a kind holds beside stock: the seats of teams.
type Seats interface {
	// Sit begins the seating of one batch. The reads lock the rows the claims
	// need, by id ascending in one statement; they run after the items' lock.
	Sit(tx *database.Tx, claims []Claim) (Seating, []database.Read)
	// TurnTx follows orders of the kind that were paid or let go, with their
	// items locked.
	TurnTx(tx *database.Tx, orders []Order) error
}

// Seating is the locked state of one batch.
type Seating interface {
	// Fit takes a seat in memory for the claim in its campaign, in arrival
	// order, or refuses.
	Fit(c Claim, in Campaign, item Item) (Seat, error)
	// WriteTx defers the writes of what was taken, one statement per table.
	WriteTx(tx *database.Tx, granted []Order) error
}

// Seat is what a claim got beside stock: the team its order belongs to, and
// what a piece costs there.
type Seat struct {
	Team  id.Team
	Price money.Amount
}

// Faults of campaigns.
var (
	ErrTransition = fault.New(fault.KindConflict, "campaign.wrong_state", "现在是“{state}”，不能执行此操作", "a campaign in state {state} does not allow this")
	ErrKind       = fault.New(fault.KindUnprocessable, "campaign.unknown_kind", "不支持的活动类型 {kind}", "there is no campaign kind {kind}")
)

// day is the longest a claimed order may wait for payment.
const day = 24 * time.Hour

// frozenOn is the referral evidence an order carries.
func frozenOn(o Order) referral.Frozen {
	return referral.Frozen{
		Binding: o.BindingID, Inviter: o.InviterID, Code: o.CodeID,
		Program: o.ProgramID, Version: o.ProgramVersion,
	}
}
