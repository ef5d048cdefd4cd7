package payee

import (
	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/referral/tax"
)

// Payer is a legal entity that pays rewards. Payers of one tax number withhold
// as one agent.
type Payer struct {
	ID          id.Payer     `json:"id"`
	UnitID      id.Unit      `json:"unit_id"`
	Name        string       `json:"name"`
	TaxNo       string       `json:"tax_no"`
	AgentID     id.Payer     `json:"agent_id"`
	MchID       string       `json:"mch_id"`
	AppID       string       `json:"app_id"`
	Strategy    tax.Strategy `json:"strategy"`
	IncomeType  tax.Income   `json:"income_type"`
	BorneBy     tax.Bearer   `json:"tax_borne_by"`
	PayeeNeeded bool         `json:"payee_needed"`
	CostCentre  string       `json:"cost_centre"`
	BudgetNo    string       `json:"budget_no"`
	Version     int          `json:"version"`
	CreatedAt   clock.Milli  `json:"created_at"`
}
