package referral

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// CapPer is whose rewards a cap bounds together.
type CapPer string

// A cap is per beneficiary, or over all of the program's.
const (
	CapMember  CapPer = "member"
	CapProgram CapPer = "program"
)

// CapWindow is the time over which a cap counts, by local days of Shanghai.
type CapWindow string

// The windows.
const (
	CapDay   CapWindow = "day"
	CapMonth CapWindow = "month"
	CapEver  CapWindow = "ever"
)

// Full says what becomes of the reward that a cap or the budget cannot carry
// whole.
type Full string

// It comes to nothing, or is lowered to what still fits.
const (
	FullSkip  Full = "skip"
	FullClamp Full = "clamp"
)

// Cap bounds the rewards of a program: how many, or what they cost in fen,
// points and coupons at their stated cost. It counts what was earned; what is
// taken back later makes no room.
type Cap struct {
	Per      CapPer       `json:"per"`
	Window   CapWindow    `json:"window"`
	Count    int64        `json:"count,omitempty"`
	Cost     money.Amount `json:"cost_fen,omitempty"`
	WhenFull Full         `json:"when_full,omitempty"` // none is skip
}

// capsMost is one for each of whom and window.
const capsMost = 6

func checkCaps(c *fault.Check, caps []Cap) {
	c.That(len(caps) <= capsMost, "rules.caps", "range", "最多 6 条上限", "at most 6 caps")
	seen := map[Note]bool{}
	for i, p := range caps {
		at := fmt.Sprintf("rules.caps[%d].", i)
		c.OneOf(string(p.Per), at+"per", string(CapMember), string(CapProgram))
		c.OneOf(string(p.Window), at+"window", string(CapDay), string(CapMonth), string(CapEver))
		c.Range(p.Count, at+"count", 0, most)
		c.Range(int64(p.Cost), at+"cost_fen", 0, maxBudget)
		c.That(p.Count > 0 || p.Cost > 0, at+"count", "required", "请填写次数或金额上限", "give it a count or a cost")
		p.WhenFull.check(c, at+"when_full")
		c.That(p.WhenFull != FullClamp || p.Cost > 0, at+"when_full", "conflict", "只有金额上限可以截断", "only a cost can be clamped to")
		c.That(!seen[p.note()], at+"window", "duplicate", "同一对象和周期只能有一条上限", "one cap for each of whom and window")
		seen[p.note()] = true
	}
}

func (f Full) check(c *fault.Check, at string) {
	if f != "" {
		c.OneOf(string(f), at, string(FullSkip), string(FullClamp))
	}
}

// note names the cap on the reward that met it: member_day_cap.
func (p Cap) note() Note { return Note(fmt.Sprintf("%s_%s_cap", p.Per, p.Window)) }

// counter names the row that counts for a cap, or for a rule's steps, and one
// beneficiary.
type counter struct {
	rule   string    // of steps; caps have none
	member id.Member // 0: everybody's
	window int
}

func (p Cap) counter(m id.Member, at clock.Milli) counter {
	if p.Per == CapProgram {
		m = 0
	}
	return counter{"", m, p.Window.number(at)}
}

// number is the window that a moment lies in: yyyymmdd, yyyymm, or 0 for ever.
func (w CapWindow) number(at clock.Milli) int {
	day := at.Time().In(shanghai)
	switch w {
	case CapDay:
		return clock.Day(day, shanghai)
	case CapMonth:
		return day.Year()*100 + int(day.Month())
	}
	return 0
}

// used is what a counter holds.
type used struct {
	Qty  int64
	Cost money.Amount
}

// fit lowers a reward to what its caps leave room for, in the order of the
// rules, and counts it: a pure function of the caps and their counters. The
// last cap that touched it gives the note; what comes to nothing counts nowhere.
func fit(caps []Cap, e Earned, unitCost money.Amount, m id.Member, at clock.Milli, counts map[counter]used) Earned {
	if e.Amount == 0 {
		return e
	}
	for _, p := range caps {
		room := e.Amount
		n := counts[p.counter(m, at)]
		if p.Count > 0 && n.Qty >= p.Count {
			room = 0
		}
		if p.Cost > 0 {
			room = min(room, max(p.Cost-n.Cost, 0)/unitCost)
		}
		if room == e.Amount {
			continue
		}
		if e.Note = p.note(); p.WhenFull != FullClamp || room == 0 {
			e.Amount = 0
			return e
		}
		e.Amount = room
	}
	for _, p := range caps {
		key := p.counter(m, at)
		n := counts[key]
		counts[key] = used{n.Qty + 1, n.Cost + e.Amount*unitCost}
	}
	return e
}
