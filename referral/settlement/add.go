package settlement

import (
	"slices"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
)

// addLines numbers and inserts lines under the lock of the settlement, which
// makes two runs of one job take turns. A debt also locks the settlement it
// comes from, so that this one cannot be rejected at the same moment.
func addLines(tx *database.Tx, sid id.Settlement, lines []Line) error {
	locked := []id.Settlement{sid}
	for _, l := range lines {
		if l.from != 0 {
			locked = append(locked, l.from)
		}
	}
	slices.Sort(locked)
	var rows []Settlement
	err := tx.Raw("SELECT id, status, line_count, tax_rule FROM settlements WHERE id IN ? ORDER BY id"+tx.Dialect.ForUpdate, slices.Compact(locked)).Scan(&rows).Error
	if err != nil {
		return err
	}
	var own Settlement
	for _, r := range rows {
		switch {
		case r.ID == sid && r.Status != StatusClosing, r.ID != sid && !slices.Contains(standing, r.Status):
			return errMoved
		case r.ID == sid:
			own = r
		}
	}
	lines, err = followed(tx, lines)
	if err != nil {
		return err
	}
	return insertLines(tx, own, lines)
}

// followed puts the lines of merged members under the member they are today,
// so that what one person earned and owes is netted.
func followed(tx *database.Tx, lines []Line) ([]Line, error) {
	members := make([]id.Member, 0, len(lines))
	for _, l := range lines {
		members = append(members, l.MemberID)
	}
	today, err := today(tx.DB, members)
	if err != nil {
		return nil, err
	}
	lines = slices.Clone(lines) // a transaction may be run again
	for i := range lines {
		lines[i].MemberID = today[lines[i].MemberID]
	}
	return lines, nil
}

// today maps members to who they are now; one whose row is gone stays.
func today(q *database.Query, members []id.Member) (map[id.Member]id.Member, error) {
	live, err := community.FollowMerges(q, members)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if live[m] == 0 {
			live[m] = m
		}
	}
	return live, nil
}

// insertLines numbers the lines on from those the settlement has and writes
// them. Tax is withheld when they are paid, so a line names the rule and holds
// no tax.
func insertLines(tx *database.Tx, own Settlement, lines []Line) error {
	sid, count := own.ID, own.LineCount
	for i := range lines {
		l := &lines[i]
		count++
		l.ID, l.SettlementID, l.LineNo = tx.Next(), sid, count
		l.TaxRule, l.Tax = own.TaxRule, 0
		l.Net = l.Gross - l.Tax
		if l.Kind == KindDeferred {
			l.SourceID = l.ID
		}
		l.Digest = digest(l.encode())
	}
	if err := tx.Create(&lines).Error; err != nil {
		return err
	}
	return tx.Exec("UPDATE settlements SET line_count = ? WHERE id = ?", count, sid).Error
}
