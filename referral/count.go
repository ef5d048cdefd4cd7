package referral

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// fitTx gives what was earned the amount of its step and lowers it to what the
// caps of its version leave room for. The rows of the counters are made if they
// are missing and locked before any reward is written, so payments that share a
// counter go one after the other.
func fitTx(tx *database.Tx, rules Rules, list []Reward) error {
	want := map[counter]bool{}
	for _, r := range list {
		for _, p := range rules.Caps {
			want[p.counter(r.BeneficiaryID, tx.Now)] = true
		}
		if p := rules.promise(r.Rule); len(p.Steps) > 0 && r.Amount > 0 {
			want[p.counter(r.BeneficiaryID, tx.Now)] = true
		}
	}
	if len(want) == 0 {
		return nil
	}
	counts, err := lockCounts(tx, list[0].ProgramID, slices.SortedFunc(maps.Keys(want), counter.compare))
	if err != nil {
		return err
	}
	for i, r := range list {
		if p := rules.promise(r.Rule); len(p.Steps) > 0 && r.Amount > 0 {
			p, r.Amount, r.Nth, r.Step = p.climb(r.Base, r.BeneficiaryID, tx.Now, counts)
			r.UnitCost, r.CouponID = p.unitCost(), p.CouponID
		}
		e := fit(rules.Caps, Earned{Amount: r.Amount, Note: r.Note}, r.UnitCost, r.BeneficiaryID, tx.Now, counts)
		if r.Amount, r.Note = e.Amount, e.Note; r.Amount == 0 {
			r.Nth, r.Step = 0, 0
		}
		list[i] = r
	}
	return nil
}

func (c counter) compare(o counter) int {
	return cmp.Or(cmp.Compare(c.member, o.member), cmp.Compare(c.rule, o.rule), cmp.Compare(c.window, o.window))
}

// lockCounts locks counters in their order.
func lockCounts(tx *database.Tx, p id.Program, want []counter) (map[counter]used, error) {
	counts := make(map[counter]used, len(want))
	for _, c := range want {
		var rows []used
		find := func(lock string) error {
			return tx.Raw("SELECT qty, cost FROM reward_counts WHERE program_id = ? AND member_id = ? AND rule = ? AND window_no = ?"+lock,
				p, c.member, c.rule, c.window).Scan(&rows).Error
		}
		err := find("")
		if err == nil && len(rows) == 0 {
			err = tx.Exec(`INSERT INTO reward_counts (id, program_id, member_id, rule, window_no, qty, cost, brought_qty, brought_cost)
				VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0)`, tx.Next(), p, c.member, c.rule, c.window).Error
			if database.IsDuplicate(err) {
				err = nil
			}
		}
		if err == nil {
			err = find(tx.Dialect.ForUpdate)
		}
		if err == nil && len(rows) != 1 {
			err = fmt.Errorf("%d rows", len(rows))
		}
		if err != nil {
			return nil, fmt.Errorf("referral: counter %s %d of %s in %s: %w", c.rule, c.window, c.member, p, err)
		}
		counts[c] = rows[0]
	}
	return counts, nil
}

// countTx counts what was earned and funded, for its steps and for the caps.
// The conditions are the second lock.
func countTx(tx *database.Tx, rules Rules, list []Reward) error {
	for _, r := range list {
		if r.Nth == 0 {
			continue
		}
		if err := r.stepTx(tx, rules.promise(r.Rule)); err != nil {
			return err
		}
	}
	for _, p := range rules.Caps {
		sums := map[counter]used{}
		for _, r := range list {
			c := p.counter(r.BeneficiaryID, tx.Now)
			sums[c] = used{sums[c].Qty + 1, sums[c].Cost + r.Amount*r.UnitCost}
		}
		for _, c := range slices.SortedFunc(maps.Keys(sums), counter.compare) {
			n := sums[c]
			res := tx.Exec("UPDATE reward_counts SET qty = qty + ?, cost = cost + ? WHERE program_id = ? AND member_id = ? AND rule = '' AND window_no = ?"+
				tx.Only("(? = 0 OR qty + ? <= ?) AND (? = 0 OR cost + ? <= ?)"), n.Qty, n.Cost, list[0].ProgramID, c.member, c.window,
				p.Count, n.Qty, p.Count, p.Cost, n.Cost, p.Cost)
			if err := database.One(res, fault.Unavailable.Wrap(fmt.Errorf("referral: %s of %s was met meanwhile", p.note(), list[0].ProgramID))); err != nil {
				return err
			}
		}
	}
	return nil
}

// mergeCounts adds the counters of one member to another's.
func mergeCounts(tx *database.Tx, from, into id.Member) (int, error) {
	var rows []struct {
		ProgramID id.Program
		Rule      string
		WindowNo  int
		Qty, Cost int64
	}
	err := tx.Raw("SELECT program_id, rule, window_no, qty, cost FROM reward_counts WHERE member_id = ? AND qty > 0 ORDER BY program_id, rule, window_no"+tx.Dialect.ForUpdate, from).Scan(&rows).Error
	if err != nil {
		return 0, fmt.Errorf("referral: counters of %s: %w", from, err)
	}
	for _, r := range rows {
		if _, err := lockCounts(tx, r.ProgramID, []counter{{r.Rule, into, r.WindowNo}}); err != nil {
			return 0, err
		}
		err := tx.Exec(`UPDATE reward_counts SET qty = qty + ?, cost = cost + ?, brought_qty = brought_qty + ?, brought_cost = brought_cost + ?
			WHERE program_id = ? AND member_id = ? AND rule = ? AND window_no = ?`, r.Qty, r.Cost, r.Qty, r.Cost, r.ProgramID, into, r.Rule, r.WindowNo).Error
		if err == nil {
			err = tx.Exec("UPDATE reward_counts SET qty = 0, cost = 0 WHERE program_id = ? AND member_id = ? AND rule = ? AND window_no = ?", r.ProgramID, from, r.Rule, r.WindowNo).Error
		}
		if err != nil {
			return 0, fmt.Errorf("referral: counters of %s: %w", from, err)
		}
	}
	return 2 * len(rows), nil
}
