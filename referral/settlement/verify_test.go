package settlement_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral/settlement"
)

// TestTampering changes one thing at a time behind the program's back; verify
// must name it, and find nothing once it is put back.
func TestTampering(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		st := books(h)
		pay := h.paid(st)
		h.proven()

		payable := func(member int) string {
			return fmt.Sprintf("(SELECT id FROM accounts WHERE stage = 'payable' AND owner_id = %d)", member)
		}
		name := func(line int) string { return fmt.Sprintf("%s/%d", st.ID, line) }
		at := fmt.Sprintf(" WHERE settlement_id = %d AND line_no = 2", st.ID)
		csv, err := h.FindFile(bg, st.ID, settlement.FileLines)
		h.must(err)
		chunk := fmt.Sprintf(" WHERE file_id = %d AND chunk_no = 0", csv.FileID)
		body := h.file(st.ID, settlement.FileLines) // one chunk
		flipped := bytes.Clone(body)
		flipped[100] ^= 1

		for _, c := range []struct {
			does, undo string
			args, back []any
			want       string
		}{
			{"UPDATE settlement_lines SET gross = gross + 1" + at, "UPDATE settlement_lines SET gross = gross - 1" + at, nil, nil, name(2) + ": the line was changed"},
			{"UPDATE settlement_lines SET member_id = 99" + at, "UPDATE settlement_lines SET member_id = 1" + at, nil, nil, name(2) + ": the line was changed"},
			{"UPDATE settlement_lines SET freed = 5" + at, "UPDATE settlement_lines SET freed = 0" + at, nil, nil, name(2) + ": freed is 5"},
			{"UPDATE settlement_lines SET line_no = 20" + at, "UPDATE settlement_lines SET line_no = 2" + strings.Replace(at, "= 2", "= 20", 1), nil, nil, fmt.Sprintf("%s: lines 2 to 2 are missing", st.ID)},
			{"UPDATE settlement_chunks SET body = ?" + chunk, "UPDATE settlement_chunks SET body = ?" + chunk, []any{flipped}, []any{body}, fmt.Sprintf("%s: lines.csv was changed in chunk 0", st.ID)},
			{"UPDATE settlements SET net = net + 1 WHERE id = ?", "UPDATE settlements SET net = net - 1 WHERE id = ?", []any{st.ID}, []any{st.ID}, fmt.Sprintf("%s: what is written on it does not give its digest", st.ID)},
			{"UPDATE settlements SET label = 'x' WHERE id = ?", "UPDATE settlements SET label = ? WHERE id = ?", []any{st.ID}, []any{st.Label, st.ID}, fmt.Sprintf("%s: what is written on it does not give its digest", st.ID)},
			{"UPDATE settlement_chain SET digest = 'x' WHERE seq = 1", "UPDATE settlement_chain SET digest = ? WHERE seq = 1", nil, []any{st.Previous}, fmt.Sprintf("chain: %s (number 2) does not name the digest of number 1", st.ID)},
			{"UPDATE entries SET amount = amount + 1 WHERE amount > 0 AND transfer_id IN (SELECT transfer_id FROM reward_events WHERE kind = 'cleared')",
				"UPDATE entries SET amount = amount - 1 WHERE amount > 0 AND transfer_id IN (SELECT transfer_id FROM reward_events WHERE kind = 'cleared')", nil, nil, "stand for rewards that say"},
			{"UPDATE entries SET account_id = " + payable(4) + " WHERE amount = 456 AND account_id = " + payable(1),
				"UPDATE entries SET account_id = " + payable(1) + " WHERE amount = 456 AND account_id = " + payable(4), nil, nil, "stand for rewards that say 4.56 of"},
			{"UPDATE rewards SET currency = 'PTS'", "UPDATE rewards SET currency = 'CNY'", nil, nil, "which holds money alone"},
			{"UPDATE payout_lines SET transfer_id = transfer_id + 1 WHERE line_no = 1", "UPDATE payout_lines SET transfer_id = transfer_id - 1 WHERE line_no = 1", nil, nil, fmt.Sprintf("%s/1: the ledger moved", pay.ID)},
		} {
			h.exec(c.does, c.args...)
			if got := strings.Join(h.broken(), "\n"); !strings.Contains(got, c.want) {
				t.Errorf("after %s: want %q, got:\n%s", c.does, c.want, got)
			}
			h.exec(c.undo, c.back...)
			h.proven()
		}
		h.exec("UPDATE settlement_lines SET gross = gross + 1" + at)
		found, err := h.VerifyOne(as(maker), st.ID)
		if h.must(err); found.OK || len(found.Broken) == 0 || found.Checked == 0 {
			t.Errorf("verify one: %+v", found)
		}
	})
}

