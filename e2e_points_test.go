package main_test

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"sync"
	"testing"

	"siyu/internal/database/dbtest"
)

// points are the moments at which a process may die, and the passes through
// them that are tried, one per round.
var points = []struct {
	name   string
	passes [3]int
}{
	{"claim:granted", [3]int{1, 3, 5}},    // claims are written, not committed
	{"claim:committed", [3]int{1, 3, 5}},  // committed, not answered
	{"order:noted", [3]int{1, 6, 11}},     // the mall's report is written, not committed
	{"order:reported", [3]int{1, 6, 11}},  // committed, not answered
	{"task:enqueued", [3]int{2, 9, 16}},   // work is committed, nobody woken
	{"task:leased", [3]int{1, 3, 5}},      // leased, no effect yet
	{"task:worked", [3]int{3, 8, 13}},     // the effect is there, the task not done
	{"task:rows_worked", [3]int{1, 1, 1}}, // due rows are worked, not committed
	{"task:rows_done", [3]int{1, 1, 1}},   // committed, the turn not given back
	{"webhook:sent", [3]int{1, 4, 7}},     // received by the mall, not noted here
	{"settlement:lines", [3]int{1, 2, 1}},
	{"settlement:chunk", [3]int{1, 2, 3}},
	{"settlement:before_seal", [3]int{1, 2, 1}},
	{"settlement:after_seal", [3]int{1, 2, 1}},
	{"settlement:free", [3]int{1, 1, 1}},
	{"settlement:pay", [3]int{1, 1, 1}},
}

// roomPoints are killed at by their room's own tests, in processes of theirs:
// what they do is a job of one room over its own store, which a server adds
// nothing to but the queue, and that is killed above.
var roomPoints = []string{"settlement:load", "settlement:reconciled", "settlement:import", "settlement:reopen", "referral:part", "wallet:close_taken", "wallet:close_summed"}

// TestPointsAreAll keeps the tables to the points that the code has.
func TestPointsAreAll(t *testing.T) {
	known := map[string]bool{}
	for _, p := range points {
		known[p.name] = true
	}
	for _, name := range slices.Concat(roomPoints, invitePoints, importPoints) {
		known[name] = true
	}
	for _, two := range paydayPoints {
		known[two[0].name], known[two[1].name] = true, true
	}
	for _, s := range house(t) {
		if s.test() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			sel, isSel := call.Fun.(*ast.SelectorExpr)
			ident, isIdent := call.Fun.(*ast.Ident)
			if !(isSel && sel.Sel.Name == "KillPoint") && !(isIdent && ident.Name == "KillPoint") {
				return true
			}
			name, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: the name of a kill point is a literal", s.at(call.Pos()))
				return true
			}
			point := strings.Trim(name.Value, `"`)
			if _, listed := known[point]; !listed {
				t.Errorf("%s: no test kills at %s", s.at(call.Pos()), point)
			}
			known[point] = false
			return true
		})
	}
	for point, missing := range known {
		if missing {
			t.Errorf("no code has the kill point %s", point)
		}
	}
}

// atOnce bounds how many errands run at a time. Most of an errand is waiting
// for the lease of the process that died.
const atOnce = 10

// TestKillPoints ends a server at every named point, three times each, and
// goes on with another: the end is the same as without the kill, on both
// engines, and every invariant holds.
func TestKillPoints(t *testing.T) {
	var want string
	known := make(chan struct{})
	places := make(chan struct{}, atOnce)
	var errands sync.WaitGroup
	errands.Go(func() {
		defer close(known)
		t.Run("undisturbed", func(t *testing.T) {
			e := newErrand(t, "sqlite")
			for range 3 {
				e.run()
			}
			want = e.end()
		})
	})
	for _, engine := range dbtest.Engines {
		for _, p := range points {
			places <- struct{}{}
			errands.Go(func() {
				defer func() { <-places }()
				t.Run(engine+"/"+p.name, func(t *testing.T) {
					e := newErrand(t, engine)
					for _, pass := range p.passes {
						armed := e.arm(fmt.Sprintf("%s:%d", p.name, pass))
						e.run()
						if armed.alive() {
							t.Errorf("pass %d was not reached", pass)
						}
					}
					got := e.end()
					if <-known; got != want {
						t.Errorf("the end differs; got\n%swant\n%s", got, want)
					}
				})
			})
		}
	}
	errands.Wait()
}
