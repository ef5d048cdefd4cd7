package tieout_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/tieout"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
)

// desk is a day of a house: orders that were paid, and three people.
type desk struct {
	*campaigntest.World
	*tieout.Service
	db     *database.DB
	t      *testing.T
	day    int
	from   clock.Milli
	orders []campaign.Order
}

func as(staff id.Staff) context.Context {
	return database.WithActor(context.Background(), database.Actor{Kind: database.ActorStaff, Staff: staff, Role: "finance"})
}

func newDesk(t *testing.T, db *database.DB, orders int) *desk {
	t.Helper()
	loc, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	w := campaigntest.New(t, db)
	d := &desk{w, &tieout.Service{DB: db}, db, t, clock.Day(db.Clock.Now(), loc), clock.MilliOf(clock.StartOfDay(db.Clock.Now(), loc)), nil}
	d.Register(w.Registry)
	c := w.Run(campaigntest.Sale{Stock: 1000})
	for i, m := range w.Members(orders) {
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m, Qty: 1})
		d.pay(o, fmt.Sprintf("pay-%d", i+1), d.from.Add(time.Hour))
		d.orders = append(d.orders, o)
	}
	return d
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// pay puts a payment at any moment of the day, which stands still meanwhile.
func (d *desk) pay(o campaign.Order, no string, at clock.Milli) {
	d.t.Helper()
	d.must(d.Campaign.Pay(context.Background(), o.ID, campaigntest.Payment(o, no)))
	d.must(d.db.Tx(context.Background(), func(tx *database.Tx) error {
		return tx.Exec("UPDATE payments SET paid_at = ? WHERE payment_no = ?", at, no).Error
	}))
}

// over lets the day end.
func (d *desk) over() { d.db.Clock.Jump(25 * time.Hour) }

func (d *desk) begin(day int) id.TieOut {
	d.t.Helper()
	tid, err := d.Open(as(1), tieout.OpenIn{Day: day})
	d.must(err)
	return tid
}

// mall and paper deliver lines like "payment pay-1 9900", the mall's with the
// order that bought them.
func (d *desk) mall(tid id.TieOut, lines ...string) {
	d.t.Helper()
	d.deliver(tid, tieout.SideMall, lines)
}

func (d *desk) paper(tid id.TieOut, lines ...string) {
	d.t.Helper()
	d.deliver(tid, tieout.SideStatement, lines)
}

func (d *desk) deliver(tid id.TieOut, side tieout.Side, lines []string) {
	d.t.Helper()
	t, err := d.Find(as(1), tid)
	d.must(err)
	in := tieout.Delivery{Side: side, Part: 1, Form: "generic", SHA256: strings.Join(lines, "|")[:min(64, len(strings.Join(lines, "|")))]}
	at := clock.MilliOf(time.Date(t.Day/10000, time.Month(t.Day/100%100), t.Day%100, 4, 0, 0, 0, time.UTC))
	for _, text := range lines {
		var l tieout.Line
		_, err := fmt.Sscanf(text, "%s %s %d", &l.Kind, &l.No, (*int64)(&l.Amount))
		d.must(err)
		l.At = at
		if side == tieout.SideMall && !strings.HasPrefix(l.No, "own") {
			l.OrderID = d.orders[0].ID
		}
		in.Lines = append(in.Lines, l)
	}
	d.must(d.Deliver(as(2), tid, in))
}

// run runs the day to its end and gives what differs, line by line.
func (d *desk) run(tid id.TieOut) (tieout.TieOut, []string) {
	d.t.Helper()
	d.must(d.Start(as(1), tid))
	d.must(task.Drain(context.Background(), d.db, d.Registry))
	return d.result(tid)
}

func (d *desk) result(tid id.TieOut) (tieout.TieOut, []string) {
	d.t.Helper()
	t, err := d.Find(as(1), tid)
	d.must(err)
	got := []string{}
	list, err := d.ListDifferences(as(1), tid, "", database.Page{Limit: 200})
	d.must(err)
	for _, x := range list.Items {
		text := fmt.Sprintf("%s %s %s %d/%d/%d", x.Sort, x.Kind, x.No, x.Mall, x.Siyu, x.Paper)
		if x.OtherDay != 0 {
			text += " other day"
		}
		if x.ExplainedBy != 0 {
			text += " " + x.Reason
		}
		got = append(got, text)
	}
	return t, got
}

func (d *desk) broken() []string {
	d.t.Helper()
	proofs, err := tieout.Verify(context.Background(), d.db)
	d.must(err)
	return proofs[0].Broken
}

func (d *desk) refuses(err, want error) {
	d.t.Helper()
	if !errors.Is(err, want) {
		d.t.Errorf("got %v, want %v", err, want)
	}
}

