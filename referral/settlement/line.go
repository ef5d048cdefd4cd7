package settlement

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"strconv"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Kind is why a line is there.
type Kind string

// The kinds of line. Clawback, failed and debt are carry lines: Corrects names
// the line of a settlement or payout that they correct, and that of a fee the
// request it is for.
const (
	KindReward   Kind = "reward"   // a cleared reward
	KindClawback Kind = "clawback" // a cleared reward taken back, in part or whole
	KindFailed   Kind = "failed"   // a payment of an earlier payout that came back
	KindDebt     Kind = "debt"     // what an earlier settlement deferred
	KindFee      Kind = "fee"      // of a withdrawal that was asked for
	KindDeferred Kind = "deferred" // lifts a member who owes to zero; the debt goes into the next settlement
)

// Line is one row of a settlement. Only freed may change after sealing.
type Line struct {
	ID             int64         `json:"-"`
	SettlementID   id.Settlement `json:"-"`
	LineNo         int           `json:"line"`
	Kind           Kind          `json:"kind"`
	SourceID       int64         `json:"-"` // the reward, reward event, payout line, withdrawal or deferred line; a deferred line's own id
	Freed          int64         `json:"-"`
	RewardID       id.Reward     `json:"reward_id"`
	ProgramID      id.Program    `json:"program_id"`
	ProgramVersion int           `json:"program_version"`
	CampaignID     id.Campaign   `json:"campaign_id"`
	OrderID        id.Order      `json:"order_id"`
	MemberID       id.Member     `json:"member_id"`
	RuleName       string        `json:"rule"`
	Note           string        `json:"note"`
	Corrects       string        `json:"corrects"`
	TaxRule        string        `json:"tax_rule"`
	Gross          money.Amount  `json:"gross_fen"`
	Tax            money.Amount  `json:"tax_fen"`
	Net            money.Amount  `json:"net_fen"`
	OccurredAt     clock.Milli   `json:"occurred_at"`
	Digest         string        `json:"digest"`

	// from is the settlement whose deferred line a debt brings forward.
	from id.Settlement
}

// TableName is the table of lines.
func (Line) TableName() string { return "settlement_lines" }

// lineName is how another document refers to a line: stl_…/12.
func lineName(doc interface{ String() string }, no int) string {
	return doc.String() + "/" + strconv.Itoa(no)
}

// encode is the canonical form that digests are made of. Every text carries
// its length, so no text can pass for two fields, and nothing in it depends on
// the engine, the zone or the version of a library.
func (l Line) encode() []byte {
	b := make([]byte, 0, 256)
	text := func(s string) {
		b = strconv.AppendInt(b, int64(len(s)), 10)
		b = append(append(append(b, ':'), s...), ';')
	}
	number := func(n int64) { b = append(strconv.AppendInt(b, n, 10), ';') }
	text("siyu.line.1")
	number(int64(l.LineNo))
	text(string(l.Kind))
	number(l.SourceID)
	number(int64(l.RewardID))
	number(int64(l.ProgramID))
	number(int64(l.ProgramVersion))
	number(int64(l.CampaignID))
	number(int64(l.OrderID))
	number(int64(l.MemberID))
	text(l.RuleName)
	text(l.Note)
	text(l.Corrects)
	text(l.TaxRule)
	number(int64(l.Gross))
	number(int64(l.Tax))
	number(int64(l.Net))
	number(int64(l.OccurredAt))
	return append(b, '\n')
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// ListLines pages the lines of a settlement in their own order; the cursor is
// the last line seen.
func (s *Service) ListLines(ctx context.Context, sid id.Settlement, page database.Page) (database.Paged[Line], error) {
	q := s.DB.Read(ctx)
	st, err := find(q, sid)
	switch {
	case err != nil:
		return database.Paged[Line]{}, err
	case !database.ActorOf(ctx).Sees(st.UnitID):
		return database.Paged[Line]{}, fault.NotFound
	}
	lines, err := linesAfter(q, sid, int(page.Before), page.Fetch())
	return database.Cut(page, lines, func(l Line) int64 { return int64(l.LineNo) }), err
}

// eachLine calls fn for every line in order, with what its files say. One
// statement is read while it runs, for as many lines as take seconds: between
// two of them both the store and the house wait for the other.
func (s *Service) eachLine(ctx context.Context, sid id.Settlement, fn func(Line) error) error {
	const at = 100_000
	q, scan := s.DB.Read(ctx), newLineScan(false)
	for last := 0; ; {
		first, err := lineAfter(q, sid, last)
		if err != nil || first == 0 {
			return err
		}
		last = first - 1 + at
		if err := eachLineIn(q, scan, sid, first, last, fn); err != nil {
			return err
		}
	}
}

// lineAfter is the number of the first line after one, or 0. Numbers follow
// each other unless somebody took lines away.
func lineAfter(q *database.Query, sid id.Settlement, after int) (no int, err error) {
	err = q.Raw("SELECT COALESCE(MIN(line_no), 0) FROM settlement_lines WHERE settlement_id = ? AND line_no > ?", sid, after).Scan(&no).Error
	return no, err
}

// eachLineIn calls fn for the lines from one number up to another. Without the
// other MariaDB finds the settlement and passes over all lines before the
// first, so that a walk costs their square.
func eachLineIn(q *database.Query, scan *lineScan, sid id.Settlement, first, last int, fn func(Line) error) error {
	return database.EachRow(q, "SELECT "+scan.columns+" FROM settlement_lines WHERE settlement_id = ? AND line_no >= ? AND line_no <= ? ORDER BY line_no",
		[]any{int64(sid), first, last}, func(row []driver.Value) error {
			l, err := scan.line(row)
			if err != nil {
				return err
			}
			return fn(l)
		})
}

// linesAfter are the next lines themselves, up to limit of them.
func linesAfter(q *database.Query, sid id.Settlement, after, limit int) ([]Line, error) {
	lines, scan := []Line{}, newLineScan(true)
	for len(lines) < limit {
		first, err := lineAfter(q, sid, after)
		if err != nil || first == 0 {
			return lines, err
		}
		after = first - 1 + limit - len(lines)
		err = eachLineIn(q, scan, sid, first, after, func(l Line) error {
			lines = append(lines, l)
			return nil
		})
		if err != nil {
			return lines, err
		}
	}
	return lines, nil
}
