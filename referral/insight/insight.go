// Package insight counts what invitations came to: how deep they go, who
// stayed, how many the invited bring in turn, what a member kept costs, how
// much hangs on few promoters, and whether promises were kept on time.
//
// It owns no table and writes nothing. Read gathers the invitations bound in a
// window, in one snapshot, with what their people did since; Count is a pure
// function of them and of the moment. Whatever needs time to show itself is
// counted only for those who had that time, so a figure does not fall because
// its window is young.
//
// Invitations that a merge showed to be none (merged, self, circle) are left
// out; of two of one invitee in the window the later speaks. Called by api and
// web.
package insight

import (
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Service reads the figures.
type Service struct {
	DB *database.DB
}

// Window is whose invitations are counted: those bound from one moment to
// before another, of one program or of all.
type Window struct {
	Program id.Program
	From    clock.Milli
	To      clock.Milli
}

// windowMost is the longest window.
const windowMost = 400 * day

// Filled is the window with what was left out: up to and with now, and 90 days.
func (w Window) Filled(now clock.Milli) Window {
	if w.To == 0 {
		w.To = now.Add(time.Millisecond)
	}
	if w.From == 0 {
		w.From = w.To.Add(-90 * day)
	}
	return w
}

// Validate checks the window.
func (w Window) Validate() error {
	var c fault.Check
	c.That(w.From < w.To && w.To-w.From <= clock.Milli(windowMost.Milliseconds()), "to", "range",
		"结束应晚于开始，且最多相隔 400 天", "must lie after from, by at most 400 days")
	return c.Err()
}

// Spans of the figures.
const (
	day         = 24 * time.Hour
	week        = 7 * day
	keptAfter   = 30 * day // a member is kept if he is there on that day
	bringWithin = 30 * day // whom an invitee brings within it counts for K
	onTime      = day      // a promise kept within it of its day was on time
	weeksShown  = 8
	headsShown  = 10
)

// Invitation is one who was brought, with what came of it.
type Invitation struct {
	Binding id.Binding
	Invitee id.Member
	Inviter id.Member
	BoundAt clock.Milli
	Depth   int           // 1: brought by somebody whom nobody brought
	Paid    []clock.Milli // when he paid orders, from the binding on
	Stayed  bool          // he was in a group on day 30
	Brought []clock.Milli // when those were bound whom he brought in turn
	Rewards []Promised
}

// Promised is a reward of an invitation: what is left of it, when it was due
// and when it cleared.
type Promised struct {
	Net       money.Amount
	MaturesAt clock.Milli
	ClearedAt clock.Milli
}

// Figures are what the invitations of a window come to. Shares are in basis
// points, and unknown (nil) of nobody: where no one had the time that a figure
// needs, 0 would be a judgement.
type Figures struct {
	From      clock.Milli `json:"from_at"`
	To        clock.Milli `json:"to_at"`
	Truncated bool        `json:"truncated"` // more were bound than are counted: the latest are missing
	Invitees  int         `json:"invitees"`
	Bought    int         `json:"bought"` // of them paid an order since
	Depths    []Depth     `json:"depths"`
	K         K           `json:"k"`
	Kept      Kept        `json:"kept"`
	Cohorts   []Cohort    `json:"cohorts"`
	Heads     Heads       `json:"heads"`
	Promise   Promise     `json:"promise"`
}

// Depth is how many were brought so many steps away from who was there first.
type Depth struct {
	Depth    int `json:"depth"`
	Invitees int `json:"invitees"`
}

// K is how many an invitee brings in turn within 30 days of his own binding:
// of those whose 30 days are over.
type K struct {
	Invitees int    `json:"invitees"`
	Brought  int    `json:"brought"`
	Bps      *int64 `json:"k_bp"`
}

// Kept is who was still there 30 days after he was bound, in a group or by two
// paid orders, and what rewards each of them cost; of those whose 30 days are
// over.
type Kept struct {
	Invitees int           `json:"invitees"`
	Kept     int           `json:"kept"`
	Bps      *int64        `json:"kept_bp"`
	Rewards  money.Amount  `json:"rewards_fen"`
	Cost     *money.Amount `json:"cost_per_kept_fen"` // unknown while none was kept
}

// Cohort is those bound in one week, by its Monday, and how many of them paid
// an order in each week of their own since.
type Cohort struct {
	Week  int        `json:"week"` // yyyymmdd
	Size  int        `json:"size"`
	Weeks []Retained `json:"weeks"`
}

// Retained is one week after binding: of how many it is over, and how many of
// them paid in it.
type Retained struct {
	Of     int `json:"of"`
	Bought int `json:"bought"`
}

// Warning says that too much hangs on few promoters.
type Warning string

// The warnings: one promoter brought 30 % of at least 50, or ten brought 60 %
// of what at least 20 did.
const (
	WarnNone Warning = ""
	WarnOne  Warning = "one"
	WarnTen  Warning = "ten"
)

// Bounds of the warnings.
const (
	oneShare, oneInvitees = 3_000, 50
	tenShare, tenInviters = 6_000, 20
)

// Heads are the inviters who brought most.
type Heads struct {
	Inviters int     `json:"inviters"`
	One      *int64  `json:"one_bp"`
	Ten      *int64  `json:"ten_bp"`
	Warning  Warning `json:"warning"`
	List     []Head  `json:"list"`
}

// Head is one inviter with whom he brought and what was promised for them.
type Head struct {
	Member   id.Member    `json:"member_id"`
	Invitees int          `json:"invitees"`
	Bought   int          `json:"bought"`
	Rewards  money.Amount `json:"rewards_fen"`
}

// Promise is whether rewards cleared within a day of the day on which they
// were to: of those whose day after is over.
type Promise struct {
	Due    int    `json:"due"`
	OnTime int    `json:"on_time"`
	Late   int    `json:"late"`
	Open   int    `json:"open"` // overdue, and not cleared yet
	Bps    *int64 `json:"on_time_bp"`
}
