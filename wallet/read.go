package wallet

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Wallet is what one member is promised, owed and was paid.
type Wallet struct {
	MemberID id.Member `json:"member_id"`
	Balances []Held    `json:"balances"`
}

// Held is one balance. A negative payable is a debt that later rewards net.
type Held struct {
	Stage    Stage        `json:"stage"`
	Currency string       `json:"currency"`
	Amount   money.Amount `json:"amount_fen" gorm:"column:balance"`
}

// Of is the balance at the stage in the currency.
func (w Wallet) Of(s Stage, currency string) money.Amount {
	for _, h := range w.Balances {
		if h.Stage == s && h.Currency == currency {
			return h.Amount
		}
	}
	return 0
}

// Entry is one line of a member's ledger.
type Entry struct {
	ID         int64        `json:"-"`
	TransferID id.Transfer  `json:"transfer_id"`
	Kind       string       `json:"kind"`
	Stage      Stage        `json:"stage"`
	Currency   string       `json:"currency"`
	Amount     money.Amount `json:"amount_fen"`
	At         clock.Milli  `json:"at"`
}

// MemberWallet is the member's balances by stage. Who may ask is decided by
// the caller; a merged member's balances are with the one he became.
func (s *Service) MemberWallet(ctx context.Context, m id.Member) (Wallet, error) {
	w := Wallet{MemberID: m, Balances: []Held{}}
	err := s.DB.Read(ctx).Raw(`SELECT stage, currency, balance FROM accounts
		WHERE owner_kind = ? AND owner_id = ? AND stage IN ? ORDER BY currency, id`,
		OwnerMember, m, memberStages).Scan(&w.Balances).Error
	if err != nil {
		return w, fmt.Errorf("wallet: of %s: %w", m, err)
	}
	return w, nil
}

var memberStages = []Stage{StageReserved, StagePayable, StagePaying, StagePaid, StageTax, StagePoints, StageFrozen}

// Entries lists the member's ledger, newest first.
func (s *Service) Entries(ctx context.Context, m id.Member, page database.Page) (database.Paged[Entry], error) {
	var list []Entry
	err := s.DB.Read(ctx).Raw(`SELECT e.id, e.transfer_id, t.kind, a.stage, e.currency, e.amount, e.at
		FROM accounts a JOIN entries e ON e.account_id = a.id JOIN transfers t ON t.id = e.transfer_id
		WHERE a.owner_kind = ? AND a.owner_id = ? AND a.stage IN ? AND e.id < ? ORDER BY e.id DESC LIMIT ?`,
		OwnerMember, m, memberStages, page.Bound(), page.Fetch()).Scan(&list).Error
	if err != nil {
		return database.Paged[Entry]{}, fmt.Errorf("wallet: entries of %s: %w", m, err)
	}
	return database.Cut(page, list, func(e Entry) int64 { return e.ID }), nil
}
