package settlement

import (
	"database/sql/driver"
	"fmt"
	"strconv"

	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/money"
)

// fileColumns are those of a line that its files and its canonical form say;
// restColumns are what else there is.
const (
	fileColumns = `kind, rule_name, note, corrects, tax_rule,
	line_no, source_id, reward_id, program_id, program_version, campaign_id, order_id, member_id, gross, tax, net, occurred_at`
	restColumns = `, id, settlement_id, freed, digest`

	lineCells = 21 // of both
)

// lineScan turns rows into lines. A document has up to millions of them, and
// scanning by reflection costs more than all else that is done with a line.
type lineScan struct {
	columns string
	text    [6]string // kept while it repeats from line to line
	n       [15]int64
}

// newLineScan takes the columns of files, or all.
func newLineScan(all bool) *lineScan {
	s := &lineScan{columns: fileColumns}
	if all {
		s.columns += restColumns
	}
	return s
}

// line reads a row as its driver gives it.
func (s *lineScan) line(row []driver.Value) (Line, error) {
	t, n := &s.text, &s.n
	for i, v := range row {
		var err error
		switch {
		case i < 5:
			err = takeText(&t[i], v)
		case i < 20:
			err = takeNumber(&n[i-5], v)
		default:
			err = takeText(&t[5], v)
		}
		if err != nil {
			return Line{}, err
		}
	}
	return Line{
		Kind: Kind(t[0]), RuleName: t[1], Note: t[2], Corrects: t[3], TaxRule: t[4],
		LineNo: int(n[0]), SourceID: n[1], RewardID: id.Reward(n[2]), ProgramID: id.Program(n[3]), ProgramVersion: int(n[4]),
		CampaignID: id.Campaign(n[5]), OrderID: id.Order(n[6]), MemberID: id.Member(n[7]),
		Gross: money.Amount(n[8]), Tax: money.Amount(n[9]), Net: money.Amount(n[10]), OccurredAt: clock.Milli(n[11]),
		ID: n[12], SettlementID: id.Settlement(n[13]), Freed: n[14], Digest: t[5],
	}, nil
}

func takeNumber(to *int64, v driver.Value) (err error) {
	switch v := v.(type) {
	case int64:
		*to = v
	case []byte:
		*to, err = strconv.ParseInt(string(v), 10, 64)
	default:
		err = fmt.Errorf("settlement: a line's number is a %T", v)
	}
	return err
}

func takeText(to *string, v driver.Value) error {
	switch v := v.(type) {
	case string:
		*to = v
	case []byte:
		if string(v) != *to {
			*to = string(v)
		}
	default:
		return fmt.Errorf("settlement: a line's text is a %T", v)
	}
	return nil
}
