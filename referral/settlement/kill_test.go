package settlement_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// The full count of kills is 200: go test -run TestKilledOften -kills 200.
var (
	kills    = flag.Int("kills", 6, "how often TestKilledOften ends a job with SIGKILL, per engine")
	killSeed = flag.Uint64("kill-seed", 0, "seed of its kills; 0: of this moment, said if the test fails")
)

// steps are the moments of each job, and how many passes through them there
// are to draw from.
var steps = map[string][]struct {
	point  string
	passes int
}{
	"close":   {{"settlement:lines", 2}, {"settlement:chunk", 2}, {"settlement:before_seal", 1}, {"settlement:after_seal", 1}},
	"free":    {{"settlement:free", 3}},
	"pay":     {{"settlement:pay", 2}},
	"load":    {{"settlement:load", 3}},
	"import1": {{"settlement:reconciled", 3}, {"settlement:import", 4}},
	"import2": {{"settlement:reconciled", 1}, {"settlement:import", 2}},
}

// The rounds: each settlement is paid in the end, the first of three after one
// that was rejected, the third by a file whose results are read back.
const (
	roundRejected = iota
	roundMarked
	roundByFile
	roundKinds
)

// TestKilledOften kills the jobs of settlements at drawn steps, several times
// each. Every settlement stands once, with the bytes that another process makes
// of it, and the ledger is tied to it.
func TestKilledOften(t *testing.T) {
	if testing.Short() {
		t.Skip("many repetitions of what TestKilledAnywhere does once")
	}
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			seed := *killSeed
			if seed == 0 {
				seed = uint64(time.Now().UnixNano())
			}
			defer func() {
				if t.Failed() {
					t.Logf("seed %d", seed)
				}
			}()
			k := newKilling(t, engine, seed)
			for round := 0; k.dead < *kills || round < roundKinds; round++ {
				k.round(round % roundKinds)
				if round > *kills+roundKinds {
					t.Fatalf("%d kills in %d rounds", k.dead, round)
				}
			}
			k.proven()
			t.Logf("%d kills: %v", k.dead, k.at)
		})
	}
}

// killing is a house whose jobs are killed. What came back in a round is
// carried by the settlement of the next.
type killing struct {
	*taxed
	url     string
	draw    *rand.Rand
	dead    int
	at      map[string]int // kills by point
	paid    money.Amount
	carried settlement.Payout
}

const killedMembers = 300

func newKilling(t *testing.T, engine string, seed uint64) *killing {
	url := dbtest.URL(t, engine)
	k := &killing{taxed: newTaxed(t, dbtest.At(t, url), payee.PayerIn{}), url: url, draw: rand.New(rand.NewPCG(seed, 1)), at: map[string]int{}}
	k.Vault = k.people
	k.payees(killedMembers)
	return k
}

// round settles 700 rewards of 300 members and pays them.
func (k *killing) round(kind int) {
	k.t.Helper()
	var list []reward
	for i := range 700 {
		list = append(list, reward{member: id.Member(i%killedMembers + 1), amount: 10})
	}
	k.clearBy(3, list) // 234 clearings, of which a transaction takes 200
	st := k.sealedKilled()
	if kind == roundRejected {
		k.must(k.Reject(as(reviewer), st.ID, settlement.RejectIn{Reason: "test"}))
		k.kill("free", int64(st.ID))
		k.work()
		st = k.sealedKilled()
	}
	k.must(k.Review(as(reviewer), st.ID, settlement.ReviewIn{Digest: st.Digest}))
	in := settlement.PayoutIn{SettlementID: st.ID}
	if kind == roundByFile {
		in.Channel = "bank_generic"
	}
	pid, err := k.CreatePayout(as(cashier), in)
	k.must(err)
	k.must(k.Pay(as(cashier), pid))
	k.kill("pay", int64(pid))
	k.work()
	k.carried = settlement.Payout{}
	if kind == roundByFile {
		k.reconciled(pid)
	}
	k.paid += st.Net - k.carried.Net
	var paid money.Amount
	k.must(k.DB.Read(bg).Raw("SELECT COALESCE(SUM(balance), 0) FROM accounts WHERE stage = ?", wallet.StagePaid).Scan(&paid).Error)
	if got := k.find(st.ID); got.Status != settlement.StatusPaid || paid != k.paid {
		k.t.Errorf("it is %s; the ledger paid %s, the settlements say %s", got.Status, paid, k.paid)
	}
}