// TestDay: a day that ties, then one difference of each sort; explained by one
// person, approved by another, and never changed again.
func TestDay(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		d := newDesk(t, db, 6)
		tid := d.begin(d.day)
		if again := d.begin(d.day); again != tid {
			t.Errorf("the day was begun twice: %s and %s", tid, again)
		}
		d.must(d.Campaign.Refund(context.Background(), d.orders[0].ID, campaign.RefundIn{RefundNo: "ref-1", Amount: 900, Goods: 900}))
		d.refuses(d.Start(as(1), tid), tieout.ErrNotOver)
		d.over()
		d.refuses(d.Start(as(1), tid), tieout.ErrMissing)
		all := []string{"payment pay-1 9900", "payment pay-2 9900", "payment pay-3 9900", "payment pay-4 9900", "payment pay-5 9900", "payment pay-6 9900", "refund ref-1 900", "payment own-1 500"}
		d.mall(tid, all...)
		d.paper(tid, append(all, "other 1 100000")...)
		x, got := d.run(tid)
		if x.Status != tieout.StatusTied || len(got) != 0 || x.Matched != 8 || x.Taken != 7 {
			t.Errorf("the day does not tie: %+v %v", x, got)
		}
		want := []tieout.Total{
			{Side: "statement", Kind: "other", Lines: 1, Amount: 100000}, {Side: "mall", Kind: "payment", Lines: 7, Amount: 59900},
			{Side: "siyu", Kind: "payment", Lines: 6, Amount: 59400}, {Side: "statement", Kind: "payment", Lines: 7, Amount: 59900},
			{Side: "mall", Kind: "refund", Lines: 1, Amount: 900}, {Side: "siyu", Kind: "refund", Lines: 1, Amount: 900}, {Side: "statement", Kind: "refund", Lines: 1, Amount: 900},
		}
		if diff := cmp.Diff(want, x.Totals); diff != "" {
			t.Error(diff)
		}
		// The same again changes nothing; a part anew opens the day.
		d.mall(tid, all...)
		if x, _ := d.result(tid); x.Status != tieout.StatusTied {
			t.Errorf("the same bytes opened the day: %s", x.Status)
		}
		d.mall(tid, "payment pay-2 9900", "payment pay-3 9900", "payment pay-4 9000", "payment pay-5 9900", "payment pay-5 9900", "payment pay-6 9900", "refund ref-9 1", "payment own-1 500")
		d.paper(tid, "payment pay-1 9900", "payment pay-3 9900", "payment pay-4 9900", "payment pay-5 9900", "payment pay-6 9900", "payment new-1 7", "refund ref-1 900")
		x, got = d.run(tid)
		differ := []string{
			"only_statement payment new-1 0/0/7", "only_mall payment own-1 500/0/0", "no_mall payment pay-1 0/9900/9900", "no_statement payment pay-2 9900/9900/0",
			"amount_differs payment pay-4 9000/9900/9900", "twice payment pay-5 19800/9900/9900", "no_mall refund ref-1 0/900/900", "only_mall refund ref-9 1/0/0",
		}
		if diff := cmp.Diff(differ, got); diff != "" || x.Status != tieout.StatusDiffers || x.Differences != 8 || x.Open != 8 {
			t.Errorf("%+v %s", x, diff)
		}
		d.refuses(d.Explain(as(1), tid, tieout.ExplainIn{Run: 1, Numbers: []int{1}, Reason: "x"}), tieout.ErrRun)
		d.must(d.Explain(as(1), tid, tieout.ExplainIn{Run: 2, Sort: tieout.NoMall, Reason: "商城漏报"}))
		d.refuses(d.Approve(as(2), tid, tieout.ApproveIn{Run: 2}), tieout.ErrOpen)
		// What stays as it was keeps its reason in the next run.
		d.mall(tid, append(all[1:], "refund ref-9 2")...)
		x, got = d.run(tid)
		differ = []string{"only_statement payment new-1 0/0/7", "only_mall payment own-1 500/0/0", "no_mall payment pay-1 0/9900/9900 商城漏报", "no_statement payment pay-2 9900/9900/0", "only_mall refund ref-9 2/0/0"}
		if diff := cmp.Diff(differ, got); diff != "" || x.Open != 4 {
			t.Errorf("%+v %s", x, diff)
		}
		d.must(d.Explain(as(1), tid, tieout.ExplainIn{Run: 3, Numbers: []int{1, 2, 4, 5}, Reason: "=测试"}))
		d.refuses(d.Approve(as(2), tid, tieout.ApproveIn{Run: 2}), tieout.ErrRun)
		d.refuses(d.Approve(as(1), tid, tieout.ApproveIn{Run: 3}), tieout.ErrSame)
		d.must(d.Approve(as(2), tid, tieout.ApproveIn{Run: 3}))
		d.refuses(d.Start(as(1), tid), tieout.ErrFinal)
		d.refuses(d.Deliver(as(2), tid, tieout.Delivery{Side: tieout.SideMall, Part: 2, SHA256: "x"}), tieout.ErrFinal)
		var csv bytes.Buffer
		x, _ = d.result(tid)
		d.must(d.WriteCSV(as(1), x, &csv))
		if lines := strings.Split(csv.String(), "\n"); len(lines) != 7 || lines[1] != "1,only_statement,payment,new-1,,,,7,,'=测试,"+id.Staff(1).String() {
			t.Errorf("got %s", csv.String())
		}
		if b := d.broken(); len(b) != 0 {
			t.Error(b)
		}
		d.Verify() // and no money moved
		d.must(db.Tx(context.Background(), func(tx *database.Tx) error {
			return tx.Exec("UPDATE tieout_differences SET mall_amount = mall_amount + 1, explained_by = 2 WHERE tieout_id = ? AND run_no = 3 AND diff_no = 1", tid).Error
		}))
		if b := d.broken(); len(b) != 2 {
			t.Errorf("V24 sees %v", b)
		}
	})
}

