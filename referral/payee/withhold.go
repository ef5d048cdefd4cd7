package payee

import (
	"fmt"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/tax"
)

// maxAtOnce bounds what one transaction withholds: each is a line, and most a
// month.
const maxAtOnce = 200

// Withholding is one payment about to be made. Its key is permanent: asked
// again, the same line is the answer.
type Withholding struct {
	Key    string
	Payer  id.Payer // 0 is nobody in particular, who withholds nothing
	Member id.Member
	Amount money.Amount // gross, or net where the payer bears the tax
	PaidAt clock.Milli  // its month of payment; 0 is now
}

// WithholdTx withholds from the payments, in the order given, and writes a
// line for each; the answers are in the same order. A payment dated in a
// closed month counts in the open one. It locks the agents, then the months,
// by id; the caller has locked his settlement and not yet his accounts.
func WithholdTx(tx *database.Tx, list []Withholding) ([]Line, error) {
	if len(list) > maxAtOnce {
		return nil, fmt.Errorf("payee: %d payments at once, at most %d", len(list), maxAtOnce)
	}
	b, err := openBook(tx, list)
	if err != nil {
		return nil, err
	}
	out, fresh := make([]Line, 0, len(list)), []Line{}
	for _, w := range list {
		if l, known := b.lines[w.Key]; known {
			out = append(out, l)
			continue
		}
		l, err := b.withhold(tx, w)
		if err != nil {
			return nil, fmt.Errorf("payee: %s: %w", w.Key, err)
		}
		b.lines[w.Key] = l
		out, fresh = append(out, l), append(fresh, l)
	}
	if err := b.write(tx, fresh); err != nil {
		return nil, err
	}
	return out, firstPaid(tx, fresh)
}

// book is what one transaction withholds with: all that it names, locked.
type book struct {
	payers map[id.Payer]Payer
	agents map[int64]agent
	lines  map[string]Line
	people map[id.Member]person
	months []*Month
	dirty  map[*Month]bool
}

// openBook reads what the payments need. The agents are locked first; what is
// read after stands still.
func openBook(tx *database.Tx, list []Withholding) (*book, error) {
	b := &book{agents: map[int64]agent{}, dirty: map[*Month]bool{}}
	var keys []string
	var payers []id.Payer
	var members []id.Member
	for _, w := range list {
		keys, payers, members = append(keys, w.Key), append(payers, w.Payer), append(members, w.Member)
	}
	var err error
	if b.payers, err = payersTx(tx, payers); err != nil {
		return nil, err
	}
	if err := b.lockAgents(tx, payers); err != nil {
		return nil, err
	}
	if b.lines, err = linesByKey(tx, keys); err != nil {
		return nil, err
	}
	if b.people, err = peopleOf(tx.DB, members); err != nil {
		return nil, err
	}
	return b, b.lockMonths(tx, list)
}

func (b *book) lockAgents(tx *database.Tx, payers []id.Payer) error {
	var ids []int64
	for _, pid := range payers {
		p := b.payers[pid]
		if p.AgentID == 0 { // nobody in particular is an agent too
			a, err := agentTx(tx, "none", 0)
			if err != nil {
				return err
			}
			p.AgentID = a.ID
			b.payers[pid] = p
		}
		ids = append(ids, p.AgentID)
	}
	var rows []agent
	err := tx.Raw("SELECT id, tax_no, open_month FROM tax_agents WHERE id IN ? ORDER BY id"+tx.Dialect.ForUpdate, ids).Scan(&rows).Error
	for _, a := range rows {
		b.agents[a.ID] = a
	}
	return err
}

// withhold works out one payment and notes it in its month.
func (b *book) withhold(tx *database.Tx, w Withholding) (Line, error) {
	who := b.people[w.Member]
	m, err := b.month(tx, b.monthFor(tx, w))
	if err != nil {
		return Line{}, err
	}
	r, by, err := b.pay(m, w)
	if err != nil {
		return Line{}, err
	}
	l := Line{ID: tx.Next(), MonthID: m.ID, Key: w.Key, Kind: LineWithheld, PayerID: w.Payer, MemberID: who.Member, PayeeID: who.Payee,
		BorneBy: by, Promised: w.Amount, Gross: r.Gross, Taxable: r.Taxable, Rate: r.Rate, Quick: r.Quick, Tax: r.Tax, Net: r.Net,
		Rule: m.Rule, At: tx.Now, Month: m.Month, IncomeType: m.IncomeType}
	b.note(m, l)
	return l, nil
}

// pay says what becomes of a payment in its month, and who bears the tax.
func (b *book) pay(m *Month, w Withholding) (tax.Result, tax.Bearer, error) {
	by := b.payers[w.Payer].BorneBy
	if !m.Strategy.Withholds() {
		by = tax.BornePayee // there is nothing to bear
	}
	r, err := tax.Pay(m.Strategy, by, b.before(m), w.Amount)
	return r, by, err
}

