package settlement_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// TestALineUnderAnothersBill: a line of a bank's answer whose number and bill are
// of two payments is believed of neither, leaves both missing, and does not stand
// in the way of their own lines, however many come before them.
func TestALineUnderAnothersBill(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h, p := sent(t, db)
		lines := h.payoutLines(p.ID)
		answer := func(rows ...string) (outcomes map[string]int, missing int) {
			t.Helper()
			no, err := h.ImportResults(as(cashier), p.ID, []byte("序号,业务编号,金额,处理结果,失败原因\r\n"+strings.Join(rows, "\r\n")))
			h.must(err)
			h.work()
			list, err := h.ListImports(as(cashier), p.ID)
			h.must(err)
			outcomes = map[string]int{}
			for o, n := range list[no-1].Outcomes {
				outcomes[string(o)] = n
			}
			return outcomes, list[no-1].Missing
		}
		crossed := fmt.Sprintf("1,%s,2560.00,成功,", lines[1].BillNo())
		if got, missing := answer(crossed); !cmp.Equal(got, map[string]int{"no_such_line": 1}) || missing != 4 {
			t.Errorf("crossed: %v, %d missing", got, missing)
		}
		rows := slices.Repeat([]string{crossed}, 100) // as many as one transaction works
		rows = append(rows, fmt.Sprintf("1,%s,2560.00,成功,", lines[0].BillNo()), fmt.Sprintf("2,%s,500.00,成功,", lines[1].BillNo()))
		if got, missing := answer(rows...); !cmp.Equal(got, map[string]int{"no_such_line": 100, "paid": 2}) || missing != 2 {
			t.Errorf("after their own lines: %v, %d missing", got, missing)
		}
		if got, want := h.states(p.ID), []string{"paid", "paid", "sent", "sent"}; !cmp.Equal(got, want) {
			t.Errorf("became: %s", cmp.Diff(want, got))
		}
		h.proven()
	})
}
