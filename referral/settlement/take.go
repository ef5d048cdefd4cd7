package settlement

import (
	"context"
	"fmt"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

// takeMost is how many rows one transaction of taking rewards writes: lines and
// the marks of their clearings, under the 2,000 of the house.
const takeMost = 1_900

// A chunk that took longer than chunkSlow is followed by one of half its rows,
// one that was quicker than chunkQuick by a larger one, so that where the store
// is busy no transaction comes near the house's 200 ms.
const (
	takeLeast  = 200
	chunkSlow  = 80 * time.Millisecond
	chunkQuick = 40 * time.Millisecond
)

// rowsAfter is how many rows the next chunk may write after one of so many.
func rowsAfter(most int, took time.Duration) int {
	switch {
	case took > chunkSlow:
		return max(most/2, takeLeast)
	case took < chunkQuick:
		return min(most+most/4, takeMost)
	}
	return most
}

// open is a clearing that may hold rewards on no live line.
type open struct {
	ID          int64
	RewardCount int
	ClearedAt   clock.Milli
	Fits        bool // of a window's rows, those in scope
}

// openClearings are a window over those up to the cut-off, with no lower
// bound: what came late for one settlement is in the next. The window is a
// table of its own, so that every engine begins with it.
func openClearings(q *database.Query, st scope, after cursor) ([]open, cursor, error) {
	const most = 200
	var rows []open
	err := q.Raw(`SELECT c.id, c.reward_count, c.cleared_at, c.program_id IN `+st.programs+` AND c.currency = ? AND `+st.paid("c")+` AS fits
		FROM (SELECT id, program_id, payer_id, currency, reward_count, cleared_at FROM clearings
			WHERE settled = 0 AND cleared_at >= ? AND cleared_at <= ? AND (cleared_at > ? OR id > ?) ORDER BY cleared_at, id LIMIT ?) c
		ORDER BY c.cleared_at, c.id`,
		st.with(st.Currency, st.payers, after.at, st.CutAt, after.at, after.id, most)...).Scan(&rows).Error
	fit := rows[:0]
	for _, c := range rows {
		after = cursor{c.ClearedAt, c.ID}
		if c.Fits {
			fit = append(fit, c)
		}
	}
	return fit, after, err
}

// takeRewards puts every reward of open clearings of the scope on a line, some
// clearings per transaction.
func (s *Service) takeRewards(ctx context.Context, st Settlement) (int, error) {
	h, err := headOf(s.DB.Read(ctx), st.PayerID, "")
	if err != nil {
		return 0, err
	}
	in, err := fixed(s.DB.Read(ctx), st)
	if err != nil {
		return 0, err
	}
	asked := ""
	if h.TermsNo != 0 {
		asked = notAsked
	}
	added, most, pace := 0, takeMost, s.DB.Pace()
	for after := (cursor{}); ; {
		window, last, err := openClearings(s.DB.Read(ctx), in, after)
		if err != nil || last == after {
			return added, err
		}
		for len(window) > 0 {
			n, rows := 0, 0
			for n < len(window) && (n == 0 || rows+window[n].RewardCount+1 <= most) {
				rows += window[n].RewardCount + 1
				n++
			}
			began := time.Now()
			lines, err := s.take(ctx, st.ID, window[:n], asked)
			for database.IsDuplicate(err) {
				// Some stand on lines already, of a settlement that was partly
				// freed or that took them a moment ago: again without those.
				lines, err = s.take(ctx, st.ID, window[:n], notTaken+asked)
			}
			if err != nil {
				return added, err
			}
			database.KillPoint("settlement:lines")
			most = rowsAfter(most, time.Since(began))
			pace.Rest(ctx, time.Since(began), 1)
			added += lines
			window = window[n:]
		}
		after = last
	}
}

// take puts the rewards of the clearings on lines of the settlement and marks
// them settled. The locks are those of the settlement, which makes two runs of
// one job take turns, and of the clearings, which does so for two settlements
// and for a rejection that opens them again.
func (s *Service) take(ctx context.Context, sid id.Settlement, list []open, but string) (lines int, err error) {
	ids := make([]int64, len(list))
	for i, c := range list {
		ids[i] = c.ID
	}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		lines = 0
		own, err := lockClosing(tx, sid)
		if err != nil {
			return err
		}
		var left []referral.Clearing
		err = tx.Raw("SELECT id, reward_count FROM clearings WHERE id IN ?"+tx.Only("settled = 0")+" ORDER BY id"+tx.Dialect.ForUpdate, ids).Scan(&left).Error
		if err != nil || len(left) == 0 {
			return err
		}
		if lines, err = takeTx(tx, own, left, but); err != nil {
			return err
		}
		if err := settleTx(tx, left, but); err != nil {
			return err
		}
		return tx.Exec("UPDATE settlements SET line_count = line_count + ? WHERE id = ?", lines, sid).Error
	})
	return lines, err
}

