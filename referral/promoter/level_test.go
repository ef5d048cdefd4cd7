package promoter_test

import (
	"errors"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/referral/promoter"
)

func least(f promoter.Fact, n int64) promoter.Condition {
	return promoter.Condition{Fact: f, AtLeast: n}
}

// ladder: silver for five kept; gold for ten kept and (three own orders or 500
// yuan), kept with eight kept; platinum for 5,000 yuan.
func ladder() promoter.Ladder {
	keep := least(promoter.FactInviteesKept, 8)
	return promoter.Ladder{PeriodDays: 90, Levels: []promoter.Level{
		{NameZH: "银牌", NameEN: "Silver", Reach: least(promoter.FactInviteesKept, 5)},
		{NameZH: "金牌", NameEN: "Gold", Keep: &keep, Reach: promoter.Condition{All: []promoter.Condition{
			least(promoter.FactInviteesKept, 10),
			{Any: []promoter.Condition{least(promoter.FactOwnOrders, 3), least(promoter.FactReward, 50_000)}},
		}}},
		{NameZH: "铂金", NameEN: "Platinum", Reach: least(promoter.FactReward, 500_000)},
	}}
}

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		facts  promoter.Facts
		stands int
		want   int
	}{
		"nothing done":                            {promoter.Facts{}, 0, 0},
		"one short of the lowest":                 {promoter.Facts{InviteesKept: 4}, 0, 0},
		"exactly the lowest":                      {promoter.Facts{InviteesKept: 5}, 0, 1},
		"all of, without any of":                  {promoter.Facts{InviteesKept: 10, OwnOrders: 2, Reward: 49_999}, 0, 1},
		"all of, with the first of any":           {promoter.Facts{InviteesKept: 10, OwnOrders: 3}, 0, 2},
		"all of, with the second of any":          {promoter.Facts{InviteesKept: 10, Reward: 50_000}, 0, 2},
		"any of, without all":                     {promoter.Facts{InviteesKept: 9, OwnOrders: 3, Reward: 50_000}, 0, 1},
		"a level is kept by its own condition":    {promoter.Facts{InviteesKept: 8}, 2, 2},
		"who never had it does not reach by that": {promoter.Facts{InviteesKept: 8}, 1, 1},
		"one short of keeping falls one":          {promoter.Facts{InviteesKept: 7}, 2, 1},
		"far short falls to nothing":              {promoter.Facts{InviteesKept: 4}, 2, 0},
		"no other condition to keep it":           {promoter.Facts{InviteesKept: 4}, 1, 0},
		"levels are passed over upwards":          {promoter.Facts{Reward: 500_000}, 0, 3},
		"and downwards to one that is kept":       {promoter.Facts{InviteesKept: 8, Reward: 499_999}, 3, 2},
		"more clawed back than cleared":           {promoter.Facts{InviteesKept: 5, Reward: -1}, 3, 1},
		"a level that the ladder lost":            {promoter.Facts{InviteesKept: 8}, 9, 2},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ladder().Judge(c.facts, c.stands); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestLadderIsChecked(t *testing.T) {
	change := func(f func(l *promoter.Ladder)) promoter.Ladder {
		l := ladder()
		f(&l)
		return l
	}
	reach := func(c promoter.Condition) promoter.Ladder {
		return change(func(l *promoter.Ladder) { l.Levels[0].Reach = c })
	}
	deep := least(promoter.FactOwnOrders, 1)
	for range 4 {
		deep = promoter.Condition{All: []promoter.Condition{deep}}
	}
	wide := promoter.Condition{}
	for range 20 {
		wide.Any = append(wide.Any, least(promoter.FactOwnOrders, 1))
	}
	for name, c := range map[string]struct {
		in    promoter.Ladder
		field string
	}{
		"good":                {ladder(), ""},
		"none":                {promoter.Ladder{Levels: []promoter.Level{}}, ""},
		"not said":            {promoter.Ladder{}, "levels"},
		"no period":           {change(func(l *promoter.Ladder) { l.PeriodDays = 0 }), "period_days"},
		"no name":             {change(func(l *promoter.Ladder) { l.Levels[1].NameEN = "" }), "levels[1].name_en"},
		"no condition":        {reach(promoter.Condition{}), "levels[0].reach"},
		"two forms":           {reach(promoter.Condition{Fact: promoter.FactReward, AtLeast: 1, Any: []promoter.Condition{deep}}), "levels[0].reach"},
		"an unknown fact":     {reach(least("shares", 1)), "levels[0].reach.fact"},
		"at least nothing":    {reach(least(promoter.FactReward, 0)), "levels[0].reach.at_least"},
		"too deep":            {reach(deep), "levels[0].reach.all[0].all[0].all[0]"},
		"too many":            {reach(wide), "levels[0].reach"},
		"a condition to hold": {change(func(l *promoter.Ladder) { l.Levels[1].Keep = &promoter.Condition{} }), "levels[1].keep"},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := fault.As(c.in.Validate())
			got := ""
			if f != nil && len(f.Fields) == 1 {
				got = f.Fields[0].Name
			}
			if got != c.field || (f == nil) != (c.field == "") {
				t.Errorf("got %+v, want a fault of %q", f, c.field)
			}
		})
	}
}

func TestLadder(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &promoter.Service{DB: db}
		root := staff(7)
		if now, err := s.FindLadder(root); err != nil || now.Version != 1 || len(now.Levels) != 0 {
			t.Errorf("before any: got %+v, %v", now, err)
		}
		if err := s.SetLadder(staff(7, 1), 1, ladder()); !errors.Is(err, fault.Forbidden) {
			t.Errorf("staff of a region: %v", err)
		}
		if err := s.SetLadder(root, 1, ladder()); err != nil {
			t.Fatal(err)
		}
		if err := s.SetLadder(root, 1, ladder()); !errors.Is(err, fault.Stale) {
			t.Errorf("from an old version: %v", err)
		}
		now, err := s.FindLadder(root)
		if err != nil || now.Version != 2 || now.SetBy != 7 || len(now.Levels) != 3 || now.Levels[1].Keep.AtLeast != 8 {
			t.Errorf("got %+v, %v", now, err)
		}
	})
}
