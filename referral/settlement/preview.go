package settlement

import (
	"context"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Preview is what an open settlement would hold if it were closed now.
type Preview struct {
	SettlementID id.Settlement `json:"settlement_id"`
	CutAt        clock.Milli   `json:"cut_at"`
	LineCount    int           `json:"line_count"`
	MemberCount  int           `json:"member_count"` // with something to come
	Gross        money.Amount  `json:"gross_fen"`
	Kinds        []PreviewKind `json:"kinds"`
}

// PreviewKind is what the lines of one kind would sum up to.
type PreviewKind struct {
	Kind      Kind         `json:"kind"`
	LineCount int          `json:"line_count"`
	Gross     money.Amount `json:"gross_fen"`
}

// Preview reads, in one snapshot, what closing would collect, and writes
// nothing. It asks the sources that closing asks, in their order; only what
// these would find on lines that are not there yet it adds itself.
func (s *Service) Preview(ctx context.Context, sid id.Settlement) (Preview, error) {
	var p Preview
	err := s.DB.Snapshot(ctx, func(q *database.Query) error {
		st, err := find(q, sid)
		switch {
		case err != nil:
			return err
		case !database.ActorOf(ctx).Sees(st.UnitID):
			return fault.NotFound
		case st.Status != StatusOpen:
			return ErrState.With("state", st.Status)
		}
		h, err := headOf(q, st.PayerID, "")
		if err != nil {
			return err
		}
		if err := st.requests(q, h); err != nil {
			return err
		}
		st.CutAt = st.cutOff(clock.MilliOf(s.DB.Clock.Now()))
		in, err := coming(q, st)
		if err != nil {
			return err
		}
		d := draft{owed: map[id.Member]money.Amount{}, kinds: map[Kind]PreviewKind{}}
		for _, next := range []source{requested, rewards, clawbacks, freshClawbacks, failures, d.debts} {
			if err := d.drain(q, in, next); err != nil {
				return err
			}
		}
		p = d.preview(st)
		return nil
	})
	return p, err
}

// draft is what a preview has seen so far: what each member would have to come,
// and the sums of each kind.
type draft struct {
	owed  map[id.Member]money.Amount
	kinds map[Kind]PreviewKind
}

func (d draft) drain(q *database.Query, in scope, next source) error {
	for after := (cursor{}); ; {
		lines, last, err := next(q, in, after)
		if err != nil || last == after {
			return err
		}
		after = last
		members := make([]id.Member, len(lines))
		for i, l := range lines {
			members[i] = l.MemberID
		}
		today, err := today(q, members)
		if err != nil {
			return err
		}
		for _, l := range lines {
			d.add(l.Kind, today[l.MemberID], l.Gross)
		}
	}
}

func (d draft) add(kind Kind, m id.Member, n money.Amount) {
	d.owed[m] += n
	k := d.kinds[kind]
	d.kinds[kind] = PreviewKind{kind, k.LineCount + 1, k.Gross + n}
}

// debts are those waiting of members who have something to come in the draft.
func (d draft) debts(q *database.Query, in scope, after cursor) ([]Line, cursor, error) {
	return debtsOf(q, in, after, func(members []id.Member) (map[id.Member]bool, error) {
		owed := make(map[id.Member]bool, len(members))
		for _, m := range members {
			owed[m] = d.owed[m] > 0
		}
		return owed, nil
	})
}

// freshClawbacks are corrections of rewards that would be lines themselves.
// Those of rewards that are lines already clawbacks has found.
func freshClawbacks(q *database.Query, in scope, after cursor) ([]Line, cursor, error) {
	var rows []found
	err := q.Raw(`SELECT e.id AS source_id, r.beneficiary_id AS member_id, e.amount, e.at
		FROM reward_events e
		JOIN rewards r ON r.id = e.reward_id
		JOIN `+in.programs+` p ON p.program_id = r.program_id
		JOIN reward_events c ON c.reward_id = r.id AND c.kind = 'cleared'
		WHERE (? = 0 AND c.at <= ? OR EXISTS (SELECT 1 FROM withdrawal_rewards x JOIN withdrawals w ON w.id = x.withdrawal_id AND w.status = ? AND w.no <= ?
				WHERE x.reward_id = r.id AND x.live = 0)) AND e.kind = 'clawed_back' AND e.at >= ? AND e.at <= ? AND (e.at > ? OR e.id > ?) AND r.currency = ? AND `+in.paid("r")+`
			AND NOT EXISTS (SELECT 1 FROM settlement_lines l WHERE l.source_id = r.id AND l.kind = ? AND l.freed = 0)
			AND NOT EXISTS (SELECT 1 FROM settlement_lines k WHERE k.source_id = e.id AND k.kind = ? AND k.freed = 0)
		ORDER BY e.at, e.id LIMIT ?`,
		in.with(in.OnRequest, in.CutAt, WithdrawalAsked, in.AskedUpto, after.at, in.CutAt, after.at, after.id, in.Currency, in.payers, KindReward, KindClawback, chunk)...).Scan(&rows).Error
	lines := make([]Line, 0, len(rows))
	for _, f := range rows {
		lines = append(lines, f.line(KindClawback))
		after = cursor{f.At, f.SourceID}
	}
	return lines, after, err
}

// preview sums the draft up, with what members who owe would be let carry.
func (d draft) preview(st Settlement) Preview {
	p := Preview{SettlementID: st.ID, CutAt: st.CutAt, Kinds: []PreviewKind{}}
	for m, n := range d.owed {
		switch {
		case n > 0:
			p.MemberCount++
		case n < 0:
			d.add(KindDeferred, m, -n)
		}
	}
	for _, kn := range kindNames {
		k, there := d.kinds[kn.kind]
		if !there {
			continue
		}
		p.LineCount += k.LineCount
		p.Gross += k.Gross
		p.Kinds = append(p.Kinds, k)
	}
	return p
}
