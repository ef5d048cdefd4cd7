// Package main is the bench: it measures how fast and how exactly the house
// grants claims and draws codes, on this machine, against other ways to do the
// same.
//
//	go run ./bench claims -engine mariadb
//
// It builds the root binary once, starts a private MariaDB and Redis on unix
// sockets (or a SQLite file), the house as processes of its own, and a front
// process with the baselines; prepares members, tokens and campaigns; drives
// load over loopback from one thread of this process; and stops everything at
// the end. A run is bounded in time and in count. Subjects take turns round by
// round, because this machine's speed drifts, and ratios are medians of the
// rounds' own ratios.
//
// Each run ends with the proof of exactness: what was acknowledged, what the
// orders table holds and what left the stock must be one number, and `siyu
// verify` must hold. Linux only: load uses epoll, figures come from /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-sql-driver/mysql"
)

// command is one thing to measure.
type command struct {
	name, does string
	run        func(ctx context.Context, l *lab) error
	members    int                                                                  // the most it can use; 0: as many as -count
	alone      func(ctx context.Context, o options, say func(string, ...any)) error // instead of run: needs neither store nor house
}

func commands() []command {
	return []command{
		{"claims", "claims of one hot item, against the baselines", runClaims, 0, nil},
		{"mixed", "1, 100 and 1,000 hot items at once", runMixed, 0, nil},
		{"soldout", "refusals when sold out, and 75 % of claims by members who have theirs", runSoldOut, 0, nil},
		{"groupbuy", "joins into 1,000 teams of one item, against one transaction per join", runGroupBuy, 0, nil},
		{"replicas", "one to four houses on one store", runReplicas, 0, nil},
		{"growth", "claims upon 1k, 1M and up to -existing orders, and among 1, 100 and 1,000 live items", runGrowth, 0, nil},
		{"memory", "memory at 10,000 waiting claims, against bare gin holding as many", runMemory, 0, nil},
		{"qr", "drawing a code against go-qrcode's PNG, and answering a drawn one against bare gin", runQR, qrMembers, nil},
		{"codes", "a job that makes a code for every member, against a bare multi-row INSERT (MariaDB)", runCodes, codesAtOnce, nil},
		{"activity", "reporting what members did in a group, against a bare multi-row INSERT (MariaDB)", runActivity, activityMembers, nil},
		{"rollup", "counting and judging the days of groups, against a bare GROUP BY; -existing 5000000 is the full size", runRollup, activityMembers, nil},
		{"import", "a file of 50,000 members brought in by the job, and the house's memory meanwhile", runImport, 1000, nil},
		{"crash", "kills of the house and of the database under load, and what was lost", runCrash, crashMembers, nil},
		{"settle", "rewards that mature at one moment, made payable and settled, against one transaction per reward and one INSERT … SELECT", runSettle, 20_000, nil},
		{"guard", "a wave of ads asked for in 100,000 groups, against one transaction per group; and the decision alone", runGuard, 1000, nil},
		{"exposure", "how many ads each member sees across his groups, counted over 3,000,000 memberships in 100,000 groups (MariaDB)", runExposure, 1000, nil},
		{"export", "the files of a settlement, against a bare scan and excelize's own stream writer (MariaDB)", runExport, 20_000, nil},
		{"verify", "closing and verify of -existing rewards, while claims go on (MariaDB)", runVerify, 20_000, nil},
		{"plan", "200 promotions fitted into 100,000 groups, against an upper bound and the greedy plan", nil, 0, runPlan},
	}
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) == 4 && args[0] == exportCommand {
		return outcome(serveExport(ctx, args[1:], out), errs)
	}
	if len(args) == 1 && args[0] == frontCommand {
		return outcome(serveFront(ctx, out), errs)
	}
	var o options
	flags := o.flags(errs)
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(out, flags)
		return 0
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		if err := flags.Parse(args[1:]); err != nil {
			return 2
		}
		return outcome(measure(ctx, c, o, out), errs)
	}
	fmt.Fprintf(errs, "bench: there is no run %q; try go run ./bench help\n", args[0])
	return 2
}

func outcome(err error, errs io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(errs, "bench: %v\n", err)
	if errors.Is(err, errInexact) {
		return 1
	}
	return 2
}

func usage(out io.Writer, flags *flag.FlagSet) {
	fmt.Fprintln(out, "go run ./bench RUN [flags]\n\nruns:")
	for _, c := range commands() {
		fmt.Fprintf(out, "  %-9s %s\n", c.name, c.does)
	}
	fmt.Fprintln(out, "\nflags:")
	flags.SetOutput(out)
	flags.PrintDefaults()
}

// measure runs one command in a lab of its own and takes the lab down.
func measure(ctx context.Context, c command, o options, out io.Writer) error {
	if err := o.check(c.name); err != nil {
		return err
	}
	slog.SetLogLoggerLevel(slog.LevelError) // the store's handle warns of slow bulk inserts
	if err := mysql.SetLogger(&mysql.NopLogger{}); err != nil {
		return err // it tells of every connection that a kill ended
	}
	if c.members > 0 {
		o.count = min(o.count, c.members)
	}
	if c.alone != nil {
		return c.alone(ctx, o, func(format string, args ...any) { fmt.Fprintf(out, format, args...) })
	}
	l, err := openLab(ctx, o, out)
	if err != nil {
		return err
	}
	defer l.close()
	if err := c.run(ctx, l); err != nil {
		return err
	}
	return l.keepFigures(c.name)
}
