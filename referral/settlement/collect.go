package settlement

import (
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// chunk is how many lines of what is not a reward one transaction inserts; it
// keeps the transaction under 200 ms on a small machine.
const chunk = 250

// cursor is where a pass stands in its source.
type cursor struct {
	at clock.Milli
	id int64
}

// source reads the next chunk of what stands on no live line yet. A chunk may
// have no line and still move the cursor; where that stays, nothing is left.
type source func(q *database.Query, st scope, after cursor) ([]Line, cursor, error)

// found is a row that a source turned into a line.
type found struct {
	SourceID, RewardID, ProgramID, CampaignID, OrderID, MemberID int64
	ProgramVersion                                               int
	RuleName, Note                                               string
	Amount                                                       money.Amount
	At                                                           clock.Milli
	Doc                                                          int64 // the document corrected, and its line
	DocLine                                                      int
	Fits                                                         bool // of a window's rows, those that make a line
	WithdrawalID                                                 id.Withdrawal
	Lost                                                         money.Amount // of a reward that was asked for, negative
}

func (f found) line(k Kind) Line {
	return Line{
		Kind: k, SourceID: f.SourceID, RewardID: id.Reward(f.RewardID), ProgramID: id.Program(f.ProgramID), ProgramVersion: f.ProgramVersion,
		CampaignID: id.Campaign(f.CampaignID), OrderID: id.Order(f.OrderID), MemberID: id.Member(f.MemberID),
		RuleName: f.RuleName, Note: f.Note, Gross: f.Amount, OccurredAt: f.At,
	}
}

// rewards are those cleared up to the cut-off in the scope, with no lower
// bound and under no request: what takeRewards would take, for a preview. The window over the
// clearings is a table of its own, so that every engine begins with it: beginning
// with the programs it would read all their rewards for each chunk.
func rewards(q *database.Query, st scope, after cursor) ([]Line, cursor, error) {
	if st.OnRequest == 1 {
		return nil, after, nil
	}
	var rows []found
	err := q.Raw(`SELECT r.id AS source_id, r.id AS reward_id, r.program_id, r.program_version, r.campaign_id, r.order_id,
			r.beneficiary_id AS member_id, r.rule AS rule_name, r.note, e.amount, e.at,
			r.program_id IN `+st.programs+` AND r.currency = ? AND `+st.paid("r")+`
				AND NOT EXISTS (SELECT 1 FROM settlement_lines l WHERE l.source_id = r.id AND l.kind = ? AND l.freed = 0)
				AND NOT EXISTS (SELECT 1 FROM withdrawal_rewards x WHERE x.reward_id = r.id AND x.live = 0) AS fits
		FROM (SELECT reward_id, amount, at FROM reward_events
			WHERE kind = 'cleared' AND at >= ? AND at <= ? AND (at > ? OR reward_id > ?) ORDER BY at, reward_id LIMIT ?) e
		JOIN rewards r ON r.id = e.reward_id
		ORDER BY e.at, e.reward_id`,
		st.with(st.Currency, st.payers, KindReward, after.at, st.CutAt, after.at, after.id, chunk)...).Scan(&rows).Error
	lines := make([]Line, 0, len(rows))
	for _, f := range rows {
		after = cursor{f.At, f.RewardID}
		if f.Fits {
			lines = append(lines, f.line(KindReward))
		}
	}
	return lines, after, err
}

// clawbacks are corrections, up to the cut-off, of rewards that stand on a
// live line of any settlement, this one included.
func clawbacks(q *database.Query, st scope, after cursor) ([]Line, cursor, error) {
	var rows []found
	err := q.Raw(`SELECT e.id AS source_id, r.id AS reward_id, r.program_id, r.program_version, r.campaign_id, r.order_id,
			l.member_id, r.rule AS rule_name, r.note, e.amount, e.at, l.settlement_id AS doc, l.line_no AS doc_line
		FROM reward_events e
		JOIN rewards r ON r.id = e.reward_id
		JOIN `+st.programs+` p ON p.program_id = r.program_id
		JOIN settlement_lines l ON l.source_id = r.id AND l.kind = ? AND l.freed = 0
		WHERE e.kind = 'clawed_back' AND e.at >= ? AND e.at <= ? AND (e.at > ? OR e.id > ?) AND `+st.paid("r")+`
			AND NOT EXISTS (SELECT 1 FROM settlement_lines k WHERE k.source_id = e.id AND k.kind = ? AND k.freed = 0)
		ORDER BY e.at, e.id LIMIT ?`,
		st.with(KindReward, after.at, st.CutAt, after.at, after.id, st.payers, KindClawback, chunk)...).Scan(&rows).Error
	lines := make([]Line, 0, len(rows))
	for _, f := range rows {
		l := f.line(KindClawback)
		l.Corrects = lineName(id.Settlement(f.Doc), f.DocLine)
		lines = append(lines, l)
		after = cursor{f.At, f.SourceID}
	}
	return lines, after, err
}

// failures are payments by the payer, of the unit or of one below it, that came
// back up to the cut-off.
func failures(q *database.Query, st scope, after cursor) ([]Line, cursor, error) {
	var rows []found
	err := q.Raw(`SELECT f.id AS source_id, f.member_id, f.reason AS note, f.owed AS amount, f.failed_at AS at,
			f.payout_id AS doc, f.line_no AS doc_line
		FROM payout_lines f
		JOIN payouts p ON p.id = f.payout_id
		WHERE f.status = ? AND f.failed_at >= ? AND f.failed_at <= ? AND (f.failed_at > ? OR f.id > ?) AND p.payer_id = ? AND p.unit_id IN `+below+`
			AND NOT EXISTS (SELECT 1 FROM settlement_lines l WHERE l.source_id = f.id AND l.kind = ? AND l.freed = 0)
		ORDER BY f.failed_at, f.id LIMIT ?`,
		PayoutLineFailed, after.at, st.CutAt, after.at, after.id, st.PayerID, st.UnitID, KindFailed, chunk).Scan(&rows).Error
	lines := make([]Line, 0, len(rows))
	for _, f := range rows {
		l := f.line(KindFailed)
		l.Corrects = lineName(id.Payout(f.Doc), f.DocLine)
		lines = append(lines, l)
		after = cursor{f.At, f.SourceID}
	}
	return lines, after, err
}