// TestMidnight: what lies on the other side of midnight is said to, once the
// day beside has its statement; what is another payer's is no part of this one.
func TestMidnight(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		d := newDesk(t, db, 2)
		d.pay(d.MustClaim(campaign.Claim{Campaign: d.orders[0].CampaignID, Item: d.orders[0].ItemID, Member: d.Members(1)[0], Qty: 1}), "late-1", d.from.Add(24*time.Hour-time.Second))
		d.over()
		today := d.begin(d.day)
		tomorrow := d.begin(clock.Day(db.Clock.Now(), time.FixedZone("", 8*3600)))
		d.over()
		d.mall(today, "payment pay-1 9900", "payment pay-2 9900", "payment late-1 9900")
		d.paper(today, "payment pay-1 9900", "payment pay-2 9900")
		if _, got := d.run(today); !cmp.Equal(got, []string{"no_statement payment late-1 9900/9900/0"}) {
			t.Errorf("got %v", got)
		}
		d.mall(tomorrow)
		d.paper(tomorrow, "payment late-1 9900")
		for tid, want := range map[id.TieOut]string{today: "day_differs payment late-1 9900/9900/0 other day", tomorrow: "day_differs payment late-1 0/0/9900 other day"} {
			if _, got := d.run(tid); !cmp.Equal(got, []string{want}) {
				t.Errorf("got %v, want %v", got, want)
			}
		}
		d.must(db.Tx(context.Background(), func(tx *database.Tx) error {
			if err := tx.Exec(`INSERT INTO programs (id, unit_id, payer_id, name, scope, status, currency, budget, latest, version, created_at)
				VALUES (7, 0, 77, '', '', 'active', 'CNY', 0, 1, 1, 0)`).Error; err != nil {
				return err
			}
			return tx.Exec("UPDATE campaigns SET program_id = 7").Error
		}))
		want := []string{"payer_differs payment late-1 9900/0/0 other day", "payer_differs payment pay-1 9900/0/9900 other day", "payer_differs payment pay-2 9900/0/9900 other day"}
		if _, got := d.run(today); !cmp.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if b := d.broken(); len(b) != 0 {
			t.Error(b)
		}
	})
}

// TestRunByTwo: two workers take one run on at once, over more lines than fit
// into one transaction; every number is judged once.
func TestRunByTwo(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		const lines = 1203
		d := newDesk(t, db, 1)
		tid := d.begin(d.day)
		d.over()
		var mall, paper []string
		for i := range lines {
			mall = append(mall, fmt.Sprintf("payment own-%04d 100", i))
			if i%3 != 0 {
				paper = append(paper, fmt.Sprintf("payment own-%04d 100", i))
			}
		}
		d.mall(tid, append(mall, "payment pay-1 9900")...)
		d.paper(tid, append(paper, "payment pay-1 9900")...)
		d.must(d.Start(as(1), tid))
		d.refuses(d.Deliver(as(2), tid, tieout.Delivery{Side: tieout.SideMall, Part: 1, SHA256: "other"}), tieout.ErrRunning)
		var both sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			both.Go(func() { errs[i] = d.Work(context.Background(), tid, 1) })
		}
		both.Wait()
		d.must(errors.Join(errs...))
		x, _ := d.result(tid)
		var sum money.Amount
		for _, s := range x.Totals {
			if s.Side == tieout.SideStatement {
				sum = s.Amount
			}
		}
		if x.Matched != lines+1 || x.Differences != 401 || x.Status != tieout.StatusDiffers || sum != 802*100+9900 {
			t.Errorf("got %+v", x)
		}
		d.must(d.Explain(as(1), tid, tieout.ExplainIn{Run: 1, Sort: tieout.OnlyMall, Reason: "渠道未结算"}))
		if b := d.broken(); len(b) != 0 {
			t.Error(b)
		}
		// A file delivered anew leaves nothing of the old one behind.
		d.paper(tid, append(mall, "payment pay-1 9900")...)
		if x, got := d.run(tid); x.Status != tieout.StatusTied || len(got) != 0 {
			t.Errorf("got %+v %v", x, got)
		}
		var rest int
		d.must(db.Read(context.Background()).Raw("SELECT COUNT(*) FROM tieout_lines").Scan(&rest).Error)
		if rest != 2*(lines+1)+1 {
			t.Errorf("%d lines are kept", rest)
		}
	})
}
