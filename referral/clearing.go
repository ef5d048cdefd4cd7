package referral

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// Clearing is what became payable together, of one program, payer and currency. Its
// events have ids that follow each other and begin with its own. The room of
// settlements writes Settled: 1 says that each of its rewards stands on a live
// line, 0 that some may not.
type Clearing struct {
	ID          int64
	ProgramID   id.Program
	PayerID     id.Payer
	Currency    string
	RewardCount int
	ClearedAt   clock.Milli
	Settled     int
}

// ClearingMost is how many rewards one clearing may hold.
const ClearingMost = id.BlockMost

// ClearingsTx writes clearings, at most 500.
func ClearingsTx(tx *database.Tx, list []Clearing) error {
	if len(list) == 0 {
		return nil
	}
	rows := make([]any, len(list))
	for i, c := range list {
		rows[i] = []any{c.ID, c.ProgramID, c.PayerID, c.Currency, c.RewardCount, c.ClearedAt, c.Settled}
	}
	err := tx.Exec("INSERT INTO clearings (id, program_id, payer_id, currency, reward_count, cleared_at, settled) VALUES "+
		strings.Repeat("?,", len(rows)-1)+"?", rows...).Error
	if err != nil {
		return fmt.Errorf("referral: clearings: %w", err)
	}
	return nil
}

// byProgram sorts rewards into the order in which they are cleared.
func byProgram(list []Reward) {
	slices.SortFunc(list, func(a, b Reward) int {
		return cmp.Or(cmp.Compare(a.ProgramID, b.ProgramID), cmp.Compare(a.PayerID, b.PayerID), cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.ID, b.ID))
	})
}

// clearingsOf takes the ids of the events of rewards that are cleared now, in
// the order of byProgram, and says which clearings they make.
func clearingsOf(tx *database.Tx, list []Reward) (events []int64, made []Clearing) {
	for i := 0; i < len(list); {
		first := list[i]
		n := 1
		for i+n < len(list) && list[i+n].ProgramID == first.ProgramID && list[i+n].PayerID == first.PayerID && list[i+n].Currency == first.Currency {
			n++
		}
		block := tx.Block(n)
		for k := range n {
			events = append(events, block+int64(k))
		}
		made = append(made, Clearing{ID: block, ProgramID: first.ProgramID, PayerID: first.PayerID, Currency: first.Currency, RewardCount: n, ClearedAt: tx.Now})
		i += n
	}
	return events, made
}

// move is the one transfer of what was cleared together: of each member what
// was reserved for him becomes payable.
func (c Clearing) move(list []Reward) wallet.Onward {
	sums := make(map[id.Member]money.Amount, len(list))
	for _, r := range list {
		sums[r.BeneficiaryID] += r.Net
	}
	return wallet.Onward{Key: fmt.Sprintf("clearing:%d", c.ID), Kind: "reward_clear", Currency: c.Currency,
		From: wallet.StageReserved, To: wallet.StagePayable, Sums: sums}
}
