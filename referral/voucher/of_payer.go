package voucher

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
	"siyu/referral/payee"
)

// whose says of the things that a transfer's key begins with, like reward:12,
// who pays them. What begins otherwise, as a campaign's own budget and
// discounts or a merge of members, is no payer's.
var whose = map[string]string{
	"reward":     "SELECT x.id, " + referral.PayerOf("x") + " AS payer_id FROM rewards x WHERE x.id IN ?",
	"clearing":   "SELECT x.id, " + referral.PayerOf("x") + " AS payer_id FROM clearings x WHERE x.id IN ?",
	"program":    "SELECT x.id, x.payer_id FROM programs x WHERE x.id IN ?",
	"payout":     "SELECT x.id, x.payer_id FROM payouts x WHERE x.id IN ?",
	"withdrawal": "SELECT x.id, x.payer_id FROM withdrawals x WHERE x.id IN ?",
}

// OfPayer is what of the newest set of a day is one payer's; without one, what
// is no payer's. It is booked by the set's chart, so all parts make up the set,
// save that the types of payees are those of now.
func (s *Service) OfPayer(ctx context.Context, day int, pid id.Payer) (Set, error) {
	set, err := s.Find(ctx, day)
	if err != nil {
		return set, err
	}
	covered := []id.Payer{nobody}
	if pid != 0 {
		p, err := payee.Booked(ctx, s.DB.Read(ctx), pid)
		if err != nil {
			return set, err
		}
		covered = p.Covers()
		set.Part = Part{PayerID: pid, PayerName: p.Name, CostCentre: p.CostCentre, BudgetNo: p.BudgetNo}
	}
	// A closed day never changes, so it is read in pieces.
	sums := map[Line]Line{}
	for after := int64(0); ; {
		list, err := transfersAfter(s.DB.Read(ctx), set.CloseNo, after)
		if err != nil {
			return set, err
		}
		if len(list) == 0 {
			break
		}
		after = list[len(list)-1].ID
		if err := addMovements(s.DB.Read(ctx), list, covered, sums); err != nil {
			return set, err
		}
	}
	set.Lines = sorted(sums)
	set.Count, set.Debit, set.Credit = len(set.Lines), 0, 0
	chart, err := chartUpto(s.DB.Read(ctx), set.ChartNo)
	if err != nil {
		return set, err
	}
	return set, set.book(chart)
}

// nobody is the payer of what is no payer's; 0 is the default payer.
const nobody id.Payer = -1

// transfer is one of a close, with what its key begins with.
type transfer struct {
	ID   int64
	Text string `gorm:"column:transfer_key"`
}

// of splits what the key begins with into what it is and which.
func (t transfer) of() (what string, which int64) {
	parts := strings.SplitN(t.Text, ":", 3)
	if len(parts) < 2 {
		return "", 0
	}
	which, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return "", 0
	}
	return parts[0], which
}

// transfersMost is how many are looked at together: an IN list stays under the
// 200 from which on MySQL and MariaDB guess.
const transfersMost = 199

func transfersAfter(q *database.Query, closeNo, after int64) ([]transfer, error) {
	var list []transfer
	err := q.Raw("SELECT id, transfer_key FROM transfers WHERE close_no = ? AND id > ? ORDER BY id LIMIT ?", closeNo, after, transfersMost).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("voucher: transfers of close %d: %w", closeNo, err)
	}
	return list, nil
}

// addMovements sums up what those of the transfers moved that the payers pay.
func addMovements(q *database.Query, list []transfer, payers []id.Payer, sums map[Line]Line) error {
	of, err := payersOf(q, list)
	if err != nil {
		return err
	}
	var ids []int64
	for i, t := range list {
		if slices.Contains(payers, of[i]) {
			ids = append(ids, t.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	moved, err := movements(q, "", "t.id IN ?", ids)
	for _, l := range moved {
		add(sums, l)
	}
	return err
}

// payersOf says who pays each transfer, in their order.
func payersOf(q *database.Query, list []transfer) ([]id.Payer, error) {
	asked, known := map[string][]int64{}, map[string]map[int64]id.Payer{}
	for _, t := range list {
		what, which := t.of()
		asked[what] = append(asked[what], which)
	}
	for what, ids := range asked {
		if whose[what] == "" {
			continue
		}
		var rows []struct {
			ID      int64
			PayerID id.Payer
		}
		if err := q.Raw(whose[what], ids).Scan(&rows).Error; err != nil {
			return nil, fmt.Errorf("voucher: who pays a %s: %w", what, err)
		}
		known[what] = make(map[int64]id.Payer, len(rows))
		for _, r := range rows {
			known[what][r.ID] = r.PayerID
		}
	}
	out := make([]id.Payer, len(list))
	for i, t := range list {
		what, which := t.of()
		payer, ok := known[what][which]
		if !ok {
			payer = nobody
		}
		out[i] = payer
	}
	return out, nil
}

// add puts a movement to those of its sort.
func add(sums map[Line]Line, l Line) {
	sort := l
	sort.Debit, sort.Credit = 0, 0
	was := sums[sort]
	l.Debit, l.Credit = l.Debit+was.Debit, l.Credit+was.Credit
	sums[sort] = l
}

// sorted are the sums in a fixed order.
func sorted(sums map[Line]Line) []Line {
	out := make([]Line, 0, len(sums))
	for _, l := range sums {
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.PayeeType, b.PayeeType), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.OwnerKind, b.OwnerKind))
	})
	return out
}
