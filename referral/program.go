package referral

import (
	"context"
	"fmt"
	"regexp"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/wallet"
)

// ScopeNewMember is shared by all programs for new members.
const ScopeNewMember = "new_member"

// Program is reward rules with a budget. Programs of one scope share bindings.
type Program struct {
	ID         id.Program    `json:"id"`
	UnitID     id.Unit       `json:"unit_id"`
	PayerID    id.Payer      `json:"payer_id"` // none: the default payer
	Name       string        `json:"name"`
	Scope      string        `json:"scope"`
	Status     ProgramStatus `json:"status"`
	Currency   string        `json:"currency"`
	Budget     money.Amount  `json:"budget_fen"`
	BudgetLeft money.Amount  `json:"budget_left_fen" gorm:"-"`
	Latest     int           `json:"rules_version"`
	Rules      Rules         `json:"rules" gorm:"-"`
	Digest     string        `json:"rules_digest" gorm:"-"`
	Version    int           `json:"version"`
	CreatedAt  clock.Milli   `json:"created_at"`
}

// ProgramIn is a new program. Without a unit it belongs to its maker's, without
// a payer the default one pays; both are for life.
type ProgramIn struct {
	UnitID   id.Unit      `json:"unit_id"`
	PayerID  id.Payer     `json:"payer_id"`
	Name     string       `json:"name"`
	Scope    string       `json:"scope"`
	Currency string       `json:"currency"`
	Budget   money.Amount `json:"budget_fen"`
	Rules    RulesIn      `json:"rules"`
}

// maxBudget is 10 billion yuan.
const maxBudget = 1_000_000_000_000

var scopeName = regexp.MustCompile(`^[a-z0-9_-]{0,40}$`)

// Validate names everything wrong with the input.
func (in ProgramIn) Validate() error {
	var c fault.Check
	c.Required(in.Name, "name")
	c.Length(in.Name, "name", 100)
	c.That(scopeName.MatchString(in.Scope), "scope", "format", "最多 40 个小写字母、数字、- 或 _", "at most 40 lower case letters, digits, - or _")
	c.That(in.Currency == "" || in.Currency == money.CNY, "currency", "unknown_value", "预算以人民币计，积分和优惠券写在每条奖励里", "a budget is CNY; points and coupons are named by each reward")
	c.Range(int64(in.Budget), "budget_fen", 0, maxBudget)
	if err := c.Err(); err != nil {
		return err
	}
	if err := in.Rules.Validate(); err != nil {
		return err
	}
	if in.Scope != "" {
		return scopeFits(in.Scope, in.Rules.Trigger)
	}
	return nil
}

// scopeFits keeps first-order programs in the one scope in which bindings are
// checked for new members and circles.
func scopeFits(scope string, t Trigger) error {
	if t == TriggerFirstPaidOrder && scope != ScopeNewMember {
		return ErrScope
	}
	return nil
}

// CreateProgram makes a program with its first version and funds its budget
// from the brand's outside money.
func (s *Service) CreateProgram(ctx context.Context, in ProgramIn) (id.Program, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made id.Program
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		unit := in.UnitID
		if unit == 0 {
			unit = tx.Actor.Unit
		}
		if !tx.Actor.Sees(unit) {
			return fault.NotFound
		}
		if in.PayerID != 0 {
			if _, err := payee.PayerTx(tx, unit, in.PayerID); err != nil {
				return err
			}
		}
		if err := in.Rules.givable(tx); err != nil {
			return err
		}
		made = id.Program(tx.Next())
		scope := in.Scope
		switch {
		case scope == "" && in.Rules.Trigger == TriggerFirstPaidOrder:
			scope = ScopeNewMember
		case scope == "":
			scope = made.String()
		}
		err := tx.Exec(`INSERT INTO programs (id, unit_id, payer_id, name, scope, status, currency, budget, latest, version, created_at)
			VALUES (?, ?, ?, ?, ?, 'active', ?, ?, 1, 1, ?)`, made, unit, in.PayerID, in.Name, scope, money.CNY, in.Budget, tx.Now).Error
		if err != nil {
			return fmt.Errorf("referral: program: %w", err)
		}
		if err := writeVersion(tx, made, 1, in.Rules.Rules()); err != nil {
			return err
		}
		if err := fundTx(tx, made, in.Budget); err != nil {
			return err
		}
		tx.SetResult("program", int64(made), 201)
		return database.AuditTx(tx, "program.create", made, nil, in)
	})
	return made, err
}

