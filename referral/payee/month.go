package payee

import (
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/tax"
)

// Month is what one agent paid one taxpayer as one kind of income in one
// month, as the return lists it. Its strategy is the one it began with. Due is
// what the rule asks; it differs from what was withheld only after a payment
// came back, until the next one evens it out.
type Month struct {
	ID         int64        `json:"-"`
	AgentID    int64        `json:"-"`
	TaxpayerID int64        `json:"-"`
	IncomeType tax.Income   `json:"income_type"`
	Month      int          `json:"month" gorm:"column:month_no"`
	Strategy   tax.Strategy `json:"strategy"`
	Rule       string       `json:"rule_version" gorm:"column:rule_version"`
	Lines      int          `json:"line_count" gorm:"column:line_count"`
	Gross      money.Amount `json:"gross_fen"`
	Tax        money.Amount `json:"tax_fen"`

	PayeeID  id.Payee     `json:"payee_id" gorm:"-"` // the newest behind the taxpayer; none: a member without one
	MemberID id.Member    `json:"member_id" gorm:"-"`
	Name     string       `json:"name" gorm:"-"` // masked
	Due      money.Amount `json:"due_fen" gorm:"-"`
}

// TableName is the table of months.
func (Month) TableName() string { return "tax_months" }

func (m *Month) of(agent, taxpayer int64, income tax.Income) bool {
	return m.AgentID == agent && m.TaxpayerID == taxpayer && m.IncomeType == income
}

func (m *Month) write(tx *database.Tx) error {
	return tx.Exec("UPDATE tax_months SET line_count = ?, gross = ?, tax = ? WHERE id = ?", m.Lines, m.Gross, m.Tax, m.ID).Error
}

// lockMonths locks the months of the years that the payments may count in.
func (b *book) lockMonths(tx *database.Tx, list []Withholding) error {
	var agents, taxpayers []int64
	first, last := MonthOf(tx.Now), MonthOf(tx.Now)
	for _, w := range list {
		agents = append(agents, b.payers[w.Payer].AgentID)
		taxpayers = append(taxpayers, b.people[w.Member].Taxpayer)
		if w.PaidAt != 0 {
			first, last = min(first, MonthOf(w.PaidAt)), max(last, MonthOf(w.PaidAt))
		}
	}
	for _, a := range b.agents {
		last = max(last, a.OpenMonth)
	}
	return b.lockYears(tx, agents, taxpayers, first/100, last/100)
}

func (b *book) lockYears(tx *database.Tx, agents, taxpayers []int64, first, last int) error {
	return tx.Raw("SELECT * FROM tax_months WHERE agent_id IN ? AND taxpayer_id IN ? AND month_no >= ? AND month_no <= ? ORDER BY id"+tx.Dialect.ForUpdate,
		agents, taxpayers, first*100, last*100+99).Scan(&b.months).Error
}

// month is the locked month like the one given, made if it is not there.
func (b *book) month(tx *database.Tx, like Month) (*Month, error) {
	if m := b.find(like); m != nil {
		return m, nil
	}
	rule, err := tax.RuleOf(like.Strategy)
	if err != nil {
		return nil, err
	}
	m := like
	m.ID, m.Rule = tx.Next(), rule.Version
	if err := tx.Create(&m).Error; err != nil {
		return nil, err
	}
	b.months = append(b.months, &m)
	return &m, nil
}

// find is the locked month like the one given, nil if there is none.
func (b *book) find(like Month) *Month {
	for _, m := range b.months {
		if m.of(like.AgentID, like.TaxpayerID, like.IncomeType) && m.Month == like.Month {
			return m
		}
	}
	return nil
}

// ReverseTx takes back what was withheld from payments that came back, by
// their keys: in their own month while it is open, else in the open one,
// because what a month declared is never edited. A key taken back before is
// answered with the same line.
func ReverseTx(tx *database.Tx, keys []string) ([]Line, error) {
	b := &book{agents: map[int64]agent{}, dirty: map[*Month]bool{}}
	months, err := b.lockReversed(tx, keys)
	if err != nil {
		return nil, err
	}
	var again []string
	for _, k := range keys {
		again = append(again, k, reversedKey(k))
	}
	if b.lines, err = linesByKey(tx, again); err != nil {
		return nil, err
	}
	out, fresh := make([]Line, 0, len(keys)), []Line{}
	for _, k := range keys {
		if l, known := b.lines[reversedKey(k)]; known {
			out = append(out, l)
			continue
		}
		l, known := b.lines[k]
		if !known || l.Kind != LineWithheld {
			return nil, ErrReversed.With("key", k)
		}
		back, err := b.reverse(tx, l, months[l.MonthID])
		if err != nil {
			return nil, err
		}
		b.lines[back.Key] = back
		out, fresh = append(out, back), append(fresh, back)
	}
	return out, b.write(tx, fresh)
}

func reversedKey(key string) string { return key + ":reversed" }

// lockReversed locks the agents and months behind the lines, and gives the
// lines' own months by id.
func (b *book) lockReversed(tx *database.Tx, keys []string) (map[int64]Month, error) {
	var rows []Month
	err := tx.Raw("SELECT DISTINCT m.* FROM tax_lines l JOIN tax_months m ON m.id = l.month_id WHERE l.line_key IN ?", keys).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	own := make(map[int64]Month, len(rows))
	var agents, taxpayers []int64
	first := rows[0].Month
	for _, m := range rows {
		own[m.ID] = m
		agents, taxpayers = append(agents, m.AgentID), append(taxpayers, m.TaxpayerID)
		first = min(first, m.Month)
	}
	var locked []agent
	err = tx.Raw("SELECT id, tax_no, open_month FROM tax_agents WHERE id IN ? ORDER BY id"+tx.Dialect.ForUpdate, agents).Scan(&locked).Error
	if err != nil {
		return nil, err
	}
	last := MonthOf(tx.Now)
	for _, a := range locked {
		b.agents[a.ID], last = a, max(last, a.OpenMonth)
	}
	return own, b.lockYears(tx, agents, taxpayers, first/100, last/100)
}

func (b *book) reverse(tx *database.Tx, l Line, own Month) (Line, error) {
	like := own
	if open := b.agents[own.AgentID].OpenMonth; own.Month < open {
		like = Month{AgentID: own.AgentID, TaxpayerID: own.TaxpayerID, IncomeType: own.IncomeType, Strategy: own.Strategy, Month: max(open, MonthOf(tx.Now))}
	}
	m, err := b.month(tx, like)
	if err != nil {
		return Line{}, err
	}
	back := l
	back.ID, back.MonthID, back.Key, back.Kind, back.Corrects, back.At = tx.Next(), m.ID, reversedKey(l.Key), LineReversed, l.ID, tx.Now
	back.Promised, back.Gross, back.Tax, back.Net = -l.Promised, -l.Gross, -l.Tax, -l.Net
	back.Month = m.Month
	b.note(m, back)
	return back, nil
}
