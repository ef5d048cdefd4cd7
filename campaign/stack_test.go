package campaign

import (
	"testing"

	"pgregory.net/rapid"

	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/wallet"
)

const forever = clock.Milli(1 << 50)

func TestLowest(t *testing.T) {
	apple := Product{ID: 1, SKU: "apple", Cost: 3_000, FloorPrice: 5_000, ListPrice: 12_000}
	amount := func(n, min money.Amount) wallet.Terms {
		return wallet.Terms{Kind: wallet.DiscountAmount, Amount: n, MinSpend: min, ValidUntil: forever}
	}
	percent := func(r money.Bps, cap money.Amount) wallet.Terms {
		return wallet.Terms{Kind: wallet.DiscountPercent, Rate: r, Cap: cap, ValidUntil: forever}
	}
	only := func(t wallet.Terms, skus ...string) wallet.Terms { t.Include.SKUs = skus; return t }
	not := func(t wallet.Terms, skus ...string) wallet.Terms { t.Exclude.SKUs = skus; return t }
	for name, c := range map[string]struct {
		terms    []wallet.Terms
		perOrder int
		points   money.Bps
		pays     money.Amount
		pieces   int
		coupon   id.Coupon
		margin   money.Amount
		rate     money.Bps
		floor    bool
		cost     bool
	}{
		"the campaign's price alone":                 {pays: 10_000, pieces: 1, margin: 7_000, rate: 7_000},
		"an amount":                                  {terms: []wallet.Terms{amount(2_000, 0)}, pays: 8_000, pieces: 1, coupon: 1, margin: 5_000, rate: 6_250},
		"the better of two, never both":              {terms: []wallet.Terms{amount(2_000, 0), percent(3_000, 0)}, pays: 7_000, pieces: 1, coupon: 2, margin: 4_000, rate: 5_714},
		"a percentage up to its cap":                 {terms: []wallet.Terms{percent(5_000, 1_000)}, pays: 9_000, pieces: 1, coupon: 1, margin: 6_000, rate: 6_666},
		"a minimum reached with other goods":         {terms: []wallet.Terms{amount(4_000, 20_000)}, pays: 8_000, pieces: 1, coupon: 1, margin: 5_000, rate: 6_250},
		"a minimum only this product can reach":      {terms: []wallet.Terms{only(amount(4_000, 20_000), "apple")}, perOrder: 3, pays: 16_000, pieces: 2, coupon: 1, margin: 10_000, rate: 6_250},
		"a minimum it cannot reach":                  {terms: []wallet.Terms{only(amount(4_000, 20_000), "apple")}, pays: 10_000, pieces: 1, margin: 7_000, rate: 7_000},
		"a coupon for other goods":                   {terms: []wallet.Terms{only(amount(4_000, 0), "pear")}, pays: 10_000, pieces: 1, margin: 7_000, rate: 7_000},
		"a coupon not for this":                      {terms: []wallet.Terms{not(amount(4_000, 0), "apple")}, pays: 10_000, pieces: 1, margin: 7_000, rate: 7_000},
		"points after the coupon":                    {terms: []wallet.Terms{amount(2_000, 0)}, points: 2_500, pays: 6_000, pieces: 1, coupon: 1, margin: 3_000, rate: 5_000},
		"under the floor":                            {terms: []wallet.Terms{amount(5_001, 0)}, pays: 4_999, pieces: 1, coupon: 1, margin: 1_999, rate: 3_998, floor: true},
		"under its cost":                             {terms: []wallet.Terms{amount(9_000, 0)}, pays: 1_000, pieces: 1, coupon: 1, margin: -2_000, rate: -20_000, floor: true, cost: true},
		"never below nothing":                        {terms: []wallet.Terms{amount(99_000, 0)}, pays: 0, pieces: 1, coupon: 1, margin: -3_000, floor: true, cost: true},
		"a loss is rounded down":                     {terms: []wallet.Terms{amount(7_200, 0)}, pays: 2_800, pieces: 1, coupon: 1, margin: -200, rate: -715, floor: true, cost: true},
		"all of one's points may pay for everything": {points: 10_000, pays: 0, pieces: 1, margin: -3_000, floor: true, cost: true},
	} {
		t.Run(name, func(t *testing.T) {
			var coupons []wallet.Coupon
			for i, terms := range c.terms {
				coupons = append(coupons, wallet.Coupon{ID: id.Coupon(i + 1), Terms: terms})
			}
			s := Lowest(Item{ID: 9, ProductID: 1, Price: 10_000, PerOrder: max(c.perOrder, 1)}, apple, coupons, 0, c.points)
			if s.Pays != c.pays || s.Pieces != c.pieces || s.CouponID != c.coupon || s.Margin != c.margin || s.MarginRate != c.rate || s.UnderFloor != c.floor || s.UnderCost != c.cost {
				t.Errorf("got %+v, want %+v", s, c)
			}
		})
	}
}