func fundTx(tx *database.Tx, p id.Program, n money.Amount) error {
	if n == 0 {
		return nil
	}
	_, err := wallet.FundTx(tx, wallet.Fund{
		Key: fmt.Sprintf("program:%d:fund:%d", p, tx.Next()), Owner: wallet.Program(p), Currency: money.CNY, Amount: n,
	})
	return err
}

// lockProgram reads the program for a change.
func lockProgram(tx *database.Tx, p id.Program) (Program, error) {
	var row Program
	err := tx.Raw(`SELECT id, unit_id, payer_id, name, scope, status, currency, budget, latest, version, created_at
		FROM programs WHERE id = ?`+tx.Dialect.ForUpdate, p).Take(&row).Error
	if err != nil {
		return row, database.Absent(err)
	}
	if !tx.Actor.Sees(row.UnitID) {
		return row, fault.NotFound
	}
	return row, nil
}

// TopUp adds outside money to the program's budget.
func (s *Service) TopUp(ctx context.Context, p id.Program, n money.Amount) error {
	var c fault.Check
	c.Range(int64(n), "amount_fen", 1, maxBudget)
	if err := c.Err(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		row, err := lockProgram(tx, p)
		if err != nil {
			return err
		}
		c.Range(int64(row.Budget+n), "amount_fen", 1, maxBudget)
		if err := c.Err(); err != nil {
			return err
		}
		if err := tx.Exec("UPDATE programs SET budget = budget + ?, version = version + 1 WHERE id = ?", n, p).Error; err != nil {
			return fmt.Errorf("referral: %s: %w", p, err)
		}
		if err := fundTx(tx, p, n); err != nil {
			return err
		}
		tx.SetResult("program", int64(p), 200)
		return database.AuditTx(tx, "program.top_up", p, row.Budget, row.Budget+n)
	})
}

// FindProgram is the program with its latest rules and what its budget still
// holds.
func (s *Service) FindProgram(ctx context.Context, p id.Program) (Program, error) {
	return FindIn(ctx, s.DB.Read(ctx), p)
}

// FindIn is FindProgram for who reads more beside it, in one snapshot.
func FindIn(ctx context.Context, q *database.Query, p id.Program) (Program, error) {
	var row Program
	err := q.Raw(`SELECT id, unit_id, payer_id, name, scope, status, currency, budget, latest, version, created_at
		FROM programs WHERE id = ?`, p).Take(&row).Error
	if err != nil {
		return row, database.Absent(err)
	}
	if !database.ActorOf(ctx).Sees(row.UnitID) {
		return Program{}, fault.NotFound
	}
	return row.filled(q)
}

func (p Program) filled(q *database.Query) (Program, error) {
	var err error
	if p.Rules, err = rulesOf(q, p.ID, p.Latest); err != nil {
		return p, err
	}
	_, p.Digest = p.Rules.Digest()
	p.BudgetLeft, err = wallet.Balance(q, wallet.StageBudget, wallet.Program(p.ID), p.Currency)
	return p, err
}

// ListPrograms lists the programs the actor sees, newest first.
func (s *Service) ListPrograms(ctx context.Context, page database.Page) (database.Paged[Program], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	var list []Program
	err := s.DB.Read(ctx).Raw(`SELECT id, unit_id, payer_id, name, scope, status, currency, budget, latest, version, created_at
		FROM programs WHERE id < ?`+cond+` ORDER BY id DESC LIMIT ?`,
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&list).Error
	if err != nil {
		return database.Paged[Program]{}, fmt.Errorf("referral: list programs: %w", err)
	}
	out := database.Cut(page, list, func(p Program) int64 { return int64(p.ID) })
	for i, p := range out.Items {
		if out.Items[i], err = p.filled(s.DB.Read(ctx)); err != nil {
			return out, err
		}
	}
	return out, nil
}
