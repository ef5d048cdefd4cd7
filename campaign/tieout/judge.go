package tieout

import (
	"siyu/internal/id"
	"siyu/internal/money"
)

// Sort is how the sides of a number differ.
type Sort string

// The sorts. Those that begin with no are missing on one side of three.
const (
	Tied        Sort = ""
	OnlyMall    Sort = "only_mall"
	OnlySiyu    Sort = "only_siyu"
	OnlyPaper   Sort = "only_statement"
	NoMall      Sort = "no_mall"
	NoSiyu      Sort = "no_siyu"
	NoPaper     Sort = "no_statement"
	Amounts     Sort = "amount_differs"
	OtherDay    Sort = "day_differs"   // what is missing lies on another day
	OtherPayer  Sort = "payer_differs" // Siyu has it, of another payer
	MoreThanOne Sort = "twice"         // a side names the number more than once
)

// sorts are all that a difference may be.
var sorts = []string{
	string(OnlyMall), string(OnlySiyu), string(OnlyPaper), string(NoMall), string(NoSiyu), string(NoPaper),
	string(Amounts), string(OtherDay), string(OtherPayer), string(MoreThanOne),
}

// held is what one side says under a number.
type held struct {
	Lines  int
	Amount money.Amount
}

// seen is what all sides say under one number of a kind. Own says that the
// mall names no order of Siyu's with it. Days are where a missing side has it
// elsewhere, 0 for nowhere; Strange says that Siyu has it of another payer.
type seen struct {
	Kind                  Kind
	No                    string
	OrderID               id.Order
	Own                   bool
	Mall, Siyu, Paper     held
	MallDay, SiyuDay, Day int
	Strange               bool
}

// judge says how the sides differ, and the other day on which what is missing
// was found. A sale of the mall's own is held against the statement alone; a
// payout is none of the mall's.
func judge(x seen) (Sort, int) {
	if x.Mall.Lines > 1 || x.Siyu.Lines > 1 || x.Paper.Lines > 1 {
		return MoreThanOne, 0
	}
	needMall := x.Kind != KindPayout
	needSiyu := !(x.Own && x.Mall.Lines > 0)
	mall, siyu, paper := x.Mall.Lines > 0, x.Siyu.Lines > 0, x.Paper.Lines > 0
	noMall, noSiyu, noPaper := needMall && !mall, needSiyu && !siyu, !paper
	if noMall || noSiyu || noPaper {
		if noSiyu && x.Strange {
			return OtherPayer, x.SiyuDay
		}
		day, found := 0, true
		for _, m := range []struct {
			missing bool
			day     int
		}{{noMall, x.MallDay}, {noSiyu, x.SiyuDay}, {noPaper, x.Day}} {
			if m.missing {
				found = found && m.day != 0
				day = max(day, m.day)
			}
		}
		if found {
			return OtherDay, day
		}
		return lacking(mall, siyu, paper), 0
	}
	var first *money.Amount
	for _, h := range []held{x.Mall, x.Siyu, x.Paper} {
		switch {
		case h.Lines == 0:
		case first == nil:
			first = &h.Amount
		case *first != h.Amount:
			return Amounts, 0
		}
	}
	return Tied, 0
}

// lacking names the difference by who has the number.
func lacking(mall, siyu, paper bool) Sort {
	switch {
	case mall && siyu:
		return NoPaper
	case mall && paper:
		return NoSiyu
	case siyu && paper:
		return NoMall
	case mall:
		return OnlyMall
	case siyu:
		return OnlySiyu
	}
	return OnlyPaper
}
