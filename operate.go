package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"siyu/access"
	"siyu/campaign"
	"siyu/campaign/groupbuy"
	"siyu/campaign/guard"
	"siyu/campaign/invite"
	"siyu/campaign/tieout"
	"siyu/community"
	"siyu/community/gathering"
	"siyu/community/health"
	"siyu/community/request"
	"siyu/configs"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/task"
	"siyu/referral"
	"siyu/referral/payee"
	"siyu/referral/promoter"
	"siyu/referral/settlement"
	"siyu/referral/voucher"
	"siyu/wallet"
)

// openStore opens the configured store for a command.
func openStore(ctx context.Context) (*database.DB, configs.Config, error) {
	cfg, err := configs.Load("")
	if err != nil {
		return nil, cfg, err
	}
	db, err := database.Open(ctx, database.Config{URL: cfg.DB, Clock: clock.Wall()})
	return db, cfg, err
}

func migrate(ctx context.Context, _ []string, out io.Writer) error {
	db, _, err := openStore(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	n, err := db.Migrate(ctx)
	if err == nil {
		fmt.Fprintf(out, "schema is up to date; %d steps were run\n", n)
	}
	return err
}

func backup(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("backup FILE: name the file to write")
	}
	db, _, err := openStore(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Backup(ctx, args[0]); err != nil {
		return err
	}
	fmt.Fprintf(out, "written to %s; keep the key set with it\n", args[0])
	return nil
}

func addAccess(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] != "add" {
		return errors.New("access add --name NAME --role ROLE [--unit UNIT]")
	}
	flags := flag.NewFlagSet("access add", flag.ContinueOnError)
	flags.SetOutput(out)
	name := flags.String("name", "", "the staff member's name")
	role := flags.String("role", "", "admin, marketer, finance, cashier, group_owner or mall")
	unit := flags.String("unit", "", "a unit's name or id; the whole brand by default")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	db, cfg, err := openStore(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Migrate(ctx); err != nil {
		return err
	}
	keys, err := keySet(cfg)
	if err != nil {
		return err
	}
	if err := db.Lease(ctx); err != nil {
		return err
	}
	key, err := (&access.Service{DB: db, Secrets: keys}).Bootstrap(ctx, access.First{Name: *name, Role: access.Role(*role), Unit: *unit})
	if err == nil {
		fmt.Fprintln(out, key)
	}
	return err
}

// errBroken ends verify with status 1: the store was read, and an invariant
// does not hold.
var errBroken = errors.New("an invariant is broken")

// verify proves the invariants on the live store and prints what it checked.
func verify(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("verify", flag.ContinueOnError)
	flags.SetOutput(out)
	var how proving
	flags.BoolVar(&how.strict, "strict", false, "also prove that nothing lags")
	flags.BoolVar(&how.times, "v", false, "also print the seconds each proof took")
	if err := flags.Parse(args); err != nil {
		return err
	}
	db, _, err := openStore(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Migrated(ctx); err != nil {
		return err
	}
	db.GiveWay()
	return prove(ctx, db, how, out)
}

// proving says what verify proves and prints.
type proving struct{ strict, times bool }

// prove runs every room's proof.
func prove(ctx context.Context, db *database.DB, how proving, out io.Writer) error {
	queue := task.Verify
	if how.strict {
		queue = task.VerifyStrict
	}
	rooms := []func(context.Context, *database.DB) ([]database.Proof, error){
		campaign.Verify, campaign.VerifyDiscounts, campaign.VerifyRefunds, groupbuy.Verify, invite.Verify, referral.Verify, promoter.Verify, wallet.Verify, wallet.VerifyCoupons, wallet.VerifyPoints, wallet.VerifyCloses, voucher.Verify, settlement.Verify, payee.Verify, guard.Verify, queue, community.Verify, health.Verify,
		request.Verify, tieout.Verify, gathering.Verify,
	}
	if how.strict {
		rooms = append(rooms, campaign.VerifyStrict, referral.VerifyStrict)
	}
	broken := 0
	for _, room := range rooms {
		began := time.Now()
		proofs, err := room(ctx, db)
		if err != nil {
			return err
		}
		timed(proofs, time.Since(began))
		for _, p := range proofs {
			mark := "holds "
			if len(p.Broken) > 0 {
				mark = "BROKEN"
				broken += len(p.Broken)
			}
			took := ""
			if how.times {
				took = fmt.Sprintf("%7.1f s", p.Took.Seconds())
			}
			fmt.Fprintf(out, "  %-4s %s %9d checked%s  %s\n", p.ID, mark, p.Checked, took, p.Says)
			for _, b := range p.Broken {
				fmt.Fprintf(out, "       - %s\n", b)
			}
		}
	}
	if broken > 0 {
		return errBroken
	}
	return nil
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
