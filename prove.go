package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

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
	"siyu/internal/task"
	"siyu/referral"
	"siyu/referral/payee"
	"siyu/referral/promoter"
	"siyu/referral/settlement"
	"siyu/referral/voucher"
	"siyu/wallet"
)

// proving says what verify proves and prints.
type proving struct{ strict, times bool }

// prover is one walk of a room's proofs.
type prover struct {
	room  string
	prove func(context.Context, *database.DB) ([]database.Proof, error)
}

// provers are the walks of every room.
func provers(strict bool) []prover {
	list := []prover{
		{"campaign", campaign.Verify}, {"campaign", campaign.VerifyDiscounts}, {"campaign", campaign.VerifyRefunds},
		{"campaign/groupbuy", groupbuy.Verify}, {"campaign/invite", invite.Verify}, {"campaign/guard", guard.Verify}, {"campaign/tieout", tieout.Verify},
		{"referral", referral.Verify}, {"referral/promoter", promoter.Verify}, {"referral/settlement", settlement.Verify}, {"referral/payee", payee.Verify}, {"referral/voucher", voucher.Verify},
		{"wallet", wallet.Verify}, {"wallet", wallet.VerifyCoupons}, {"wallet", wallet.VerifyPoints}, {"wallet", wallet.VerifyCloses},
		{"community", community.Verify}, {"community/health", health.Verify}, {"community/request", request.Verify}, {"community/gathering", gathering.Verify},
	}
	if strict {
		return append(list, prover{"internal/task", task.VerifyStrict}, prover{"campaign", campaign.VerifyStrict}, prover{"referral", referral.VerifyStrict})
	}
	return append(list, prover{"internal/task", task.Verify})
}

// proven is a proof and the room that made it.
type proven struct {
	database.Proof
	room string
}

// prove runs every room's proofs and prints them by invariant, in the order of
// their numbers.
func prove(ctx context.Context, db *database.DB, how proving, out io.Writer) error {
	var all []proven
	for _, one := range provers(how.strict) {
		began := time.Now()
		proofs, err := one.prove(ctx, db)
		if err != nil {
			return err
		}
		timed(proofs, time.Since(began))
		for _, p := range proofs {
			all = append(all, proven{p, one.room})
		}
	}
	slices.SortStableFunc(all, func(a, b proven) int { return byNumber(a.ID, b.ID) })
	broken := 0
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].ID == all[0].ID {
			n++
		}
		broken += printInvariant(out, all[:n], how.times)
		all = all[n:]
	}
	if broken > 0 {
		return errBroken
	}
	return nil
}

func byNumber(a, b string) int { return cmp.Or(cmp.Compare(number(a), number(b)), cmp.Compare(a, b)) }

// number is the place of an invariant's name, like V12 or the V10+ of --strict,
// among the others; what is named otherwise comes last.
func number(name string) int {
	n, err := strconv.Atoi(strings.Trim(name, "V+"))
	if err != nil {
		return math.MaxInt
	}
	return n
}

// printInvariant prints what was proven of one invariant, by whom if several
// rooms did, and says how many rows break it.
func printInvariant(out io.Writer, of []proven, times bool) (broken int) {
	var checked int64
	var took time.Duration
	for _, p := range of {
		checked, took, broken = checked+p.Checked, took+p.Took, broken+len(p.Broken)
	}
	says := of[0].Says
	if len(of) > 1 {
		says = fmt.Sprintf("in %d proofs:", len(of))
	}
	fmt.Fprintf(out, "  %-4s %s %9d checked%s  %s\n", of[0].ID, mark(broken), checked, seconds(took, times), says)
	for _, p := range of {
		if len(of) > 1 {
			fmt.Fprintf(out, "       %s %9d %s%s: %s\n", mark(len(p.Broken)), p.Checked, p.room, seconds(p.Took, times), p.Says)
		}
		for _, b := range p.Broken {
			fmt.Fprintf(out, "       - %s\n", b)
		}
	}
	return broken
}

func mark(broken int) string {
	if broken > 0 {
		return "BROKEN"
	}
	return "holds "
}

// seconds is how long a proof took, where that is asked for.
func seconds(took time.Duration, asked bool) string {
	if !asked {
		return ""
	}
	return fmt.Sprintf("%7.1f s", took.Seconds())
}

// timed gives the first of a room's proofs the time that none of them took
// alone: of one proof its own, of several made in one walk that of the walk.
func timed(proofs []database.Proof, all time.Duration) {
	for _, p := range proofs {
		all -= p.Took
	}
	if len(proofs) > 0 {
		proofs[0].Took += all
	}
}