// TestMissedRewardIsNamed: a reward that a sealed settlement should have taken
// and did not.
func TestMissedRewardIsNamed(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.clear(reward{member: 1, amount: 1})
		h.jump(time.Hour)
		h.closed()
		h.jump(-30 * time.Minute)
		late := h.clear(reward{member: 2, amount: 2}) // as by an hour-long transaction
		h.jump(time.Hour)
		if got := strings.Join(h.broken(), "\n"); !strings.Contains(got, late[0].String()+" was cleared in time") {
			t.Errorf("not named: %s", got)
		}
		h.closed() // the next one takes it, and all is well
		h.proven()

		// The same for a clawback.
		h.jump(-30 * time.Minute)
		h.clawBack(late[0], 2, 1, "refund")
		h.jump(time.Hour)
		h.closed()
		h.proven()
		h.exec("DELETE FROM settlement_lines WHERE kind = ?", settlement.KindClawback)
		if got := strings.Join(h.broken(), "\n"); !strings.Contains(got, "a clawback of "+late[0].String()+" was in time") {
			t.Errorf("not named: %s", got)
		}
	})
}

func TestFiveThousandRewards(t *testing.T) {
	if testing.Short() {
		t.Skip("many repetitions of what the other tests do once")
	}
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		list := make([]reward, 5000)
		for i := range list {
			list[i] = reward{member: id.Member(i%1000 + 1), amount: 101}
		}
		h.clear(list...)
		h.jump(time.Hour)
		st := h.closed()
		if st.LineCount != 5000 || st.Net != 505_000 {
			t.Fatalf("%d lines, net %s", st.LineCount, st.Net)
		}
		for i, l := range h.lines(st.ID) {
			if l.LineNo != i+1 {
				t.Fatalf("line %d stands at %d", l.LineNo, i+1)
			}
		}
		if f := st.Files[0]; f.ChunkCount < 2 {
			t.Errorf("%s has %d chunks, want several", f.Name, f.ChunkCount)
		}
		if p := h.paid(st); p.LineCount != 1000 || p.Net != 505_000 {
			t.Errorf("payout: %+v", p)
		}
		h.proven()

		// Cleared 150 to a transfer, some begin in one range of lines that is
		// proved at once and end in the next.
		var moves []id.Transfer
		h.must(db.Read(bg).Raw("SELECT transfer_id FROM reward_events WHERE kind = 'cleared' ORDER BY id").Scan(&moves).Error)
		for part := range slices.Chunk(moves, 150) {
			h.exec("UPDATE entries SET transfer_id = ? WHERE transfer_id IN ?", part[0], part)
			h.exec("UPDATE reward_events SET transfer_id = ? WHERE transfer_id IN ?", part[0], part)
		}
		if got := h.broken(); len(got) != 0 {
			t.Errorf("cleared together: %s", got)
		}
		for first, want := range map[int]string{900: "lines 901 to 1050", 1050: "lines 1051 to 1200", 4950: "lines 4951 to 5000"} {
			harm := "UPDATE entries SET amount = amount + ? WHERE transfer_id = ? AND id = (SELECT MAX(x.id) FROM (SELECT id FROM entries WHERE transfer_id = ? AND amount > 0) x)"
			h.exec(harm, 1, moves[first], moves[first])
			if got := h.broken(); len(got) != 1 || !strings.Contains(got[0], want+" stand for rewards that say") {
				t.Errorf("a transfer of lines from %d on: want %q, got %q", first+1, want, got)
			}
			h.exec(harm, -1, moves[first], moves[first])
		}
	})
}