// TestLowestAgainstEveryOrder compares with arithmetic of its own over every
// number of pieces, coupon and amount of other goods.
func TestLowestAgainstEveryOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		draw := func(name string, lo, hi int) int64 { return int64(rapid.IntRange(lo, hi).Draw(r, name)) }
		price, perOrder, points := draw("price", 1, 60), int(draw("per order", 1, 4)), draw("points", 0, 10_000)
		var coupons []wallet.Coupon
		for i := range draw("coupons", 0, 4) {
			terms := wallet.Terms{Kind: wallet.DiscountAmount, Amount: money.Amount(draw("amount", 1, 80)), MinSpend: money.Amount(draw("min", 0, 150)), ValidUntil: forever}
			if rapid.Bool().Draw(r, "percent") {
				terms.Kind, terms.Amount, terms.Rate, terms.Cap = wallet.DiscountPercent, 0, money.Bps(draw("rate", 1, 10_000)), money.Amount(draw("cap", 0, 30))
			}
			if rapid.Bool().Draw(r, "only") {
				terms.Include.SKUs = []string{"apple"}
			}
			coupons = append(coupons, wallet.Coupon{ID: id.Coupon(i + 1), Terms: terms})
		}
		got := Lowest(Item{ProductID: 1, Price: money.Amount(price), PerOrder: perOrder}, Product{ID: 1, SKU: "apple"}, coupons, 0, money.Bps(points))
		bestPays, bestN := price-price*points/10_000, int64(1)
		for n := int64(1); n <= int64(perOrder); n++ {
			if pays := n*price - n*price*points/10_000; pays*bestN < bestPays*n {
				bestPays, bestN = pays, n
			}
			for _, c := range coupons {
				for more := int64(0); more <= 150; more++ {
					if more > 0 && len(c.Include.SKUs) > 0 {
						break
					}
					spend := n*price + more
					if spend < int64(c.MinSpend) {
						continue
					}
					off := int64(c.Amount)
					if c.Kind == wallet.DiscountPercent {
						off = spend * int64(c.Rate) / 10_000
						if c.Cap > 0 {
							off = min(off, int64(c.Cap))
						}
					}
					off = min(off, spend)
					part := (off*n*price + spend - 1) / spend // the fen over goes to the first line
					rest := n*price - part
					if pays := rest - rest*points/10_000; pays*bestN < bestPays*n {
						bestPays, bestN = pays, n
					}
				}
			}
		}
		mine, n := int64(got.Pays), int64(got.Pieces)
		if mine*bestN < bestPays*n {
			r.Fatalf("%+v: no order is as cheap; the cheapest is %d for %d", got, bestPays, bestN)
		}
		if mine*bestN > (bestPays+1)*n { // other goods may shift one fen onto the line
			r.Fatalf("%+v: an order of %d for %d is cheaper", got, bestN, bestPays)
		}
		if got.Pays < 0 || got.CouponOff+got.PointsOff+got.Pays != money.Amount(price*n) {
			r.Fatalf("%+v does not add up", got)
		}
	})
}

