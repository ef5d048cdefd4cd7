package main

import (
	"bytes"
	"flag"
	"io"
	"slices"
	"testing"

	"siyu/configs"
)

// TestSecrets: what `siyu secrets` prints is a key set that a house on a server
// starts with, and another each time.
func TestSecrets(t *testing.T) {
	var first, second, errs bytes.Buffer
	if run([]string{"secrets"}, &first, &errs) != 0 || run([]string{"secrets"}, &second, &errs) != 0 || first.String() == second.String() {
		t.Fatalf("got %q, then %q, %s", first.String(), second.String(), errs.String())
	}
	t.Setenv("SIYU_DB", "mysql://siyu@127.0.0.1:3306/siyu")
	t.Setenv("SIYU_SECRETS_JSON", first.String())
	cfg, err := configs.Load("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keySet(cfg); err != nil {
		t.Fatal(err)
	}
	if run([]string{"secrets", "more"}, &first, &errs) != 2 {
		t.Error("an argument was taken")
	}
}

// TestFlagsAnywhere: a flag counts before a file's name and after it.
func TestFlagsAnywhere(t *testing.T) {
	for _, args := range [][]string{{"--report", "r.csv", "groups", "g.csv"}, {"groups", "--report", "r.csv", "g.csv"}, {"groups", "g.csv", "--report=r.csv"}} {
		flags := flag.NewFlagSet("import", flag.ContinueOnError)
		report := flags.String("report", "", "")
		rest, err := parse(flags, args)
		if err != nil || *report != "r.csv" || !slices.Equal(rest, []string{"groups", "g.csv"}) {
			t.Errorf("%v: got %v, report %q, %v", args, rest, *report, err)
		}
	}
	flags := flag.NewFlagSet("import", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	if _, err := parse(flags, []string{"groups", "--lost"}); err == nil {
		t.Error("an unknown flag was taken")
	}
}
