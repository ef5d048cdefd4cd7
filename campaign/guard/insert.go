package guard

import (
	"slices"
	"strconv"

	"siyu/internal/database"
)

// rows writes many rows in one statement. Numbers and plain texts go into the
// text, which saves the driver a value per column; other texts are arguments,
// since only the driver quotes.
type rows struct {
	text []byte
	args []any
	n    int
}

func insertInto(table, columns string, n int) *rows {
	r := &rows{text: make([]byte, 0, 100+len(columns)+n*500)}
	r.text = append(r.text, "INSERT INTO "+table+" ("+columns+") VALUES "...)
	return r
}

// row begins a row; its cells follow in the order of the columns, and end ends
// it.
func (r *rows) row() *rows {
	if r.n++; r.n > 1 {
		r.text = append(r.text, ',')
	}
	r.text = append(r.text, '(')
	return r
}

func (r *rows) nums(cells ...int64) *rows {
	for _, n := range cells {
		r.text = append(strconv.AppendInt(r.text, n, 10), ',')
	}
	return r
}

func (r *rows) words(cells ...string) *rows {
	for _, s := range cells {
		var plain bool
		if r.text, plain = database.AppendPlain(r.text, s); !plain {
			r.text, r.args = append(r.text, '?'), append(r.args, s)
		}
		r.text = append(r.text, ',')
	}
	return r
}

func (r *rows) end() { r.text[len(r.text)-1] = ')' }

func (r *rows) write(tx *database.Tx) error { return r.by(tx.Defer) }

// by writes them with a transaction's Defer or Ahead.
func (r *rows) by(write func(sql string, args ...any) error) error {
	if r.n == 0 {
		return nil
	}
	return write(string(r.text), r.args...)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// writeSlots inserts the slots. Few slots have anything to say in a quarter of
// the columns, so these are left out of the statement when no slot of the batch
// needs them: the server's parsing of values takes a seventh of a wave's time.
func writeSlots(tx *database.Tx, slots []Slot) error {
	columns, later := slotFirst, slices.ContainsFunc(slots, func(s Slot) bool { return !s.usual() })
	if later {
		columns = slotColumns
	}
	in := insertInto("slots", columns, len(slots))
	for i := range slots {
		s := &slots[i]
		in.row().nums(int64(s.ID), int64(s.GroupID), s.Seq, int64(s.UnitID), int64(s.CampaignID), int64(s.PromotionID), int64(s.WindowNo), int64(s.Freed),
			int64(s.FromAt), int64(s.ToAt), int64(s.FirstAt), int64(s.LastAt), int64(s.ReservedAt), int64(s.StartedAt),
			int64(s.ConfirmedAt), s.ConfirmedSeq, int64(s.ReleasedAt), s.ReleasedSeq).words(string(s.ReleaseReason)).nums(flag(s.Late), flag(s.Unplanned),
			int64(s.CapDay), int64(s.CapWeek), int64(s.CapMonth), int64(s.CapLife), int64(s.GapMinutes),
			int64(s.QuietFrom), int64(s.QuietTo), int64(s.CharterQuietFrom), int64(s.CharterQuietTo)).
			words(string(s.Preset), string(s.Mode)).nums(int64(s.PresetVersion), int64(s.PolicyVersion), int64(s.CharterVersion)).
			words(s.Zone)
		if later {
			in.nums(int64(s.PermitID)).words(string(s.PermitKind)).nums(s.StartedNo,
				int64(s.CareDay), int64(s.CareWeek), int64(s.CareMonth), int64(s.CareGapMinutes)).words(string(s.Platform)).
				nums(int64(s.HouseVersion), int64(s.PolicyUnitID), int64(s.UnitVersion))
		}
		in.end()
	}
	return in.write(tx)
}

// writeRecords inserts the decisions.
func writeRecords(tx *database.Tx, records []record) error {
	in := insertInto("decisions", recordColumns, len(records))
	for i := range records {
		r := &records[i]
		in.row().nums(int64(r.ID), int64(r.GroupID), int64(r.UnitID), int64(r.CampaignID), int64(r.PromotionID), int64(r.WindowNo), int64(r.SlotID)).
			words(string(r.Outcome), string(r.RuleName)).nums(int64(r.Kept)).words(r.Reasons, r.Advice).
			nums(int64(r.AskedFrom), int64(r.AskedTo), int64(r.FromAt), int64(r.ToAt), int64(r.NotBefore)).
			words(string(r.Preset), string(r.Mode)).nums(int64(r.PolicyVersion), int64(r.CharterVersion)).words(r.Zone).
			nums(int64(r.Times), int64(r.DecidedAt), int64(r.LastAt), int64(r.PermitID)).words(string(r.PermitKind)).end()
	}
	return in.write(tx)
}

// writeGuards inserts groups' own rows, with a transaction's Defer or Ahead.
func writeGuards(write func(sql string, args ...any) error, guards []groupGuard) error {
	in := insertInto("group_guards", guardColumns, len(guards))
	for i := range guards {
		g := &guards[i]
		in.row().nums(int64(g.GroupID)).words(string(g.Preset), string(g.Mode)).nums(int64(g.WarmUpDays), int64(g.GapHours),
			int64(g.AdsPerDay), int64(g.AdsPerWeek), int64(g.AdsPerMonth), int64(g.QuietFrom), int64(g.QuietTo),
			int64(g.ObserveUntil), g.LastSeq, int64(g.Version), int64(g.CreatedAt)).words(g.Rules).nums(int64(g.HeldVersion)).end()
	}
	return in.by(write)
}