func TestWorst(t *testing.T) {
	fixed := referral.Promise{To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 500}
	share := referral.Promise{To: referral.SideInvitee, Mode: referral.ModePercent, Rate: 1_000, Cap: 300}
	items := []Item{{ProductID: 1, Price: 2_000, Left: 10}, {ProductID: 2, Price: 9_000, Left: 3, Held: 2, Sold: 7}}
	stacks := []Stack{{Lowest: 1_500}, {Lowest: 9_000}}
	products := map[id.Product]Product{1: {ListPrice: 2_500}, 2: {ListPrice: 9_000}}
	for name, c := range map[string]struct {
		rules  []referral.Promise
		budget money.Amount
		want   Exposure
	}{
		"no rewards":       {nil, 0, Exposure{Pieces: 15, Discount: 10_000}},
		"it is enough":     {[]referral.Promise{fixed}, 7_500, Exposure{Pieces: 15, Rewards: 7_500, Budget: 7_500, Discount: 10_000}},
		"one fen short":    {[]referral.Promise{fixed}, 7_499, Exposure{Pieces: 15, Rewards: 7_500, Budget: 7_499, Short: 1, RunsOut: true, AtPiece: 15, Discount: 10_000}},
		"nothing there":    {[]referral.Promise{fixed}, 0, Exposure{Pieces: 15, Rewards: 7_500, Short: 7_500, RunsOut: true, AtPiece: 1, Discount: 10_000}},
		"both sides, caps": {[]referral.Promise{fixed, share}, 5_000, Exposure{Pieces: 15, Rewards: 5*800 + 10*700, Budget: 5_000, Short: 6_000, RunsOut: true, AtPiece: 7, Discount: 10_000}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Worst(items, stacks, products, referral.Rules{Rewards: c.rules}, c.budget); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// TestWorstAgainstEveryOrder makes every possible order of few pieces: no way
// of buying them earns more than Worst says, or empties the budget earlier.
func TestWorstAgainstEveryOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		draw := func(name string, lo, hi int) int64 { return int64(rapid.IntRange(lo, hi).Draw(r, name)) }
		var rules referral.Rules
		for range draw("rules", 0, 3) {
			p := referral.Promise{Mode: referral.ModeFixed, Amount: money.Amount(draw("amount", 1, 50))}
			if rapid.Bool().Draw(r, "percent") {
				p = referral.Promise{Mode: referral.ModePercent, Rate: money.Bps(draw("rate", 1, 10_000)), Cap: money.Amount(draw("cap", 0, 40))}
			}
			rules.Rewards = append(rules.Rewards, p)
		}
		var items []Item
		most := []int64{0} // what k pieces may earn at most
		for range draw("items", 1, 3) {
			item := Item{Price: money.Amount(draw("price", 1, 99)), Left: draw("left", 1, 5)}
			items = append(items, item)
			best := make([]int64, item.Left+1)
			for n := range best {
				for q := 1; q <= n; q++ {
					earned := int64(0)
					for _, p := range rules.Rewards {
						one := int64(p.Amount)
						if p.Mode == referral.ModePercent {
							if one = int64(item.Price) * int64(q) * int64(p.Rate) / 10_000; p.Cap > 0 {
								one = min(one, int64(p.Cap))
							}
						}
						earned += one
					}
					best[n] = max(best[n], best[n-q]+earned)
				}
			}
			all := make([]int64, len(most)+len(best)-1)
			for i, a := range most {
				for j, b := range best {
					all[i+j] = max(all[i+j], a+b)
				}
			}
			most = all
		}
		budget := draw("budget", 0, 400)
		got := Worst(items, make([]Stack, len(items)), nil, rules, money.Amount(budget))
		if worst := most[len(most)-1]; int64(got.Rewards) < worst || int64(got.Rewards) > worst+int64(len(rules.Rewards))*got.Pieces {
			r.Fatalf("%+v, but %d can be earned", got, worst)
		}
		if got.RunsOut != (got.Short > 0) || got.RunsOut != (got.AtPiece > 0) {
			r.Fatalf("%+v contradicts itself", got)
		}
		for k, earned := range most {
			if earned > budget && (!got.RunsOut || got.AtPiece > int64(k)) {
				r.Fatalf("%+v, but %d pieces can earn %d", got, k, earned)
			}
		}
	})
}

func TestCheckTexts(t *testing.T) {
	for says, want := range map[string]map[string]Result{
		"周一秒杀 烟台红富士 5斤": {},
		"全国最 佳苹果":       {"absolute": ResultRefusal},
		"全网最低":          {"absolute": ResultWarning},
		"转发领红包":         {"share_inducement": ResultRefusal},
		"进口香烟 最后一天":     {"tobacco": ResultRefusal, "urgency": ResultWarning},
		"干红葡萄酒":         {"minors": ResultWarning},
		"拉人头赚钱":         {"pyramid": ResultRefusal},
	} {
		t.Run(says, func(t *testing.T) {
			for _, f := range CheckTexts([]Text{{"name", says}}) {
				want, ok := want[f.ID]
				if !ok {
					want = ResultPass
				}
				if f.Result != want || f.RuleZH == "" || f.RuleEN == "" || f.ReasonZH == "" || f.ReasonEN == "" || (f.Where == "") != (want == ResultPass) {
					t.Errorf("got %+v, want %s", f, want)
				}
			}
		})
	}
}
