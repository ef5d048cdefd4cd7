package settlement

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
)

// proveAt is how many lines one snapshot checks.
const proveAt = 1000

// proveLines checks every line against its digest and its source, and all of
// them against the totals and the rows digest.
func (s *Service) proveLines(ctx context.Context, st Settlement, p *database.Proof) error {
	payers, err := payee.Covered(s.DB.Read(ctx), st.PayerID)
	if err != nil {
		return err
	}
	var all sum
	moved := clearedLines{sid: st.ID}
	rows, last := sha256.New(), 0
	for {
		var lines []sourced
		err := s.DB.Snapshot(ctx, func(q *database.Query) error {
			var err error
			if lines, err = sourcedAfter(q, st.ID, last); err != nil {
				return err
			}
			return proveSources(q, st, lines, &moved, p)
		})
		if err != nil {
			return err
		}
		for _, l := range lines {
			p.Checked++
			switch {
			case l.LineNo <= last:
				p.Break("%s: line %d is there twice", st.ID, l.LineNo)
			case l.LineNo > last+1:
				p.Break("%s: lines %d to %d are missing", st.ID, last+1, l.LineNo-1)
			}
			proveLine(st, l.Line, p)
			if l.payer != unowed && !slices.Contains(payers, l.payer) {
				p.Break("%s: is of a reward which another payer pays", lineName(st.ID, l.LineNo))
			}
			all.add(l.Line)
			rows.Write(l.encode())
			last = l.LineNo
		}
		if len(lines) == 0 {
			break
		}
	}
	if err := s.DB.Snapshot(ctx, func(q *database.Query) error { return moved.check(q, moved.open, p) }); err != nil {
		return err
	}
	if all != (sum{st.LineCount, st.Gross, st.Tax, st.Net}) {
		p.Break("%s: %d lines sum to gross %s, tax %s, net %s; it says %d, %s, %s, %s", st.ID,
			all.Lines, all.Gross, all.Tax, all.Net, st.LineCount, st.Gross, st.Tax, st.Net)
	}
	if hex.EncodeToString(rows.Sum(nil)) != st.RowsDigest {
		p.Break("%s: its lines do not give the rows digest", st.ID)
	}
	return nil
}

func proveLine(st Settlement, l Line, p *database.Proof) {
	name := lineName(st.ID, l.LineNo)
	if digest(l.encode()) != l.Digest {
		p.Break("%s: the line was changed", name)
	}
	if l.TaxRule != st.TaxRule || l.Net != l.Gross-l.Tax {
		p.Break("%s: tax is not what %s says", name, st.TaxRule)
	}
	freed := int64(0)
	if st.Status == StatusRejected && st.FreedAt != 0 {
		freed = int64(st.ID)
	}
	if l.Freed != freed && (st.Status != StatusRejected || st.FreedAt != 0) {
		p.Break("%s: freed is %d, want %d", name, l.Freed, freed)
	}
}

// origin is what a line must say, read again from its source.
type origin struct {
	SourceID int64
	Amount   money.Amount
	Moved    money.Amount // out of payable when the amount came to be, of clawbacks
	Doc      int64
	DocLine  int
}

// proveSources reads the sources of the lines again: the amounts of rewards
// and clawbacks as the ledger was told them, and the lines that carry lines
// name.
func proveSources(q *database.Query, st Settlement, lines []sourced, moved *clearedLines, p *database.Proof) error {
	if err := moved.prove(q, lines, p); err != nil {
		return err
	}
	by := map[Kind][]Line{}
	for _, l := range lines {
		if l.Kind != KindReward || l.odd() {
			by[l.Kind] = append(by[l.Kind], l.Line)
		}
	}
	for kind, sql := range map[Kind]string{
		KindReward: `SELECT e.reward_id AS source_id, e.amount, e.amount AS moved FROM reward_events e WHERE e.kind = 'cleared' AND e.reward_id IN ?`,
		KindClawback: `SELECT e.id AS source_id, e.amount, ` + movedInto + ` AS moved, r.settlement_id AS doc, r.line_no AS doc_line
			FROM reward_events e JOIN settlement_lines r ON r.source_id = e.reward_id AND r.kind = 'reward' WHERE e.id IN ?`,
		KindFailed: `SELECT f.id AS source_id, f.owed AS amount, f.owed AS moved, f.payout_id AS doc, f.line_no AS doc_line
			FROM payout_lines f WHERE f.status = 'failed' AND f.id IN ?`,
		KindDebt: `SELECT o.id AS source_id, -o.gross AS amount, -o.gross AS moved, o.settlement_id AS doc, o.line_no AS doc_line
			FROM settlement_lines o WHERE o.kind = 'deferred' AND o.id IN ?`,
	} {
		if err := proveSource(q, st, by[kind], sql, p); err != nil {
			return err
		}
	}
	if err := proveFees(q, st, by[KindFee], p); err != nil {
		return err
	}
	for _, l := range by[KindDeferred] {
		if l.Gross <= 0 || l.SourceID != l.ID {
			p.Break("%s: defers no debt", lineName(st.ID, l.LineNo))
		}
	}
	return nil
}

// movedInto is what a transfer moved into payable.
const movedInto = `(SELECT COALESCE(SUM(x.amount), 0) FROM entries x JOIN accounts a ON a.id = x.account_id AND a.stage = 'payable'
	WHERE x.transfer_id = e.transfer_id)`

func proveSource(q *database.Query, st Settlement, lines []Line, sql string, p *database.Proof) error {
	if len(lines) == 0 {
		return nil
	}
	ids := make([]int64, 0, len(lines))
	for _, l := range lines {
		ids = append(ids, l.SourceID)
	}
	var list []origin
	if err := q.Raw(sql, ids).Scan(&list).Error; err != nil {
		return err
	}
	from, named := map[int64]origin{}, map[int64]map[string]bool{}
	for _, o := range list {
		if named[o.SourceID] == nil {
			named[o.SourceID] = map[string]bool{}
		}
		from[o.SourceID] = o
		named[o.SourceID][o.name(lines[0].Kind)] = true
	}
	for _, l := range lines {
		name := lineName(st.ID, l.LineNo)
		switch {
		case named[l.SourceID] == nil:
			p.Break("%s: the %s it stands for is not there", name, l.Kind)
		case from[l.SourceID].Amount != l.Gross:
			p.Break("%s: says %s, its %s says %s", name, l.Gross, l.Kind, from[l.SourceID].Amount)
		case from[l.SourceID].Moved != l.Gross:
			p.Break("%s: says %s, the ledger moved %s", name, l.Gross, from[l.SourceID].Moved)
		case !named[l.SourceID][l.Corrects]:
			p.Break("%s: names %q, which it does not correct", name, l.Corrects)
		}
	}
	return nil
}

func (o origin) name(k Kind) string {
	switch k {
	case KindReward:
		return ""
	case KindFailed:
		return lineName(id.Payout(o.Doc), o.DocLine)
	}
	return lineName(id.Settlement(o.Doc), o.DocLine)
}
