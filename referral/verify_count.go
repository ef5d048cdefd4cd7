package referral

import (
	"context"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// verifyCounts counts the rewards under each program's caps and steps again,
// and holds each counter against what it must say and the widest cap of any
// version.
func verifyCounts(ctx context.Context, db *database.DB) (database.Proof, error) {
	p := database.Proof{ID: "V5", Says: "caps and steps count what was earned under them, and hold"}
	var programs []id.Program
	err := db.Read(ctx).Raw("SELECT DISTINCT program_id FROM reward_counts ORDER BY program_id").Scan(&programs).Error
	if err != nil {
		return p, fmt.Errorf("referral: verify counts: %w", err)
	}
	for _, program := range programs {
		if err := db.Snapshot(ctx, func(q *database.Query) error { return proveCounts(q, program, &p) }); err != nil {
			return p, fmt.Errorf("referral: verify counts: %w", err)
		}
	}
	return p, nil
}

func proveCounts(q *database.Query, program id.Program, p *database.Proof) error {
	rules, err := versionsOf(q, program)
	if err != nil {
		return err
	}
	want, err := recount(q, program, rules, p)
	if err != nil {
		return err
	}
	var rows []struct {
		MemberID    id.Member
		Rule        string
		WindowNo    int
		Qty         int64
		Cost        money.Amount
		BroughtQty  int64
		BroughtCost money.Amount
	}
	err = q.Raw(`SELECT member_id, rule, window_no, qty, cost, brought_qty, brought_cost FROM reward_counts WHERE program_id = ?`, program).Scan(&rows).Error
	if err != nil {
		return err
	}
	people := make([]id.Member, 0, len(rows))
	for _, r := range rows {
		people = append(people, r.MemberID)
	}
	today, err := whoToday(q, people)
	if err != nil {
		return err
	}
	have := map[counter]used{}
	for _, r := range rows {
		p.Checked++
		c := counter{r.Rule, today[r.MemberID], r.WindowNo}
		have[c] = used{have[c].Qty + r.Qty, have[c].Cost + r.Cost}
		most := widest(rules, c)
		if most.Qty > 0 && r.Qty > most.Qty+r.BroughtQty || most.Cost > 0 && r.Cost > most.Cost+r.BroughtCost {
			p.Break("program %s, window %d of %s: %d rewards of %s, beyond %d and %s", program, r.WindowNo, r.MemberID, r.Qty, r.Cost, most.Qty, most.Cost)
		}
	}
	for c, n := range want {
		if have[c] != n {
			p.Break("program %s, %s window %d of %s: counted %v, its rewards say %v", program, c.rule, c.window, c.member, have[c], n)
		}
	}
	for c, n := range have {
		if _, known := want[c]; !known && n != (used{}) {
			p.Break("program %s, %s window %d of %s: counted %v of no reward", program, c.rule, c.window, c.member, n)
		}
	}
	return nil
}

// versionsOf are the rules of each version of a program.
func versionsOf(q *database.Query, program id.Program) (map[int]Rules, error) {
	var rows []ProgramVersion
	if err := q.Raw("SELECT number, rules FROM program_versions WHERE program_id = ?", program).Scan(&rows).Error; err != nil {
		return nil, err
	}
	rules := make(map[int]Rules, len(rows))
	for _, v := range rows {
		r, err := readRules(v.Text)
		if err != nil {
			return nil, fmt.Errorf("referral: version %d of %s: %w", v.Number, program, err)
		}
		rules[v.Number] = r
	}
	return rules, nil
}

// recount counts the program's rewards by the caps and steps of their versions,
// and asks of each stepped one whether it was paid by its place.
func recount(q *database.Query, program id.Program, rules map[int]Rules, p *database.Proof) (map[counter]used, error) {
	type row struct {
		version int
		member  id.Member
		cost    money.Amount
		at      clock.Milli
		rule    string
		nth     int64
		net     money.Amount
	}
	rows, err := q.Raw(`SELECT r.program_version, r.beneficiary_id, r.amount, r.unit_cost, r.earned_at, r.id, r.rule, r.base, r.note, r.nth_no, r.step_no,
		CASE WHEN r.nth_no = 0 THEN 0 ELSE `+netOf+` END FROM rewards r WHERE r.program_id = ? AND r.amount > 0`, program).Rows()
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []row
	for rows.Next() {
		var r row
		var w Reward
		if err := rows.Scan(&r.version, &r.member, &w.Amount, &w.UnitCost, &r.at, &w.ID, &r.rule, &w.Base, &w.Note, &r.nth, &w.Step, &r.net); err != nil {
			return nil, err
		}
		r.cost = w.Amount * w.UnitCost
		if r.nth > 0 || len(rules[r.version].promise(r.rule).Steps) > 0 {
			w.Nth = r.nth
			w.proveStep(rules[r.version].promise(r.rule), p)
		}
		if r.nth > 0 || len(rules[r.version].Caps) > 0 {
			list = append(list, r)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	people := make([]id.Member, 0, len(list))
	for _, r := range list {
		people = append(people, r.member)
	}
	today, err := whoToday(q, people)
	if err != nil {
		return nil, err
	}
	want := map[counter]used{}
	for _, r := range list {
		who := today[r.member]
		for _, p := range rules[r.version].Caps {
			c := p.counter(who, r.at)
			want[c] = used{want[c].Qty + 1, want[c].Cost + r.cost}
		}
		if r.nth > 0 && r.net > 0 {
			c := rules[r.version].promise(r.rule).counter(who, r.at)
			want[c] = used{Qty: want[c].Qty + 1}
		}
	}
	return want, nil
}

// proveStep holds a reward against the step of its place: less is paid only
// where a cap or the budget lowered it.
func (r Reward) proveStep(promised Promise, p *database.Proof) {
	on, step := promised.onStep(r.Nth)
	pays := on.of(r.Base)
	less := r.Amount < pays && r.Note == "" && on.pays() == money.CNY // a refusal that points waited for takes the place of the note
	if r.Nth < 1 || step != r.Step || on.unitCost() != r.UnitCost || r.Amount > pays || less {
		p.Break("reward %s is place %d on step %d: %d at %d fen each, where step %d pays %d", r.ID, r.Nth, r.Step, r.Amount, r.UnitCost, step, pays)
	}
}

// whoToday says whom members have become; 0 is nobody and stays nobody.
func whoToday(q *database.Query, people []id.Member) (map[id.Member]id.Member, error) {
	today := map[id.Member]id.Member{}
	for len(people) > 0 {
		n := min(len(people), inAtOnce)
		some, err := community.FollowMerges(q, people[:n])
		if err != nil {
			return nil, err
		}
		for m, now := range some {
			today[m] = now
		}
		people = people[n:]
	}
	return today, nil
}

// widest is the largest cap of any version over a counter's window; 0 is none.
func widest(rules map[int]Rules, c counter) used {
	var most used
	if c.rule != "" {
		return most // steps have no end
	}
	freeQty, freeCost := false, false
	for _, r := range rules {
		for _, p := range r.Caps {
			if p.Per == CapProgram != (c.member == 0) || p.Window != windowOf(c.window) {
				continue
			}
			most = used{max(most.Qty, p.Count), max(most.Cost, p.Cost)}
			freeQty, freeCost = freeQty || p.Count == 0, freeCost || p.Cost == 0
		}
	}
	if freeQty {
		most.Qty = 0
	}
	if freeCost {
		most.Cost = 0
	}
	return most
}

func windowOf(no int) CapWindow {
	switch {
	case no == 0:
		return CapEver
	case no < 1_000_000:
		return CapMonth
	}
	return CapDay
}
