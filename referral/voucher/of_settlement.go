package voucher

import (
	"context"
	"fmt"
	"math"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// ErrOpen refuses a file without a voucher in it, while some are to come.
var ErrOpen = fault.New(fault.KindConflict, "voucher.open", "{open} 笔记账所在的日子还没日结，还没有凭证可下载；请先日结", "{open} transfers lie on days that are not closed, and there is no voucher to take yet; close the days first")

// ErrSettlement refuses a settlement that was rejected or is not sealed.
var ErrSettlement = fault.New(fault.KindConflict, "voucher.settlement", "结算单还没有封存，或已驳回；封存后且未驳回才有凭证", "the settlement is not sealed, or was rejected; there are vouchers of it once it is sealed, unless it was rejected")

// joins leave of the transfers t those of a settlement's payouts, of what it
// took back, and of its fees; cleared those by which its rewards became payable,
// which may be of other settlements too.
var joins = []string{
	"JOIN payout_lines f ON f.transfer_id = t.id AND f.settlement_id = ?",
	"JOIN payout_lines f ON f.arrived_by = t.id AND f.settlement_id = ?",
	"JOIN payout_lines f ON f.returned_by = t.id AND f.settlement_id = ?",
	"JOIN reward_events x ON x.transfer_id = t.id JOIN settlement_lines l ON l.source_id = x.id AND l.kind = 'clawback' AND l.settlement_id = ?",
	"JOIN withdrawals w ON t.transfer_key = CONCAT('withdrawal:', w.id, ':fee:', w.settlement_id) AND w.settlement_id = ?",
}

const cleared = "JOIN reward_events x ON x.transfer_id = t.id AND x.kind = 'cleared' JOIN settlement_lines l ON l.source_id = x.reward_id AND l.kind = 'reward' AND l.settlement_id = ?"

// unclosed are transfers whose day is not closed.
var unclosed = "t.close_no NOT IN (SELECT no FROM ledger_closes WHERE status = '" + string(wallet.CloseSealed) + "')"

// OfSettlement is what of the days closed until now is one settlement's, by
// the chart in force: its rewards as they became payable, what it took back,
// its fees, and what its payouts paid, day by day. What moved on a day that is
// still open is not in it yet, and counted as open.
func (s *Service) OfSettlement(ctx context.Context, sid id.Settlement) (Set, error) {
	var st struct {
		UnitID id.Unit
		Status string
		Part
	}
	set := Set{Lines: []Line{}}
	err := s.DB.Snapshot(ctx, func(q *database.Query) error {
		err := q.Raw("SELECT unit_id, status, payer_id, payer_name, cost_centre, budget_no FROM settlements WHERE id = ?", sid).Scan(&st).Error
		switch {
		case err != nil:
			return err
		case st.UnitID == 0 || !database.ActorOf(ctx).Sees(st.UnitID):
			return fault.NotFound
		case st.Status != "closed" && st.Status != "reviewed" && st.Status != "paid":
			return ErrSettlement.With("state", st.Status)
		}
		set.Part, set.SettlementID = st.Part, sid
		sums := map[Line]Line{}
		if err := accrued(q, sid, sums); err != nil {
			return err
		}
		err = q.Raw("SELECT COUNT(DISTINCT t.id) FROM transfers t "+cleared+" WHERE "+unclosed, sid).Scan(&set.Open).Error
		if err != nil {
			return err
		}
		for _, moved := range joins {
			lines, err := movedBy(q, moved, sid)
			if err != nil {
				return err
			}
			for _, l := range lines {
				add(sums, l)
			}
			var open int
			if err := q.Raw("SELECT COUNT(DISTINCT t.id) FROM transfers t "+moved+" WHERE "+unclosed, sid).Scan(&open).Error; err != nil {
				return err
			}
			set.Open += open
		}
		set.Lines = sorted(sums)
		chart, err := chartUpto(q, math.MaxInt32)
		if err != nil {
			return err
		}
		set.ChartNo, set.Count = chart.No, len(set.Lines)
		return set.book(chart)
	})
	return set, err
}

// movedBy are the movements of the settlement's transfers that are closed.
func movedBy(q *database.Query, joined string, sid id.Settlement) ([]Line, error) {
	return movements(q, joined, "d.status = '"+string(wallet.CloseSealed)+"'", sid)
}

// accrued adds what the settlement's rewards moved when they became payable.
// What clears together is one transfer of several settlements, so each line
// tells its own part of it.
func accrued(q *database.Query, sid id.Settlement, sums map[Line]Line) error {
	var rows []struct {
		DayNo     int
		PayeeType string
		Gross     money.Amount
	}
	err := q.Raw(`SELECT d.day_no, COALESCE(v.payee_type, '') AS payee_type, SUM(l.gross) AS gross
		FROM settlement_lines l JOIN reward_events e ON e.reward_id = l.source_id AND e.kind = 'cleared'
		JOIN transfers t ON t.id = e.transfer_id JOIN ledger_closes d ON d.no = t.close_no AND d.status = ?
		LEFT JOIN payees p ON p.member_id = l.member_id LEFT JOIN payee_versions v ON v.payee_id = p.id AND v.no = p.active_no
		WHERE l.settlement_id = ? AND l.kind = 'reward' GROUP BY d.day_no, v.payee_type`, wallet.CloseSealed, sid).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("voucher: rewards of %s: %w", sid, err)
	}
	for _, r := range rows {
		l := Line{Day: r.DayNo, Kind: "reward_clear", PayeeType: r.PayeeType, OwnerKind: string(wallet.OwnerMember)}
		l.Stage, l.Debit = string(wallet.StageReserved), r.Gross
		add(sums, l)
		l.Stage, l.Debit, l.Credit = string(wallet.StagePayable), 0, r.Gross
		add(sums, l)
	}
	return nil
}
