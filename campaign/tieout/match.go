package tieout

import (
	"fmt"
	"slices"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
)

// Difference is a number whose sides do not agree. An amount means nothing
// where the side has no line.
type Difference struct {
	TieOutID    id.TieOut    `json:"-" gorm:"column:tieout_id"`
	Run         int          `json:"-" gorm:"column:run_no"`
	DiffNo      int          `json:"number" gorm:"column:diff_no"`
	Sort        Sort         `json:"difference" gorm:"column:difference"`
	Kind        Kind         `json:"kind"`
	No          string       `json:"no"`
	OrderID     id.Order     `json:"order_id"`
	MallLines   int          `json:"mall_lines"`
	Mall        money.Amount `json:"mall_fen" gorm:"column:mall_amount"`
	SiyuLines   int          `json:"siyu_lines"`
	Siyu        money.Amount `json:"siyu_fen" gorm:"column:siyu_amount"`
	PaperLines  int          `json:"statement_lines" gorm:"column:statement_lines"`
	Paper       money.Amount `json:"statement_fen" gorm:"column:statement_amount"`
	OtherDay    int          `json:"other_day"`
	Reason      string       `json:"reason"`
	ExplainedBy id.Staff     `json:"explained_by"`
	ExplainedAt clock.Milli  `json:"explained_at"`
}

// TableName is the table of differences.
func (Difference) TableName() string { return "tieout_differences" }

// atOnce is how many numbers one transaction judges; a statement names them in
// a list, and beyond 200 servers stop looking into an index.
const atOnce = 190

// match judges the next numbers of a kind, in their order.
func (t *TieOut) match(tx *database.Tx, kind Kind) error {
	list, err := t.next(tx.DB, kind)
	if err != nil {
		return err
	}
	if len(list) < atOnce {
		t.to(after[t.Phase])
	} else {
		t.CursorNo = list[len(list)-1].No
	}
	t.Matched += len(list)
	var differ []*seen
	for _, x := range list {
		if sort, _ := judge(*x); sort != Tied {
			differ = append(differ, x)
		}
	}
	if len(differ) == 0 {
		return nil
	}
	if err := t.elsewhere(tx.DB, kind, differ); err != nil {
		return err
	}
	before, err := t.before(tx.DB, kind, differ)
	if err != nil {
		return err
	}
	rows := make([]Difference, 0, len(differ))
	for _, x := range differ {
		sort, day := judge(*x)
		t.Differences++
		d := Difference{TieOutID: t.ID, Run: t.Run, DiffNo: t.Differences, Sort: sort, Kind: kind, No: x.No, OrderID: x.OrderID,
			MallLines: x.Mall.Lines, Mall: x.Mall.Amount, SiyuLines: x.Siyu.Lines, Siyu: x.Siyu.Amount, PaperLines: x.Paper.Lines, Paper: x.Paper.Amount, OtherDay: day}
		if old, ok := before[x.No]; ok && old.same(d) {
			d.Reason, d.ExplainedBy, d.ExplainedAt = old.Reason, old.ExplainedBy, old.ExplainedAt
		} else {
			t.Open++
		}
		rows = append(rows, d)
	}
	if err := tx.Create(&rows).Error; err != nil {
		return fmt.Errorf("tieout: differences of %s: %w", t.ID, err)
	}
	return nil
}

// same says whether the difference is the one that was explained.
func (d Difference) same(x Difference) bool {
	return d.ExplainedBy != 0 && d.Sort == x.Sort && d.OtherDay == x.OtherDay && d.MallLines == x.MallLines && d.Mall == x.Mall &&
		d.SiyuLines == x.SiyuLines && d.Siyu == x.Siyu && d.PaperLines == x.PaperLines && d.Paper == x.Paper
}

