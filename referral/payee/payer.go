package payee

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/tax"
)

// Payer is a legal entity that pays rewards. Payers of one tax number withhold
// as one agent, so that what they pay one person in a month is taxed together.
type Payer struct {
	ID          id.Payer     `json:"id"`
	UnitID      id.Unit      `json:"unit_id"`
	AgentID     int64        `json:"-"`
	CreatedAt   clock.Milli  `json:"created_at"`
	Version     int          `json:"version"`
	Name        string       `json:"name"`
	TaxNo       string       `json:"tax_no"`
	MchID       string       `json:"mch_id"`
	AppID       string       `json:"app_id"`
	Strategy    tax.Strategy `json:"strategy"`
	IncomeType  tax.Income   `json:"income_type"`
	BorneBy     tax.Bearer   `json:"tax_borne_by"`
	PayeeNeeded bool         `json:"payee_needed"`
	DailyLimit  money.Amount `json:"daily_limit_fen"` // what it gives out a day; 0 for no limit
	CostCentre  string       `json:"cost_centre"`
	BudgetNo    string       `json:"budget_no"`
}

// PayerIn is a payer as it comes in; an empty strategy is external_agent, an
// empty income type labor, and an empty bearer the payee.
type PayerIn struct {
	UnitID     id.Unit      `json:"unit_id"`
	Name       string       `json:"name"`
	TaxNo      string       `json:"tax_no"`
	MchID      string       `json:"mch_id"`
	AppID      string       `json:"app_id"`
	Strategy   tax.Strategy `json:"strategy"`
	IncomeType tax.Income   `json:"income_type"`
	BorneBy    tax.Bearer   `json:"tax_borne_by"`
	// PayeeNeeded: nobody is paid before he has given name and account. Only an
	// external agent, who asks for them himself, can do without.
	PayeeNeeded *bool        `json:"payee_needed"`
	DailyLimit  money.Amount `json:"daily_limit_fen"`
	CostCentre  string       `json:"cost_centre"`
	BudgetNo    string       `json:"budget_no"`
}

var codeForm = regexp.MustCompile(`^[0-9A-Za-z]{0,32}$`)

// Validate names everything wrong with the input and fills in what is left
// out.
func (in *PayerIn) Validate() error {
	if in.Strategy == "" {
		in.Strategy = tax.ExternalAgent
	}
	if in.IncomeType == "" {
		in.IncomeType = tax.IncomeLabor
	}
	if in.BorneBy == "" {
		in.BorneBy = tax.BornePayee
	}
	if in.PayeeNeeded == nil {
		yes := true
		in.PayeeNeeded = &yes
	}
	var c fault.Check
	c.Required(in.Name, "name")
	c.Length(in.Name, "name", 100)
	c.That(in.TaxNo == "" || firmNo(in.TaxNo), "tax_no", "format", "应为 18 位统一社会信用代码", "must be a unified social credit code of 18 characters")
	c.That(codeForm.MatchString(in.MchID), "mch_id", "format", "最多 32 位字母或数字", "at most 32 letters or digits")
	c.That(codeForm.MatchString(in.AppID), "app_id", "format", "最多 32 位字母或数字", "at most 32 letters or digits")
	c.OneOf(string(in.Strategy), "strategy", texts(tax.Strategies())...)
	c.OneOf(string(in.IncomeType), "income_type", texts(tax.Incomes())...)
	c.That(in.Strategy.Fits(in.IncomeType), "income_type", "combination", "该计税方式不适用于该所得项目", "the strategy does not tax this kind of income")
	c.OneOf(string(in.BorneBy), "tax_borne_by", string(tax.BornePayee), string(tax.BorneCompany))
	c.That(*in.PayeeNeeded || !in.Strategy.Withholds(), "payee_needed", "combination", "代扣税款时必须先有实名收款人", "who withholds tax must know whom he pays")
	c.That(in.DailyLimit >= 0, "daily_limit_fen", "range", "不能为负；0 为不限", "must not be negative; 0 is no limit")
	c.Length(in.CostCentre, "cost_centre", 64)
	c.Length(in.BudgetNo, "budget_no", 64)
	return c.Err()
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = string(x)
	}
	return out
}

