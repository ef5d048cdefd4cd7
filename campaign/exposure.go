package campaign

import (
	"slices"

	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// Exposure is the worst that may become of a campaign's budgets: every piece
// sold, each to an invited member in an order of its own.
type Exposure struct {
	Pieces   int64        `json:"pieces"`
	Rewards  money.Amount `json:"rewards_fen"` // at most, both sides
	Budget   money.Amount `json:"budget_left_fen"`
	Short    money.Amount `json:"short_fen"` // of the budget
	RunsOut  bool         `json:"runs_out"`
	AtPiece  int64        `json:"runs_out_at_piece"` // the first whose reward it could not pay; 0 is never
	Discount money.Amount `json:"discounts_fen"`     // list prices less the least members could pay
}

// tenThousand is the scale at which rates of prices are whole numbers.
const tenThousand = money.Amount(money.Whole)

// Worst is the exposure of the pieces not yet sold under the program's rules;
// the stacks are those of the items.
// A reward is floored and capped per order, so no way of making orders earns
// more than every piece by itself at the unrounded rate.
func Worst(items []Item, stacks []Stack, products map[id.Product]Product, rules referral.Rules, budget money.Amount) Exposure {
	out := Exposure{Budget: budget}
	type lot struct{ pieces, weight money.Amount }
	var lots []lot
	var rest money.Amount
	for i, item := range items {
		n := money.Amount(item.Left + item.Held)
		w := perPiece(item.Price, rules)
		lots = append(lots, lot{n, w})
		out.Pieces += int64(n)
		out.Rewards += n.Share(w, tenThousand)
		rest += n % tenThousand * (w % tenThousand) % tenThousand
		out.Discount += n.Share(max(products[item.ProductID].ListPrice-stacks[i].Lowest, 0), 1)
	}
	out.Rewards += rest / tenThousand
	out.Short = max(out.Rewards-budget, 0)
	slices.SortStableFunc(lots, func(a, b lot) int { return int(min(max(b.weight-a.weight, -1), 1)) })
	left, before := (budget+1)*tenThousand-1, int64(0) // a reward is whole fen
	for _, l := range lots {
		if l.weight == 0 {
			break
		}
		if fits := left / l.weight; fits < l.pieces {
			out.RunsOut, out.AtPiece = true, before+int64(fits)+1
			break
		}
		left -= l.pieces * l.weight
		before += int64(l.pieces)
	}
	return out
}

// perPiece is what one piece may earn in all, in ten-thousandths of a fen.
func perPiece(price money.Amount, rules referral.Rules) money.Amount {
	var sum money.Amount
	for _, p := range rules.Rewards {
		sum += p.WorstOf(price)
	}
	return sum
}
