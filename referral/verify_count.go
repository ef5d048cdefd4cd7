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

// verifyCounts counts the rewards under each program's caps again, and holds
// each counter against what it must say and the widest cap of any version.
func verifyCounts(ctx context.Context, db *database.DB) (database.Proof, error) {
	p := database.Proof{ID: "V5", Says: "caps count what was earned under them, and hold"}
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
	caps, err := capsOf(q, program)
	if err != nil {
		return err
	}
	want, err := recount(q, program, caps)
	if err != nil {
		return err
	}
	var rows []struct {
		MemberID    id.Member
		WindowNo    int
		Qty         int64
		Cost        money.Amount
		BroughtQty  int64
		BroughtCost money.Amount
	}
	err = q.Raw(`SELECT member_id, window_no, qty, cost, brought_qty, brought_cost FROM reward_counts WHERE program_id = ?`, program).Scan(&rows).Error
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
		c := counter{today[r.MemberID], r.WindowNo}
		have[c] = used{have[c].Qty + r.Qty, have[c].Cost + r.Cost}
		most := widest(caps, c)
		if most.Qty > 0 && r.Qty > most.Qty+r.BroughtQty || most.Cost > 0 && r.Cost > most.Cost+r.BroughtCost {
			p.Break("program %s, window %d of %s: %d rewards of %s, beyond %d and %s", program, r.WindowNo, r.MemberID, r.Qty, r.Cost, most.Qty, most.Cost)
		}
	}
	for c, n := range want {
		if have[c] != n {
			p.Break("program %s, window %d of %s: counted %v, its rewards say %v", program, c.window, c.member, have[c], n)
		}
	}
	for c, n := range have {
		if _, known := want[c]; !known && n != (used{}) {
			p.Break("program %s, window %d of %s: counted %v of no reward", program, c.window, c.member, n)
		}
	}
	return nil
}

// capsOf are the caps of each version of a program.
func capsOf(q *database.Query, program id.Program) (map[int][]Cap, error) {
	var rows []ProgramVersion
	if err := q.Raw("SELECT number, rules FROM program_versions WHERE program_id = ?", program).Scan(&rows).Error; err != nil {
		return nil, err
	}
	caps := make(map[int][]Cap, len(rows))
	for _, v := range rows {
		r, err := readRules(v.Text)
		if err != nil {
			return nil, fmt.Errorf("referral: version %d of %s: %w", v.Number, program, err)
		}
		caps[v.Number] = r.Caps
	}
	return caps, nil
}

// recount counts the program's rewards by the caps of their versions.
func recount(q *database.Query, program id.Program, caps map[int][]Cap) (map[counter]used, error) {
	type row struct {
		version int
		member  id.Member
		cost    money.Amount
		at      clock.Milli
	}
	rows, err := q.Raw("SELECT program_version, beneficiary_id, amount * unit_cost, earned_at FROM rewards WHERE program_id = ? AND amount > 0", program).Rows()
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.version, &r.member, &r.cost, &r.at); err != nil {
			return nil, err
		}
		if len(caps[r.version]) > 0 {
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
		for _, p := range caps[r.version] {
			c := p.counter(today[r.member], r.at)
			want[c] = used{want[c].Qty + 1, want[c].Cost + r.cost}
		}
	}
	return want, nil
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
func widest(caps map[int][]Cap, c counter) used {
	var most used
	freeQty, freeCost := false, false
	for _, list := range caps {
		for _, p := range list {
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