// lockClosing locks the settlement for one more chunk of lines.
func lockClosing(tx *database.Tx, sid id.Settlement) (Settlement, error) {
	var own Settlement
	err := tx.Raw("SELECT id, status, line_count, tax_rule FROM settlements WHERE id = ?"+tx.Dialect.ForUpdate, sid).Scan(&own).Error
	if err == nil && own.Status != StatusClosing {
		err = errMoved
	}
	return own, err
}

// takeTx writes the lines in one statement, which numbers them on from those
// the settlement has and makes their digests. Everything in a clearing's range
// of ids is an event of its own. A reward of a merged member stands under the
// one he is today. That no reward stands on two live lines is held by the
// unique key; but leaves out those that would.
func takeTx(tx *database.Tx, own Settlement, list []referral.Clearing, but string) (int, error) {
	ranges, bounds, most := make([]string, 0, len(list)), make([]any, 0, 2*len(list)), 0
	for _, c := range list {
		n := len(bounds)
		most += c.RewardCount
		if last := c.ID + int64(c.RewardCount) - 1; n > 0 && bounds[n-1] == c.ID-1 {
			bounds[n-1] = last
		} else {
			ranges, bounds = append(ranges, "e.id BETWEEN ? AND ?"), append(bounds, c.ID, last)
		}
	}
	args := append(lineArgs(own.LineCount, own.TaxRule), bounds...)
	args = append([]any{tx.Block(most) - 1, own.ID, own.LineCount, own.TaxRule}, args...)
	res := tx.Exec(`INSERT INTO settlement_lines (id, settlement_id, line_no, kind, source_id, freed, reward_id, program_id, program_version,
			campaign_id, order_id, member_id, rule_name, note, corrects, tax_rule, gross, tax, net, occurred_at, digest)
		SELECT ? + n, ?, ? + n, 'reward', reward_id, 0, reward_id, program_id, program_version,
			campaign_id, order_id, member_id, rule_name, note, '', ?, amount, 0, amount, at, `+lineDigest+`
		FROM (SELECT ROW_NUMBER() OVER (ORDER BY e.id) AS n, r.id AS reward_id, r.program_id, r.program_version, r.campaign_id, r.order_id,
				COALESCE(NULLIF(m.merged_into, 0), r.beneficiary_id) AS member_id, r.rule AS rule_name, r.note, e.amount, e.at
			FROM reward_events e JOIN rewards r ON r.id = e.reward_id LEFT JOIN members m ON m.id = r.beneficiary_id
			WHERE (`+strings.Join(ranges, " OR ")+")"+but+") x", args...)
	return int(res.RowsAffected), res.Error
}

// settleTx marks the clearings settled. Where requests may cover some of their
// rewards, those of which one stands on no live line are left open.
func settleTx(tx *database.Tx, list []referral.Clearing, but string) error {
	ids := make([]int64, 0, len(list))
	for _, c := range list {
		if strings.HasSuffix(but, notAsked) {
			var loose int
			err := tx.Raw("SELECT COUNT(*) FROM reward_events e JOIN rewards r ON r.id = e.reward_id WHERE e.id BETWEEN ? AND ?"+notTaken, c.ID, c.ID+int64(c.RewardCount)-1).Scan(&loose).Error
			if err != nil {
				return err
			}
			if loose > 0 {
				continue
			}
		}
		ids = append(ids, c.ID)
	}
	if len(ids) == 0 {
		return nil
	}
	return tx.Exec("UPDATE clearings SET settled = 1 WHERE id IN ?", ids).Error
}

// notAsked leaves out rewards under a request: what a closing may take of them
// it has taken before, whole requests at a time.
const notAsked = " AND NOT EXISTS (SELECT 1 FROM withdrawal_rewards x WHERE x.reward_id = r.id AND x.live = 0)"

// notTaken leaves out rewards that stand on a live line.
const notTaken = " AND NOT EXISTS (SELECT 1 FROM settlement_lines l WHERE l.source_id = r.id AND l.kind = 'reward' AND l.freed = 0)"

// lineDigest is Line.encode and its digest in SQL, for a line of a reward with
// the columns above; verify compares the two on every line.
const lineDigest = `SHA2(CONCAT('11:siyu.line.1;', ? + n, ';6:reward;', reward_id, ';', reward_id, ';', program_id, ';', program_version, ';',
	campaign_id, ';', order_id, ';', member_id, ';', OCTET_LENGTH(rule_name), ':', rule_name, ';', OCTET_LENGTH(note), ':', note, ';0:;', ?,
	amount, ';0;', amount, ';', at, ';', ?), 256)`

// lineArgs are the arguments of lineDigest.
func lineArgs(count int, taxRule string) []any {
	return []any{count, fmt.Sprintf("%d:%s;", len(taxRule), taxRule), "\n"}
}
