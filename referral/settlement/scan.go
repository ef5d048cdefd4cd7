package settlement

import (
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
)

// lineScan turns rows into lines. A document has up to millions of them, and
// scanning by reflection costs more than all else that is done with a line.
type lineScan struct {
	columns string
	into    []any
	text    [6]cellText
	n       [15]cellNumber
}

// newLineScan takes the columns of files, or all.
func newLineScan(all bool) *lineScan {
	s := &lineScan{columns: fileColumns}
	for i := range s.text[:5] {
		s.into = append(s.into, &s.text[i])
	}
	for i := range s.n[:12] {
		s.into = append(s.into, &s.n[i])
	}
	if all {
		s.columns += restColumns
		s.into = append(s.into, &s.n[12], &s.n[13], &s.n[14], &s.text[5])
	}
	return s
}

func (s *lineScan) line() Line {
	t, n := &s.text, &s.n
	return Line{
		Kind: Kind(t[0]), RuleName: string(t[1]), Note: string(t[2]), Corrects: string(t[3]), TaxRule: string(t[4]),
		LineNo: int(n[0]), SourceID: int64(n[1]), RewardID: id.Reward(n[2]), ProgramID: id.Program(n[3]), ProgramVersion: int(n[4]),
		CampaignID: id.Campaign(n[5]), OrderID: id.Order(n[6]), MemberID: id.Member(n[7]),
		Gross: money.Amount(n[8]), Tax: money.Amount(n[9]), Net: money.Amount(n[10]), OccurredAt: clock.Milli(n[11]),
		ID: int64(n[12]), SettlementID: id.Settlement(n[13]), Freed: int64(n[14]), Digest: string(t[5]),
	}
}

// cellNumber and cellText take a column as its driver gives it: into an int64
// or a string database/sql would go by way of a text, and copy it.
type (
	cellNumber int64
	cellText   string // kept while it repeats from line to line
)

// Scan takes a whole number.
func (c *cellNumber) Scan(src any) error {
	switch v := src.(type) {
	case int64:
		*c = cellNumber(v)
		return nil
	case []byte:
		n, err := strconv.ParseInt(string(v), 10, 64)
		*c = cellNumber(n)
		return err
	}
	return fmt.Errorf("settlement: a line's number is a %T", src)
}

// Scan takes a text.
func (c *cellText) Scan(src any) error {
	switch v := src.(type) {
	case string:
		*c = cellText(v)
		return nil
	case []byte:
		if string(v) != string(*c) {
			*c = cellText(v)
		}
		return nil
	}
	return fmt.Errorf("settlement: a line's text is a %T", src)
}