func (b *book) note(m *Month, l Line) {
	m.Lines, m.Gross, m.Tax = m.Lines+1, m.Gross+l.Gross, m.Tax+l.Tax
	b.dirty[m] = true
}

// write inserts the new lines and what their months have come to.
func (b *book) write(tx *database.Tx, lines []Line) error {
	if len(lines) == 0 {
		return nil
	}
	for _, m := range b.months {
		if !b.dirty[m] {
			continue
		}
		if err := m.write(tx); err != nil {
			return fmt.Errorf("payee: month %d: %w", m.ID, err)
		}
	}
	if err := tx.Create(&lines).Error; err != nil {
		return fmt.Errorf("payee: tax lines: %w", err)
	}
	return nil
}

// firstPaid notes that payees have been paid: from now on a change of theirs
// waits for a second person.
func firstPaid(tx *database.Tx, lines []Line) error {
	var ids []id.Payee
	for _, l := range lines {
		if l.PayeeID != 0 {
			ids = append(ids, l.PayeeID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return tx.Exec("UPDATE payees SET paid_at = ? WHERE id IN ? AND paid_at = 0", tx.Now, ids).Error
}

// person is who a member is for the tax office, and as what he is paid.
type person struct {
	Member   id.Member // today
	Payee    id.Payee
	No       int
	Type     Type
	Taxpayer int64
}

// peopleOf finds who members are today and as what they are paid. One without
// a payee is a taxpayer by his own id.
func peopleOf(q *database.Query, members []id.Member) (map[id.Member]person, error) {
	live, err := community.FollowMerges(q, members)
	if err != nil {
		return nil, err
	}
	var today []id.Member
	for _, m := range members {
		if live[m] == 0 {
			live[m] = m // erased rows keep their id
		}
		today = append(today, live[m])
	}
	versions, err := activeOf(q, today)
	if err != nil {
		return nil, err
	}
	out := make(map[id.Member]person, len(members))
	for _, m := range members {
		p := person{Member: live[m], Taxpayer: int64(live[m])}
		if v, ok := versions[live[m]]; ok {
			p.Payee, p.No, p.Type, p.Taxpayer = v.PayeeID, v.No, v.Type, v.TaxpayerID
		}
		out[m] = p
	}
	return out, nil
}

// monthFor is the month that a payment counts in: that of its date, or the open
// one if that is closed. Year to date it is never one before the last
// that has lines, because later ones rest on earlier ones.
func (b *book) monthFor(tx *database.Tx, w Withholding) Month {
	payer, who, paid := b.payers[w.Payer], b.people[w.Member], w.PaidAt
	if paid == 0 {
		paid = tx.Now
	}
	income, strategy := payer.IncomeType, payer.Strategy
	if who.Type.invoices() {
		income, strategy = tax.IncomeBusiness, tax.Invoiced
	}
	if who.Type == TypeStaff {
		income, strategy = tax.IncomeWages, tax.Payroll
	}
	no := max(MonthOf(paid), b.agents[payer.AgentID].OpenMonth)
	if strategy == tax.LaborCumulative2025 {
		for _, m := range b.months {
			if m.of(payer.AgentID, who.Taxpayer, income) && m.Month/100 == no/100 {
				no = max(no, m.Month)
			}
		}
	}
	return Month{AgentID: payer.AgentID, TaxpayerID: who.Taxpayer, IncomeType: income, Month: no, Strategy: strategy}
}

// before is what the rule looks at: the month, and the year's months before it.
func (b *book) before(m *Month) tax.Month {
	out := tax.Month{Gross: m.Gross, Tax: m.Tax, Months: 1}
	for _, o := range b.months {
		if !o.of(m.AgentID, m.TaxpayerID, m.IncomeType) || o.Month/100 != m.Month/100 || o.Month >= m.Month || o.Strategy != m.Strategy {
			continue
		}
		out.YearGross, out.YearTax = out.YearGross+o.Gross, out.YearTax+o.Tax
		out.Months = max(out.Months, m.Month-o.Month+1)
	}
	return out
}

// linesByKey reads the lines that stand already.
func linesByKey(tx *database.Tx, keys []string) (map[string]Line, error) {
	out := make(map[string]Line, len(keys))
	for part := range slices.Chunk(keys, 200) {
		var rows []struct {
			Line
			MonthNo int
			Income  tax.Income
		}
		err := tx.Raw(`SELECT l.*, m.month_no, m.income_type AS income FROM tax_lines l JOIN tax_months m ON m.id = l.month_id
			WHERE l.line_key IN ?`, part).Scan(&rows).Error
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			r.Line.Month, r.Line.IncomeType = r.MonthNo, r.Income
			out[r.Line.Key] = r.Line
		}
	}
	return out, nil
}
