package settlement_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/wechat"
	"siyu/internal/wechat/wechattest"
	"siyu/referral/payee"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// TestMain lets another process do one job of a settlement or payout.
func TestMain(m *testing.M) { dbtest.Main(m, work) }

func work(ctx context.Context, db *database.DB, words []string) error {
	object, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return err
	}
	s := &settlement.Service{DB: db, Vault: &payee.Service{DB: db, Secrets: keys()}}
	if spec := os.Getenv(payEnv); spec != "" {
		if s.Bills, err = billsAt(strings.Split(spec, "|")); err != nil {
			return err
		}
	}
	switch job := words[0]; job {
	case "close":
		return s.RunClose(ctx, id.Settlement(object))
	case "free":
		return s.RunFree(ctx, id.Settlement(object))
	case "pay":
		return s.RunPay(ctx, id.Payout(object))
	case "load":
		return load(as(cashier), s, id.Payout(object))
	case "import1":
		return s.RunImport(ctx, id.Payout(object), 1)
	case "import2":
		return s.RunImport(ctx, id.Payout(object), 2)
	case "bills":
		return s.RunBills(ctx, id.Payout(object))
	case settlement.FileLines:
		return s.WriteLines(ctx, id.Settlement(object), os.Stdout)
	case settlement.FileSheet:
		return s.WriteSheet(ctx, id.Settlement(object), os.Stdout)
	default:
		return errors.New("unknown job " + job)
	}
}

// payEnv tells the child where the channel for tests is, and its keys.
const payEnv = "SIYU_SETTLEMENT_PAY"

func billsAt(spec []string) (*settlement.Bills, error) {
	m, err := wechattest.ReadKeys(spec[1])
	if err != nil {
		return nil, err
	}
	c, err := wechat.New(m, spec[0])
	return billsBy(c), err
}

// child is another process that does the job, a day after the start.
func child(t testing.TB, url, job string, object int64, kill string) *exec.Cmd {
	t.Helper()
	return dbtest.Child(t, url, kill, dbtest.Start.Add(24*time.Hour), job, strconv.FormatInt(object, 10))
}

// killed runs the job in a process that is killed at the point.
func killed(t *testing.T, url, job string, object int64, point string) {
	t.Helper()
	if !dbtest.Killed(t, child(t, url, job, object, point)) {
		t.Fatalf("%s: not killed at %s", job, point)
	}
}

// TestKilledAnywhere kills the jobs at every named point and goes on with the
// queue, as the worker does after a lease has run out.
func TestKilledAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("many repetitions of what the other tests do once")
	}
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			h := newHouse(t, dbtest.At(t, url))
			var list []reward
			for i := range 700 {
				list = append(list, reward{member: id.Member(i%300 + 1), amount: 10})
			}
			round := func(points ...string) settlement.Settlement {
				h.clearBy(3, list) // 234 clearings, of which a transaction takes 200
				h.jump(time.Hour)
				sid := h.open()
				h.must(h.Close(as(maker), sid))
				for _, p := range points {
					killed(t, url, "close", int64(sid), p)
				}
				h.work()
				st := h.find(sid)
				if st.Status != settlement.StatusClosed || st.Net != 7_000 || st.LineCount != 700 {
					t.Errorf("after %v: %s, %d lines, net %s", points, st.Status, st.LineCount, st.Net)
				}
				return st
			}
			round("settlement:lines:1", "settlement:lines:1", "settlement:chunk:1", "settlement:chunk:2", "settlement:before_seal:1")
			st := round("settlement:lines:2", "settlement:after_seal:1")

			h.must(h.Reject(as(reviewer), st.ID, settlement.RejectIn{Reason: "test"}))
			killed(t, url, "free", int64(st.ID), "settlement:free:1")
			h.work()
			again := h.closed()
			if again.Net != 7_000 {
				t.Errorf("after a rejection: net %s", again.Net)
			}

			h.must(h.Review(as(reviewer), again.ID, settlement.ReviewIn{Digest: again.Digest}))
			pid, err := h.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: again.ID})
			h.must(err)
			h.must(h.Pay(as(cashier), pid))
			killed(t, url, "pay", int64(pid), "settlement:pay:1")
			h.work()
			p, err := h.FindPayout(bg, pid)
			h.must(err)
			if p.Status != settlement.PayoutPaid || p.LineCount != 300 {
				t.Errorf("payout: %+v", p)
			}
			if n := h.balance(wallet.StagePaid, 1); n != 30 {
				t.Errorf("paid to the first: %s, want 0.30", n)
			}
			h.must(h.RunPay(bg, pid)) // the job twice is the job once
			h.proven()
		})
	}
}

// TestCancelledAnywhere ends the closing job's context after each share of its
// time; what was begun is finished by the next run.
func TestCancelledAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("many repetitions of what the other tests do once")
	}
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		var list []reward
		for i := range 600 {
			list = append(list, reward{member: id.Member(i + 1), amount: 10})
		}
		h.clear(list...)
		h.jump(time.Hour)
		sid := h.open()
		h.must(h.Close(as(maker), sid))
		for cut := 5 * time.Millisecond; ; cut += 10 * time.Millisecond {
			ctx, cancel := context.WithTimeout(bg, cut)
			err := h.RunClose(ctx, sid)
			cancel()
			if err == nil {
				break
			}
			if cut > time.Minute {
				t.Fatalf("never ends: %v", err)
			}
		}
		if st := h.find(sid); st.LineCount != 600 || st.Net != 6_000 {
			t.Errorf("%d lines, net %s", st.LineCount, st.Net)
		}
		h.proven()
	})
}
