package settlement

import (
	"database/sql/driver"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// sourced is a line beside what the event that cleared its reward says, nought
// if there is none, and who pays for its reward.
type sourced struct {
	Line
	event    int64
	transfer id.Transfer
	cleared  money.Amount
	payer    id.Payer // unowed if it has no reward
}

// unowed is the payer of a line that is of no reward; nought may be one.
const unowed id.Payer = -1

// odd says that the line stands for a reward that was not cleared as it says.
func (l sourced) odd() bool {
	return l.Kind == KindReward && (l.event == 0 || l.cleared != l.Gross || l.Corrects != "")
}

// sourcedAfter reads the next lines with their sources in one pass: of a million
// lines each row is then looked up once.
func sourcedAfter(q *database.Query, sid id.Settlement, after int) ([]sourced, error) {
	first, err := lineAfter(q, sid, after)
	if err != nil || first == 0 {
		return nil, err
	}
	scan := newLineScan(true)
	lines := make([]sourced, 0, proveAt)
	err = database.EachRow(q, `SELECT x.*, COALESCE(e.id, 0), COALESCE(e.transfer_id, 0), COALESCE(e.amount, 0), COALESCE(`+referral.PayerOf("r")+`, ?)
		FROM (SELECT `+scan.columns+` FROM settlement_lines WHERE settlement_id = ? AND line_no >= ? AND line_no <= ?) x
		LEFT JOIN reward_events e ON e.reward_id = x.source_id AND e.kind = 'cleared' AND x.kind = ?
		LEFT JOIN rewards r ON r.id = x.reward_id ORDER BY x.line_no`,
		[]any{int64(unowed), int64(sid), first, first + proveAt - 1, string(KindReward)}, func(row []driver.Value) error {
			l, err := scan.line(row[:lineCells])
			if err != nil {
				return err
			}
			n, err := database.Numbers(row[lineCells:])
			lines = append(lines, sourced{l, n[0], id.Transfer(n[1]), money.Amount(n[2]), id.Payer(n[3])})
			return err
		})
	return lines, err
}
