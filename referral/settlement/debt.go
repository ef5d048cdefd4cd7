package settlement

import (
	"context"
	"maps"
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
)

// debts are those waiting of members who have something to come in this
// settlement; the others go on waiting.
func debts(q *database.Query, st scope, after cursor) ([]Line, cursor, error) {
	return debtsOf(q, st, after, func(members []id.Member) (map[id.Member]bool, error) { return owedTo(q, st.ID, members) })
}

// debtsOf reads what sealed settlements of the payer and the unit, or of one
// below it, deferred, and keeps that of members who are owed something.
func debtsOf(q *database.Query, st scope, after cursor, owedTo func([]id.Member) (map[id.Member]bool, error)) ([]Line, cursor, error) {
	var rows []found
	err := q.Raw(`SELECT o.id AS source_id, o.member_id, -o.gross AS amount, o.occurred_at AS at, o.settlement_id AS doc, o.line_no AS doc_line
		FROM settlement_lines o
		JOIN settlements s ON s.id = o.settlement_id
		WHERE o.kind = ? AND o.freed = 0 AND o.id > ? AND s.payer_id = ? AND s.unit_id IN `+below+` AND s.status IN ?
			AND NOT EXISTS (SELECT 1 FROM settlement_lines l WHERE l.source_id = o.id AND l.kind = ? AND l.freed = 0)
		ORDER BY o.id LIMIT ?`,
		KindDeferred, after.id, st.PayerID, st.UnitID, standing, KindDebt, chunk).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, after, err
	}
	today, err := today(q, membersOf(rows))
	if err != nil {
		return nil, after, err
	}
	owed, err := owedTo(slices.Collect(maps.Values(today)))
	if err != nil {
		return nil, after, err
	}
	var lines []Line
	for _, f := range rows {
		after = cursor{id: f.SourceID}
		if !owed[today[id.Member(f.MemberID)]] {
			continue
		}
		l := f.line(KindDebt)
		l.from = id.Settlement(f.Doc)
		l.Corrects = lineName(l.from, f.DocLine)
		lines = append(lines, l)
	}
	return lines, after, nil
}

func membersOf(rows []found) []id.Member {
	list := make([]id.Member, 0, len(rows))
	for _, f := range rows {
		list = append(list, id.Member(f.MemberID))
	}
	return list
}

// owedTo says who of the members has a positive sum in the settlement.
func owedTo(q *database.Query, sid id.Settlement, members []id.Member) (map[id.Member]bool, error) {
	var list []id.Member
	err := q.Raw(`SELECT member_id FROM settlement_lines WHERE settlement_id = ? AND member_id IN ?
		GROUP BY member_id HAVING SUM(net) > 0`, sid, members).Scan(&list).Error
	out := make(map[id.Member]bool, len(list))
	for _, m := range list {
		out[m] = true
	}
	return out, err
}

// standing are the states of a sealed settlement that is not rejected.
var standing = []Status{StatusClosed, StatusReviewed, StatusPaid}

// deferDebts adds, for each member whose lines sum below zero, one line that
// lifts the sum to zero, so that no settlement asks for a negative payment and
// its total is what will be paid. It returns how many lines it added. Finding
// those members reads all lines, so that is done outside any transaction.
func (s *Service) deferDebts(ctx context.Context, st Settlement) (int, error) {
	added := 0
	for after := id.Member(0); ; {
		var members []id.Member
		err := s.DB.Read(ctx).Raw(`SELECT member_id FROM settlement_lines WHERE settlement_id = ? AND member_id > ?
			GROUP BY member_id HAVING SUM(net) < 0 ORDER BY member_id LIMIT ?`, st.ID, after, deferMost).Scan(&members).Error
		if err != nil || len(members) == 0 {
			return added, err
		}
		n := 0
		err = s.DB.Tx(ctx, func(tx *database.Tx) error {
			own, err := lockClosing(tx, st.ID)
			if err != nil {
				return err
			}
			lines, err := deferred(tx, st, members)
			n = len(lines)
			if err != nil || n == 0 {
				return err
			}
			return insertLines(tx, own, lines)
		})
		if err != nil {
			return added, err
		}
		database.KillPoint("settlement:lines")
		added += n
		after = members[len(members)-1]
	}
}

// deferMost is how many members one transaction looks at: an IN list's most.
const deferMost = 190

// deferred are the lines of those of the members who owe, looked at under the
// settlement's lock.
func deferred(tx *database.Tx, st Settlement, members []id.Member) ([]Line, error) {
	var rows []found
	err := tx.Raw(`SELECT member_id, -SUM(net) AS amount FROM settlement_lines WHERE settlement_id = ? AND member_id IN ?
		GROUP BY member_id HAVING SUM(net) < 0 ORDER BY member_id`, st.ID, members).Scan(&rows).Error
	lines := make([]Line, 0, len(rows))
	for _, f := range rows {
		f.At = st.CutAt
		lines = append(lines, f.line(KindDeferred))
	}
	return lines, err
}