// next are the numbers after the cursor with what each side says under them.
// Lines of files that do not count were cleared, but a delivery that will be
// refused may be writing.
func (t *TieOut) next(q *database.Query, kind Kind) ([]*seen, error) {
	const counts = "l.tieout_id = ? AND l.kind = ? AND f.status = ?"
	var numbers []string
	err := q.Raw("SELECT DISTINCT l.no FROM tieout_lines l JOIN tieout_files f ON f.id = l.file_id WHERE "+counts+" AND l.no > ? ORDER BY l.no LIMIT ?",
		t.ID, kind, fileReady, t.CursorNo, atOnce).Scan(&numbers).Error
	if err != nil || len(numbers) == 0 {
		return nil, err
	}
	var rows []struct {
		No      string
		Side    Side
		Lines   int `gorm:"column:line_count"`
		Amount  money.Amount
		OrderID id.Order
	}
	err = q.Raw(`SELECT l.no, l.side, COUNT(*) AS line_count, SUM(l.amount) AS amount, MAX(l.order_id) AS order_id
		FROM tieout_lines l JOIN tieout_files f ON f.id = l.file_id WHERE `+counts+` AND l.no BETWEEN ? AND ? GROUP BY l.no, l.side ORDER BY l.no, l.side`,
		t.ID, kind, fileReady, numbers[0], numbers[len(numbers)-1]).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	var list []*seen
	for _, r := range rows {
		if len(list) == 0 || list[len(list)-1].No != r.No {
			list = append(list, &seen{Kind: kind, No: r.No})
		}
		x, h := list[len(list)-1], held{r.Lines, r.Amount}
		if r.OrderID != 0 {
			x.OrderID = r.OrderID
		}
		switch r.Side {
		case SideMall:
			x.Mall, x.Own = h, r.OrderID == 0
		case SideSiyu:
			x.Siyu = h
		case SideStatement:
			x.Paper = h
		}
	}
	return list, nil
}

// elsewhere finds out where else a missing side has a number: the mall's and
// the statement's on the day before or after, Siyu's on any day and of any
// payer.
func (t *TieOut) elsewhere(q *database.Query, kind Kind, list []*seen) error {
	numbers, of := make([]string, 0, len(list)), make(map[string]*seen, len(list))
	for _, x := range list {
		numbers, of[x.No] = append(numbers, x.No), x
	}
	before, next := beside(t.Day)
	var rows []struct {
		No   string
		Side Side
		Day  int `gorm:"column:day_no"`
	}
	err := q.Raw(`SELECT l.no, l.side, t.day_no FROM tieouts t JOIN tieout_files f ON f.tieout_id = t.id AND f.status = ? JOIN tieout_lines l ON l.file_id = f.id AND l.tieout_id = t.id
		WHERE t.payer_id = ? AND t.day_no IN ? AND l.side <> ? AND l.kind = ? AND l.no IN ?`, fileReady, t.PayerID, []int{before, next}, SideSiyu, kind, numbers).Scan(&rows).Error
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Side == SideMall {
			of[r.No].MallDay = r.Day
		} else {
			of[r.No].Day = r.Day
		}
	}
	var moved []campaign.Moved
	switch kind {
	case KindPayment:
		moved, err = campaign.PaidUnder(q, numbers)
	case KindRefund:
		moved, err = campaign.RefundedUnder(q, numbers)
	}
	if err != nil || len(moved) == 0 {
		return err
	}
	covers, err := payee.Covered(q, t.PayerID)
	if err != nil {
		return err
	}
	for _, m := range moved {
		day, ours := clock.Day(m.At.Time(), zone()), slices.Contains(covers, m.PayerID)
		if x := of[m.No]; day != t.Day || !ours {
			x.SiyuDay, x.Strange = day, !ours
		}
	}
	return nil
}

// before are the differences of the run before under these numbers.
func (t *TieOut) before(q *database.Query, kind Kind, list []*seen) (map[string]Difference, error) {
	numbers := make([]string, 0, len(list))
	for _, x := range list {
		numbers = append(numbers, x.No)
	}
	var rows []Difference
	err := q.Raw("SELECT * FROM tieout_differences WHERE tieout_id = ? AND run_no = ? AND kind = ? AND no IN ?", t.ID, t.Run-1, kind, numbers).Scan(&rows).Error
	out := make(map[string]Difference, len(rows))
	for _, d := range rows {
		out[d.No] = d
	}
	return out, err
}
