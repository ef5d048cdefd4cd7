// Siyu 私域 runs a brand's private-domain campaigns in one binary: group-buys,
// flash sales and referrals, invite codes printed as QR, rewards in a
// double-entry ledger settled in sealed documents, and a guard that keeps chat
// groups from decaying into ad dumps.
//
// This package is the commands and their wiring: house.go builds every room
// over one store, the other files are one command each. Without a command it
// serves on embedded defaults.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// command is one verb of the binary.
type command struct {
	name, does string
	run        func(ctx context.Context, args []string, out io.Writer) error
}

func commands() []command {
	return []command{
		{"serve", "run the house (the default)", serve},
		{"demo", "play the main job on a fresh store, then stay to be looked at (--exit: end)", demo},
		{"migrate", "bring the store's schema up to this binary", migrate},
		{"verify", "prove the invariants on the live store (--strict: and that nothing lags)", verify},
		{"backup", "copy the store into FILE while it is used", backup},
		{"access", "access add --name NAME --role ROLE [--unit UNIT]: make a key", addAccess},
		{"secrets", "print a new key set for SIYU_SECRETS, which a house on a server needs", printSecrets},
		{"settle", "prepare and close a settlement over REST (SIYU_URL, SIYU_KEY; --label, --unit, --payer, --programs, --cut-off; --preview: say what it would hold and close nothing)", settle},
		{"export", "export SETTLEMENT [FOLDER]: fetch its sealed files over REST; export vouchers (--day DAY [--payer PAYER] | --settlement SETTLEMENT) [--form FORM] [FOLDER]: vouchers of a closed day, all or one payer's, or of a settlement", export},
		{"tieout", "tieout --day DAY --mall FILE --statement FILE [--form FORM] [--payer ent_…] [FOLDER]: hold a day side by side three ways, over REST", tieOutDay},
		{"import", "import groups|members|memberships|sends FILE.csv: bring in what was before, over REST (--report FILE)", importFile},
		{"checkup", "checkup FILE.csv: what the guard would have held of 90 days of past sends (--html PAGE; needs no store)", examine},
		{"version", "print the version", version},
	}
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main without the process, so that tests can call it.
func run(args []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	name := "serve"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	if name == "help" || name == "-h" || name == "--help" {
		usage(out)
		return 0
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		switch err := c.run(ctx, args, out); {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return 0
		case errors.Is(err, errBroken):
			return 1
		default:
			fmt.Fprintf(errs, "siyu %s: %v\n", name, err)
			return 2
		}
	}
	fmt.Fprintf(errs, "siyu: there is no command %q\n\n", name)
	usage(errs)
	return 2
}

// parse reads the flags wherever they stand, before a file's name or after it,
// and gives what is no flag.
func parse(flags *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
}

func usage(out io.Writer) {
	for _, c := range commands() {
		fmt.Fprintf(out, "  %-8s %s\n", c.name, c.does)
	}
}

func version(_ context.Context, _ []string, out io.Writer) error {
	v := "(development)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		v = info.Main.Version
	}
	_, err := fmt.Fprintln(out, "siyu", v)
	return err
}