func (in PayerIn) payer() Payer {
	return Payer{UnitID: in.UnitID, Name: in.Name, TaxNo: in.TaxNo, MchID: in.MchID, AppID: in.AppID, Strategy: in.Strategy,
		IncomeType: in.IncomeType, BorneBy: in.BorneBy, PayeeNeeded: *in.PayeeNeeded, DailyLimit: in.DailyLimit, CostCentre: in.CostCentre, BudgetNo: in.BudgetNo}
}

// CreatePayer makes a payer of the unit, or of its maker's; it may pay for
// that unit and those below.
func (s *Service) CreatePayer(ctx context.Context, in PayerIn) (id.Payer, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made id.Payer
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		p := in.payer()
		if p.UnitID == 0 {
			p.UnitID = tx.Actor.Unit
		}
		if !tx.Actor.Sees(p.UnitID) {
			return fault.NotFound
		}
		made = id.Payer(tx.Next())
		p.ID, p.Version, p.CreatedAt = made, 1, tx.Now
		if err := p.enlist(tx); err != nil {
			return err
		}
		if err := tx.Create(&p).Error; err != nil {
			return fmt.Errorf("payee: payer: %w", err)
		}
		tx.SetResult("payer", int64(made), 201)
		return database.AuditTx(tx, "payer.create", made, nil, p)
	})
	return made, err
}

// enlist puts the payer under its agent, whose payers tax one kind of income
// in one way.
func (p *Payer) enlist(tx *database.Tx) error {
	a, err := agentTx(tx, p.TaxNo, p.ID)
	if err != nil {
		return err
	}
	p.AgentID = a.ID
	var other Payer
	err = tx.Raw("SELECT id, strategy FROM payers WHERE agent_id = ? AND income_type = ? AND strategy <> ? AND id <> ? ORDER BY id LIMIT 1",
		a.ID, p.IncomeType, p.Strategy, p.ID).Scan(&other).Error
	if err != nil || other.ID == 0 {
		return err
	}
	return fault.Invalid.Field("strategy", "combination", "同一税号的付款主体 "+other.ID.String()+" 对该所得采用 "+string(other.Strategy)+"，请选用同一方式，或先更改该主体",
		other.ID.String()+" of the same tax number taxes this income by "+string(other.Strategy)+"; choose the same, or change that payer first")
}

// ChangePayer edits a payer. A month that has begun keeps its strategy, and a
// payer under which tax was withheld its tax number. Another strategy is the tax
// number's: its other payers of that income take it too, because one after the
// other they could not.
func (s *Service) ChangePayer(ctx context.Context, pid id.Payer, version int, in PayerIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		old, err := LockPayerTx(tx, pid)
		switch {
		case err != nil:
			return err
		case old.Version != version:
			return fault.Stale
		case in.UnitID != 0 && in.UnitID != old.UnitID:
			return fault.Invalid.Field("unit_id", "fixed", "付款主体所属组织不能更改", "a payer stays with its unit")
		}
		p := in.payer()
		p.ID, p.UnitID, p.Version, p.CreatedAt = old.ID, old.UnitID, old.Version+1, old.CreatedAt
		if p.TaxNo != old.TaxNo {
			var lines int
			if err := tx.Raw("SELECT COUNT(*) FROM (SELECT id FROM tax_lines WHERE payer_id = ? LIMIT 1) t", pid).Scan(&lines).Error; err != nil {
				return err
			}
			if lines > 0 {
				return ErrTaxNo
			}
		}
		if p.TaxNo == old.TaxNo && p.TaxNo != "" && p.IncomeType == old.IncomeType && p.Strategy != old.Strategy {
			if err := p.alongTx(tx, old); err != nil {
				return err
			}
		}
		if err := p.enlist(tx); err != nil {
			return err
		}
		err = tx.Exec(`UPDATE payers SET name = ?, tax_no = ?, agent_id = ?, mch_id = ?, app_id = ?, strategy = ?, income_type = ?, borne_by = ?,
			payee_needed = ?, daily_limit = ?, cost_centre = ?, budget_no = ?, version = ? WHERE id = ?`, p.Name, p.TaxNo, p.AgentID, p.MchID, p.AppID, p.Strategy,
			p.IncomeType, p.BorneBy, p.PayeeNeeded, p.DailyLimit, p.CostCentre, p.BudgetNo, p.Version, pid).Error
		if err != nil {
			return fmt.Errorf("payee: %s: %w", pid, err)
		}
		tx.SetResult("payer", int64(pid), 200)
		return database.AuditTx(tx, "payer.change", pid, old, p)
	})
}

