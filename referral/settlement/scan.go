package settlement

import (
	"database/sql"
	"fmt"
	"strconv"

	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/money"
)

// lineColumns are those of a line in the order in which lineScan takes them;
// the digest, or nothing for it, follows.
const lineColumns = `id, settlement_id, line_no, source_id, freed, reward_id, program_id, program_version, campaign_id, order_id, member_id,
	gross, tax, net, occurred_at, kind, rule_name, note, corrects, tax_rule`

const (
	lineNumbers = 15
	lineTexts   = 6
)

// lineScan turns rows into lines. A document has up to millions of them, and
// scanning by reflection costs more than all else that is done with a line.
// Texts that repeat from line to line are kept.
type lineScan struct {
	raw  [lineNumbers + lineTexts]sql.RawBytes
	into []any
	n    [lineNumbers]int64
	text [lineTexts]string
}

func newLineScan() *lineScan {
	s := &lineScan{}
	for i := range s.raw {
		s.into = append(s.into, &s.raw[i])
	}
	return s
}

func (s *lineScan) line() (Line, error) {
	for i := range s.n {
		n, err := strconv.ParseInt(string(s.raw[i]), 10, 64)
		if err != nil {
			return Line{}, fmt.Errorf("settlement: a line's number: %w", err)
		}
		s.n[i] = n
	}
	for i := range s.text {
		if b := s.raw[lineNumbers+i]; string(b) != s.text[i] {
			s.text[i] = string(b)
		}
	}
	return Line{
		ID: s.n[0], SettlementID: id.Settlement(s.n[1]), LineNo: int(s.n[2]), SourceID: s.n[3], Freed: s.n[4],
		RewardID: id.Reward(s.n[5]), ProgramID: id.Program(s.n[6]), ProgramVersion: int(s.n[7]), CampaignID: id.Campaign(s.n[8]),
		OrderID: id.Order(s.n[9]), MemberID: id.Member(s.n[10]),
		Gross: money.Amount(s.n[11]), Tax: money.Amount(s.n[12]), Net: money.Amount(s.n[13]), OccurredAt: clock.Milli(s.n[14]),
		Kind: Kind(s.text[0]), RuleName: s.text[1], Note: s.text[2], Corrects: s.text[3], TaxRule: s.text[4], Digest: s.text[5],
	}, nil
}
