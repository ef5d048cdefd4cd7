package main

import (
	"flag"
	"io"
	"slices"
	"testing"
)

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
