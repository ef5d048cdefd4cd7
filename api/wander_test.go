package api

import (
	"context"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"

	"siyu/campaign"
	"siyu/campaign/groupbuy"
	"siyu/campaign/guard"
	"siyu/campaign/invite"
	"siyu/campaign/tieout"
	"siyu/community"
	"siyu/community/gathering"
	"siyu/community/health"
	"siyu/community/request"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/task"
	"siyu/referral"
	"siyu/referral/payee"
	"siyu/referral/promoter"
	"siyu/referral/settlement"
	"siyu/referral/voucher"
	"siyu/wallet"
)

// TestWander sends calls in an order that a seed draws, by staff of every role
// and by members, about things that are there, in whatever state the calls
// before left them, while days pass and tasks run: no answer is an error of
// ours or differs from the contract, a call that was done is not done again
// under its key, every invariant holds at the end, and all engines answer alike.
// Another walk is drawn by SIYU_TEST_SEED, a longer one by SIYU_TEST_STEPS.
func TestWander(t *testing.T) {
	seed, steps := fromEnv(t, "SIYU_TEST_SEED", 1), fromEnv(t, "SIYU_TEST_STEPS", 600)
	var walks [][]string
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := newWanderer(t, db, uint64(seed))
		for range steps {
			w.step()
		}
		w.tick()
		t.Logf("seed %d, answers by status: %v", seed, w.said)
		if w.said[http.StatusOK]+w.said[http.StatusCreated] < steps/4 {
			t.Errorf("fewer than one call in four was done: %v", w.said)
		}
		for _, b := range w.broken(t) {
			t.Error(b)
		}
		walks = append(walks, w.walk)
	})
	for _, other := range walks {
		for i := range min(len(other), len(walks[0])) {
			if other[i] != walks[0][i] {
				t.Fatalf("step %d: one engine answered %s, another %s", i, walks[0][i], other[i])
			}
		}
	}
}

// TestWanderTogether sends each such call that writes six times at once, each
// under a key of its own: no answer is an error of ours, and every invariant
// holds.
func TestWanderTogether(t *testing.T) {
	seed, steps := fromEnv(t, "SIYU_TEST_SEED", 1), fromEnv(t, "SIYU_TEST_STEPS", 600)
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := newWanderer(t, db, uint64(seed))
		for range steps {
			rt := w.anyRoute()
			if rt.method == http.MethodGet {
				continue
			}
			caller, path, body, headers := w.drawn(rt)
			var all sync.WaitGroup
			said := make([]answer, 6)
			for i := range said {
				own := append([]string{w.newKey()}, headers[1:]...)
				all.Go(func() {
					var err error
					if said[i], err = w.try(caller, rt.method+" "+path, body, own...); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			for _, got := range said {
				w.hear(rt, path, body, got)
			}
			w.pass()
		}
		w.tick()
		for _, b := range w.broken(t) {
			t.Error(b)
		}
	})
}

func fromEnv(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// broken are the rows that break an invariant, each with its sentence.
func (h *house) broken(t testing.TB) (all []string) {
	t.Helper()
	for _, prove := range []func(context.Context, *database.DB) ([]database.Proof, error){
		campaign.Verify, campaign.VerifyDiscounts, campaign.VerifyRefunds, groupbuy.Verify, invite.Verify, guard.Verify, tieout.Verify,
		referral.Verify, promoter.Verify, payee.Verify, settlement.Verify, voucher.Verify,
		wallet.Verify, wallet.VerifyCoupons, wallet.VerifyPoints, wallet.VerifyCloses,
		community.Verify, health.Verify, request.Verify, gathering.Verify, task.Verify,
	} {
		proofs, err := prove(bg, h.DB)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range proofs {
			for _, b := range p.Broken {
				all = append(all, p.ID+": "+b)
			}
		}
	}
	return all
}