// sealedKilled closes what is there in a job that is killed, then ended by
// another.
func (k *killing) sealedKilled() settlement.Settlement {
	k.t.Helper()
	k.jump(time.Hour)
	sid, err := k.Create(as(maker), settlement.CreateIn{UnitID: unit, PayerID: k.payer, Label: "2026-03"})
	k.must(err)
	k.must(k.Close(as(maker), sid))
	k.kill("close", int64(sid))
	k.work()
	st := k.find(sid)
	if st.Status != settlement.StatusClosed || st.LineCount != 700+k.carried.FailedCount || st.Net != 7_000+k.carried.Net {
		k.t.Fatalf("%s: %d lines, net %s; %d of %s came back before", st.Status, st.LineCount, st.Net, k.carried.FailedCount, k.carried.Net)
	}
	for _, f := range st.Files {
		made, err := child(k.t, k.url, f.Name, int64(sid), "").Output()
		if k.must(err); !bytes.Equal(made, k.house.file(sid, f.Name)) {
			k.t.Errorf("%s: another process makes %d other bytes", f.Name, len(made))
		}
	}
	return st
}

// reconciled reads the bank's answers back: of every three payments one
// arrived, one came back, and one is heard of in a second file.
func (k *killing) reconciled(pid id.Payout) {
	k.t.Helper()
	lines := k.allPayoutLines(pid)
	words := []string{"成功", "失败", "处理中"}
	for no, want := range []map[settlement.Outcome]int{{"paid": 100, "failed": 100, "unknown": 100}, {"paid": 100}} {
		var body strings.Builder
		body.WriteString("序号,金额,处理结果\n")
		for i, l := range lines {
			switch {
			case no == 0:
				fmt.Fprintf(&body, "%d,%s,%s\n", l.LineNo, l.Net, words[i%3])
			case i%3 == 2:
				fmt.Fprintf(&body, "%d,%s,成功\n", l.LineNo, l.Net)
			}
		}
		k.answered(pid, body.String())
		k.kill(fmt.Sprint("import", no+1), int64(pid))
		k.work()
		list, err := k.ListImports(as(cashier), pid)
		k.must(err)
		if len(list) != no+1 || list[no].Status != settlement.ImportDone || !cmp.Equal(list[no].Outcomes, want) {
			k.t.Errorf("results %d: %+v, want %v", no+1, list, want)
		}
	}
	for i, l := range lines {
		if i%3 == 1 {
			k.carried.FailedCount++
			k.carried.Net += l.Net
		}
	}
	p, err := k.FindPayout(bg, pid)
	if k.must(err); p.Status != settlement.PayoutPaid || p.LineCount != killedMembers || p.FailedCount != k.carried.FailedCount {
		k.t.Errorf("reconciled: %+v", p)
	}
}

// answered hands a result file in, by processes that die while they store its
// lines and at last by one that does not: it is one import.
func (k *killing) answered(pid id.Payout, body string) {
	k.t.Helper()
	path := filepath.Join(k.t.TempDir(), "results.csv")
	k.must(os.WriteFile(path, []byte(body), 0o600))
	k.t.Setenv(resultsEnv, path)
	k.kill("load", int64(pid))
	_, err := k.ImportResults(as(cashier), pid, []byte(body))
	k.must(err)
}

// resultsEnv tells the child which result file to hand in.
const resultsEnv = "SIYU_SETTLEMENT_RESULTS"

// load is the child's part of it.
func load(ctx context.Context, s *settlement.Service, pid id.Payout) error {
	body, err := os.ReadFile(os.Getenv(resultsEnv))
	if err != nil {
		return err
	}
	_, err = s.ImportResults(ctx, pid, body)
	return err
}

// kill runs the job up to three times, each in a process that dies at a drawn
// step, if it comes to it.
func (k *killing) kill(job string, object int64) {
	k.t.Helper()
	for range 1 + k.draw.IntN(3) {
		step := steps[job][k.draw.IntN(len(steps[job]))]
		point := step.point + ":" + strconv.Itoa(1+k.draw.IntN(step.passes))
		if dbtest.Killed(k.t, dbtest.Child(k.t, k.url, point, k.DB.Clock.Now(), job, strconv.FormatInt(object, 10))) {
			k.dead++
			k.at[step.point]++
		}
	}
}
