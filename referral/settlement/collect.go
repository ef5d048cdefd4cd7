package settlement

import (
	"context"
	"maps"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// chunk is how many lines one transaction inserts; it keeps the transaction
// under 200 ms on a small machine.
const chunk = 250

// cursor is where a pass stands in its source.
type cursor struct {
	at clock.Milli
	id int64
}

// source reads the next chunk of lines that stand on no live line yet.
type source func(q *database.Query, st Settlement, after cursor) ([]Line, cursor, error)

// found is a row that a source turned into a line.
type found struct {
	SourceID, RewardID, ProgramID, CampaignID, OrderID, MemberID int64
	ProgramVersion                                               int
	RuleName, Note                                               string
	Amount                                                       money.Amount
	At                                                           clock.Milli
	Doc                                                          int64 // the document corrected, and its line
	DocLine                                                      int
}

func (f found) line(k Kind) Line {
	return Line{
		Kind: k, SourceID: f.SourceID, RewardID: id.Reward(f.RewardID), ProgramID: id.Program(f.ProgramID), ProgramVersion: f.ProgramVersion,
		CampaignID: id.Campaign(f.CampaignID), OrderID: id.Order(f.OrderID), MemberID: id.Member(f.MemberID),
		RuleName: f.RuleName, Note: f.Note, Gross: f.Amount, OccurredAt: f.At,
	}
}

// rewards are those cleared up to the cut-off in the scope, with no lower
// bound: what came late for one settlement is in the next.
func rewards(q *database.Query, st Settlement, after cursor) ([]Line, cursor, error) {
	var rows []found
	err := q.Raw(`SELECT r.id AS source_id, r.id AS reward_id, r.program_id, r.program_version, r.campaign_id, r.order_id,
			r.beneficiary_id AS member_id, r.rule AS rule_name, r.note, e.amount, e.at
		FROM reward_events e
		JOIN rewards r ON r.id = e.reward_id
		JOIN settlement_programs p ON p.settlement_id = ? AND p.program_id = r.program_id
		WHERE e.kind = 'cleared' AND e.at >= ? AND e.at <= ? AND (e.at > ? OR e.reward_id > ?) AND r.currency = ?
			AND NOT EXISTS (SELECT 1 FROM settlement_lines l WHERE l.source_id = r.id AND l.kind = ? AND l.freed = 0)
		ORDER BY e.at, e.reward_id LIMIT ?`,
		st.ID, after.at, st.CutAt, after.at, after.id, st.Currency, KindReward, chunk).Scan(&rows).Error
	lines := make([]Line, 0, len(rows))
	for _, f := range rows {
		lines = append(lines, f.line(KindReward))
		after = cursor{f.At, f.RewardID}
	}
	return lines, after, err
}

// clawbacks are corrections, up to the cut-off, of rewards that stand on a
// live line of any settlement, this one included.
func clawbacks(q *database.Query, st Settlement, after cursor) ([]Line, cursor, error) {
	var rows []found
	err := q.Raw(`SELECT e.id AS source_id, r.id AS reward_id, r.program_id, r.program_version, r.campaign_id, r.order_id,
			l.member_id, r.rule AS rule_name, r.note, e.amount, e.at, l.settlement_id AS doc, l.line_no AS doc_line
		FROM reward_events e
		JOIN rewards r ON r.id = e.reward_id
		JOIN settlement_programs p ON p.settlement_id = ? AND p.program_id = r.program_id
		JOIN settlement_lines l ON l.source_id = r.id AND l.kind = ? AND l.freed = 0
		WHERE e.kind = 'clawed_back' AND e.at >= ? AND e.at <= ? AND (e.at > ? OR e.id > ?)
			AND NOT EXISTS (SELECT 1 FROM settlement_lines k WHERE k.source_id = e.id AND k.kind = ? AND k.freed = 0)
		ORDER BY e.at, e.id LIMIT ?`,
		st.ID, KindReward, after.at, st.CutAt, after.at, after.id, KindClawback, chunk).Scan(&rows).Error
	lines := make([]Line, 0, len(rows))
	for _, f := range rows {
		l := f.line(KindClawback)
		l.Corrects = lineName(id.Settlement(f.Doc), f.DocLine)
		lines = append(lines, l)
		after = cursor{f.At, f.SourceID}
	}
	return lines, after, err
}

// failures are payments of the unit that came back up to the cut-off.
func failures(q *database.Query, st Settlement, after cursor) ([]Line, cursor, error) {
	var rows []found
	err := q.Raw(`SELECT f.id AS source_id, f.member_id, f.reason AS note, f.gross AS amount, f.failed_at AS at,
			f.payout_id AS doc, f.line_no AS doc_line
		FROM payout_lines f
		JOIN payouts p ON p.id = f.payout_id
		WHERE f.status = ? AND f.failed_at >= ? AND f.failed_at <= ? AND (f.failed_at > ? OR f.id > ?) AND p.unit_id = ?
			AND NOT EXISTS (SELECT 1 FROM settlement_lines l WHERE l.source_id = f.id AND l.kind = ? AND l.freed = 0)
		ORDER BY f.failed_at, f.id LIMIT ?`,
		PayoutLineFailed, after.at, st.CutAt, after.at, after.id, st.UnitID, KindFailed, chunk).Scan(&rows).Error
	lines := make([]Line, 0, len(rows))
	for _, f := range rows {
		l := f.line(KindFailed)
		l.Corrects = lineName(id.Payout(f.Doc), f.DocLine)
		lines = append(lines, l)
		after = cursor{f.At, f.SourceID}
	}
	return lines, after, err
}

// debts are what sealed settlements of the unit deferred, of members who have
// something to come in this one; other debts go on waiting.
func debts(q *database.Query, st Settlement, after cursor) ([]Line, cursor, error) {
	var rows []found
	err := q.Raw(`SELECT o.id AS source_id, o.member_id, -o.gross AS amount, o.occurred_at AS at, o.settlement_id AS doc, o.line_no AS doc_line
		FROM settlement_lines o
		JOIN settlements s ON s.id = o.settlement_id
		WHERE o.kind = ? AND o.freed = 0 AND o.id > ? AND s.unit_id = ? AND s.status IN ?
			AND NOT EXISTS (SELECT 1 FROM settlement_lines l WHERE l.source_id = o.id AND l.kind = ? AND l.freed = 0)
		ORDER BY o.id LIMIT ?`,
		KindDeferred, after.id, st.UnitID, standing, KindDebt, chunk).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, after, err
	}
	today, err := today(q, membersOf(rows))
	if err != nil {
		return nil, after, err
	}
	owed, err := owedTo(q, st.ID, slices.Collect(maps.Values(today)))
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
	err := tx.Raw("SELECT id, status, line_count FROM settlements WHERE id IN ? ORDER BY id"+tx.Dialect.ForUpdate, slices.Compact(locked)).Scan(&rows).Error
	if err != nil {
		return err
	}
	count := 0
	for _, r := range rows {
		switch {
		case r.ID == sid && r.Status != StatusClosing, r.ID != sid && !slices.Contains(standing, r.Status):
			return errMoved
		case r.ID == sid:
			count = r.LineCount
		}
	}
	lines, err = followed(tx, lines)
	if err != nil {
		return err
	}
	return insertLines(tx, sid, count, lines)
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

// insertLines numbers the lines from count on and writes them.
func insertLines(tx *database.Tx, sid id.Settlement, count int, lines []Line) error {
	for i := range lines {
		l := &lines[i]
		count++
		l.ID, l.SettlementID, l.LineNo = tx.Next(), sid, count
		l.TaxRule, l.Tax = taxExternalAgent, 0
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

// deferDebts adds, for each member whose lines sum below zero, one line that
// lifts the sum to zero, so that no settlement asks for a negative payment and
// its total is what will be paid. It returns how many lines it added.
func (s *Service) deferDebts(ctx context.Context, st Settlement) (int, error) {
	added := 0
	for {
		n := 0
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			n = 0
			var own Settlement
			err := tx.Raw("SELECT id, status, line_count FROM settlements WHERE id = ?"+tx.Dialect.ForUpdate, st.ID).Scan(&own).Error
			switch {
			case err != nil:
				return err
			case own.Status != StatusClosing:
				return errMoved
			}
			var rows []found
			err = tx.Raw(`SELECT member_id, -SUM(net) AS amount FROM settlement_lines WHERE settlement_id = ?
				GROUP BY member_id HAVING SUM(net) < 0 ORDER BY member_id LIMIT ?`, st.ID, chunk).Scan(&rows).Error
			if err != nil || len(rows) == 0 {
				return err
			}
			lines := make([]Line, 0, len(rows))
			for _, f := range rows {
				f.At = st.CutAt
				lines = append(lines, f.line(KindDeferred))
			}
			n = len(lines)
			return insertLines(tx, st.ID, own.LineCount, lines)
		})
		if err != nil || n == 0 {
			return added, err
		}
		database.KillPoint("settlement:lines")
		added += n
	}
}
