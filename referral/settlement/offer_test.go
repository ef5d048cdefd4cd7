package settlement

import (
	"errors"
	"fmt"
	"testing"

	"siyu/internal/fault"
	"siyu/internal/money"
)

// TestOffer: what a request covers and costs, by the terms alone.
func TestOffer(t *testing.T) {
	terms := Terms{Mode: ModeOnRequest, Least: 1000, Most: 5000, FeeFixed: 50, FeeRate: 60, PerDay: 2}
	list := func(amounts ...money.Amount) (out []payable) {
		for _, n := range amounts {
			out = append(out, payable{Amount: n})
		}
		return out
	}
	many := list()
	for range askMost + 1 {
		many = append(many, payable{Amount: 10})
	}
	for name, x := range map[string]struct {
		change  func(*Terms)
		list    []payable
		asked   int
		refusal *fault.Fault
		count   int
		gross   money.Amount
		fee     money.Amount
	}{
		"all of it":                        {nil, list(600, 700), 0, nil, 2, 1300, 57}, // 50 + 7.8 rounded down
		"oldest first up to the most":      {nil, list(3000, 2000, 1), 0, nil, 2, 5000, 80},
		"what does not fit is passed over": {nil, list(3000, 2500, 2000), 1, nil, 2, 5000, 80},
		"no fee":                           {func(t *Terms) { t.FeeFixed, t.FeeRate = 0, 0 }, list(1000), 0, nil, 1, 1000, 0},
		"so many rewards at most":          {nil, many, 0, nil, askMost, 10 * askMost, 74},
		"below the least":                  {nil, list(999), 0, ErrLeast, 1, 999, 0},
		"each above the most":              {nil, list(5001), 0, ErrMost, 0, 0, 0},
		"nothing":                          {nil, nil, 0, ErrNothing, 0, 0, 0},
		"often enough today":               {nil, list(1000), 2, ErrPerDay, 1, 1000, 56},
		"by period":                        {func(t *Terms) { *t = Terms{Mode: ModePeriod} }, list(1000), 0, ErrByPeriod, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			use := terms
			if x.change != nil {
				x.change(&use)
			}
			o := offer(use, x.list, x.asked)
			if o.RewardCount != x.count || o.Gross != x.gross || o.Fee != x.fee || o.Net != x.gross-x.fee {
				t.Errorf("got %d rewards of %s, fee %s, net %s", o.RewardCount, o.Gross, o.Fee, o.Net)
			}
			if (o.Refusal == nil) != (x.refusal == nil) || x.refusal != nil && !errors.Is(o.Refusal, x.refusal) {
				t.Errorf("got %v, want %v", o.Refusal, x.refusal)
			}
		})
	}
}

// TestTermsIn: bounds, and the field that is wrong.
func TestTermsIn(t *testing.T) {
	good := TermsIn{ModeOnRequest, 1000, 50_000, 100, 60, 1}
	for i, x := range []struct {
		change func(*TermsIn)
		field  string
	}{
		{func(*TermsIn) {}, ""},
		{func(in *TermsIn) { *in = TermsIn{Mode: ModePeriod} }, ""},
		{func(in *TermsIn) { in.Mode = ModePeriod }, "mode"},
		{func(in *TermsIn) { in.Mode = "daily" }, "mode"},
		{func(in *TermsIn) { in.Least = 0 }, "least_fen"},
		{func(in *TermsIn) { in.Most = 999 }, "most_fen"},
		{func(in *TermsIn) { in.Most = maxWithdrawal + 1 }, "most_fen"},
		{func(in *TermsIn) { in.FeeFixed = -1 }, "fee_fixed_fen"},
		{func(in *TermsIn) { in.FeeRate = maxFeeRate + 1 }, "fee_bp"},
		{func(in *TermsIn) { in.PerDay = 0 }, "per_day"},
		{func(in *TermsIn) { in.FeeFixed, in.FeeRate = 994, 60 }, "fee_fixed_fen"}, // 994 + 6 of 1,000
		{func(in *TermsIn) { in.FeeFixed, in.FeeRate = 993, 60 }, ""},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			in := good
			x.change(&in)
			err := in.Validate()
			f, _ := fault.As(err)
			switch {
			case x.field == "" && err != nil:
				t.Errorf("got %v", err)
			case x.field != "" && (f == nil || len(f.Fields) == 0 || f.Fields[0].Name != x.field || f.Fields[0].ZH == ""):
				t.Errorf("got %v, want a fault of %s", err, x.field)
			}
		})
	}
}
