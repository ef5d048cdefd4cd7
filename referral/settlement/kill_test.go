package settlement_test

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
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
	"close": {{"settlement:lines", 2}, {"settlement:chunk", 2}, {"settlement:before_seal", 1}, {"settlement:after_seal", 1}},
	"free":  {{"settlement:free", 3}},
	"pay":   {{"settlement:pay", 2}},
}

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
			url := dbtest.URL(t, engine)
			k := &killing{house: newHouse(t, dbtest.At(t, url)), url: url, draw: rand.New(rand.NewPCG(seed, 1)), at: map[string]int{}}
			for round := 0; k.dead < *kills; round++ {
				k.round(round%2 == 0)
				if round > *kills {
					t.Fatalf("%d kills in %d rounds", k.dead, round)
				}
			}
			k.proven()
			t.Logf("%d kills: %v", k.dead, k.at)
		})
	}
}

// killing is a house whose jobs are killed.
type killing struct {
	*house
	url  string
	draw *rand.Rand
	dead int
	at   map[string]int // kills by point
	paid money.Amount
}

// round settles 700 rewards of 300 members: once rejected and settled again,
// or paid.
func (k *killing) round(rejected bool) {
	k.t.Helper()
	var list []reward
	for i := range 700 {
		list = append(list, reward{member: id.Member(i%300 + 1), amount: 10})
	}
	k.clearBy(3, list) // 234 clearings, of which a transaction takes 200
	k.jump(time.Hour)
	st := k.sealed()
	if rejected {
		k.must(k.Reject(as(reviewer), st.ID, settlement.RejectIn{Reason: "test"}))
		k.kill("free", int64(st.ID))
		k.work()
		st = k.sealed()
	}
	k.must(k.Review(as(reviewer), st.ID, settlement.ReviewIn{Digest: st.Digest}))
	pid, err := k.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: st.ID})
	k.must(err)
	k.must(k.Pay(as(cashier), pid))
	k.kill("pay", int64(pid))
	k.work()
	k.paid += st.Net
	var paid money.Amount
	k.must(k.DB.Read(bg).Raw("SELECT COALESCE(SUM(balance), 0) FROM accounts WHERE stage = ?", wallet.StagePaid).Scan(&paid).Error)
	if paid != k.paid {
		k.t.Errorf("the ledger paid %s, the settlements say %s", paid, k.paid)
	}
}

// sealed closes what is there in a job that is killed, then ended by another.
func (k *killing) sealed() settlement.Settlement {
	k.t.Helper()
	sid := k.open()
	k.must(k.Close(as(maker), sid))
	k.kill("close", int64(sid))
	k.work()
	st := k.find(sid)
	if st.Status != settlement.StatusClosed || st.LineCount != 700 || st.Net != 7_000 {
		k.t.Fatalf("%s: %d lines, net %s", st.Status, st.LineCount, st.Net)
	}
	for _, f := range st.Files {
		made, err := child(k.t, k.url, f.Name, int64(sid), "").Output()
		if k.must(err); !bytes.Equal(made, k.file(sid, f.Name)) {
			k.t.Errorf("%s: another process makes %d other bytes", f.Name, len(made))
		}
	}
	return st
}

// kill runs the job up to three times, each in a process that dies at a drawn
// step, if it comes to it.
func (k *killing) kill(job string, object int64) {
	k.t.Helper()
	for range 1 + k.draw.IntN(3) {
		step := steps[job][k.draw.IntN(len(steps[job]))]
		if dbtest.Killed(k.t, child(k.t, k.url, job, object, step.point+":"+strconv.Itoa(1+k.draw.IntN(step.passes)))) {
			k.dead++
			k.at[step.point]++
		}
	}
}