// alongTx gives the strategy to the other payers of the tax number and the
// income. One that the actor does not see, or that could not have it, is left
// as it is, and enlisting the payer then refuses the change.
func (p Payer) alongTx(tx *database.Tx, old Payer) error {
	var list []Payer
	err := tx.Raw("SELECT * FROM payers WHERE agent_id = ? AND income_type = ? AND strategy = ? AND id <> ? ORDER BY id"+tx.Dialect.ForUpdate,
		old.AgentID, old.IncomeType, old.Strategy, old.ID).Scan(&list).Error
	if err != nil {
		return fmt.Errorf("payee: payers of %s: %w", p.TaxNo, err)
	}
	for _, was := range list {
		if !tx.Actor.Sees(was.UnitID) || p.Strategy.Withholds() && !was.PayeeNeeded {
			continue
		}
		with := was
		with.Strategy, with.Version = p.Strategy, was.Version+1
		if err := tx.Exec("UPDATE payers SET strategy = ?, version = ? WHERE id = ?", with.Strategy, with.Version, with.ID).Error; err != nil {
			return fmt.Errorf("payee: %s: %w", with.ID, err)
		}
		if err := database.AuditTx(tx, "payer.change", with.ID, was, with); err != nil {
			return err
		}
	}
	return nil
}

// LockPayerTx locks a payer that the actor sees.
func LockPayerTx(tx *database.Tx, pid id.Payer) (Payer, error) {
	var p Payer
	err := tx.Raw("SELECT * FROM payers WHERE id = ?"+tx.Dialect.ForUpdate, pid).Scan(&p).Error
	if err == nil && (p.ID == 0 || !tx.Actor.Sees(p.UnitID)) {
		err = fault.NotFound
	}
	return p, err
}

// FindPayer is one payer.
func (s *Service) FindPayer(ctx context.Context, pid id.Payer) (Payer, error) {
	return findPayer(ctx, s.DB.Read(ctx), pid)
}

func findPayer(ctx context.Context, q *database.Query, pid id.Payer) (Payer, error) {
	var p Payer
	err := q.Raw("SELECT * FROM payers WHERE id = ?", pid).Scan(&p).Error
	if err == nil && (p.ID == 0 || !database.ActorOf(ctx).Sees(p.UnitID)) {
		err = fault.NotFound
	}
	return p, err
}

// ListPayers lists the payers of the units that the actor sees, newest first.
func (s *Service) ListPayers(ctx context.Context, page database.Page) (database.Paged[Payer], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	var rows []Payer
	err := s.DB.Read(ctx).Raw("SELECT * FROM payers WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	return database.Cut(page, rows, func(p Payer) int64 { return int64(p.ID) }), err
}

// NamesOf are what payers are called, whoever asks: what a unit is owed may be
// paid by one above it.
func NamesOf(q *database.Query, payers []id.Payer) (map[id.Payer]string, error) {
	names := map[id.Payer]string{}
	for part := range slices.Chunk(payers, 150) {
		var rows []Payer
		if err := q.Raw("SELECT id, name FROM payers WHERE id IN ?", part).Scan(&rows).Error; err != nil {
			return nil, fmt.Errorf("payee: names of payers: %w", err)
		}
		for _, p := range rows {
			names[p.ID] = p.Name
		}
	}
	return names, nil
}
