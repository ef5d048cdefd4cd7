package guard

import (
	"strconv"

	"siyu/internal/database"
)

// rows writes many rows in one statement. Numbers go into the text, which
// saves the driver a value per column; texts are arguments, since only the
// driver quotes.
type rows struct {
	text []byte
	args []any
	n    int
}

func insertInto(table, columns string, n int) *rows {
	r := &rows{text: make([]byte, 0, 100+len(columns)+n*400), args: make([]any, 0, n*8)}
	r.text = append(r.text, "INSERT INTO "+table+" ("+columns+") VALUES "...)
	return r
}

// row adds one row of numbers and texts, in the order of the columns.
func (r *rows) row(values ...any) {
	if r.n++; r.n > 1 {
		r.text = append(r.text, ',')
	}
	for i, v := range values {
		r.text = append(r.text, "(,"[min(i, 1)])
		if n, ok := v.(int64); ok {
			r.text = strconv.AppendInt(r.text, n, 10)
			continue
		}
		r.text, r.args = append(r.text, '?'), append(r.args, v)
	}
	r.text = append(r.text, ')')
}

func (r *rows) write(tx *database.Tx) error {
	if r.n == 0 {
		return nil
	}
	return tx.Defer(string(r.text), r.args...)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// writeSlots inserts the slots.
func writeSlots(tx *database.Tx, slots []Slot) error {
	in := insertInto("slots", slotColumns, len(slots))
	for _, s := range slots {
		in.row(int64(s.ID), int64(s.GroupID), s.Seq, int64(s.UnitID), int64(s.CampaignID), int64(s.PromotionID), int64(s.WindowNo), int64(s.Freed),
			int64(s.FromAt), int64(s.ToAt), int64(s.FirstAt), int64(s.LastAt), int64(s.ReservedAt), int64(s.StartedAt),
			int64(s.ConfirmedAt), s.ConfirmedSeq, int64(s.ReleasedAt), s.ReleasedSeq, string(s.ReleaseReason), flag(s.Late), flag(s.Unplanned),
			int64(s.CapDay), int64(s.CapWeek), int64(s.CapMonth), int64(s.CapLife), int64(s.GapMinutes),
			int64(s.QuietFrom), int64(s.QuietTo), int64(s.CharterQuietFrom), int64(s.CharterQuietTo),
			string(s.Preset), string(s.Mode), int64(s.PresetVersion), int64(s.PolicyVersion), int64(s.CharterVersion), s.Zone, int64(s.PermitID), string(s.PermitKind), s.StartedNo,
			int64(s.CareDay), int64(s.CareWeek), int64(s.CareMonth), int64(s.CareGapMinutes), string(s.Platform),
			int64(s.HouseVersion), int64(s.PolicyUnitID), int64(s.UnitVersion))
	}
	return in.write(tx)
}

// writeRecords inserts the decisions.
func writeRecords(tx *database.Tx, records []record) error {
	in := insertInto("decisions", recordColumns, len(records))
	for _, r := range records {
		in.row(int64(r.ID), int64(r.GroupID), int64(r.UnitID), int64(r.CampaignID), int64(r.PromotionID), int64(r.WindowNo), int64(r.SlotID),
			string(r.Outcome), string(r.RuleName), int64(r.Kept), r.Reasons, r.Advice,
			int64(r.AskedFrom), int64(r.AskedTo), int64(r.FromAt), int64(r.ToAt), int64(r.NotBefore),
			string(r.Preset), string(r.Mode), int64(r.PolicyVersion), int64(r.CharterVersion), r.Zone, int64(r.Times), int64(r.DecidedAt), int64(r.LastAt), int64(r.PermitID), string(r.PermitKind))
	}
	return in.write(tx)
}

// writeGuards inserts groups' own rows.
func writeGuards(tx *database.Tx, guards []groupGuard) error {
	in := insertInto("group_guards", guardColumns, len(guards))
	for _, g := range guards {
		in.row(int64(g.GroupID), string(g.Preset), string(g.Mode), int64(g.WarmUpDays), int64(g.GapHours),
			int64(g.AdsPerDay), int64(g.AdsPerWeek), int64(g.AdsPerMonth), int64(g.QuietFrom), int64(g.QuietTo),
			int64(g.ObserveUntil), g.LastSeq, int64(g.Version), int64(g.CreatedAt), g.Rules, int64(g.HeldVersion))
	}
	return in.write(tx)
}
