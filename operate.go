package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"siyu/access"
	"siyu/configs"
	"siyu/internal/clock"
	"siyu/internal/database"
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
