package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"siyu/campaign/checkup"
	"siyu/campaign/guard"
)

// examine replays a file of past sends through the guard and prints what it
// finds. It opens no store.
func examine(_ context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("checkup", flag.ContinueOnError)
	flags.SetOutput(out)
	preset := flags.String("preset", string(guard.PresetRetail), "what sort of groups these are, where the file does not say")
	zone := flags.String("zone", "Asia/Shanghai", "the zone of times without one, and of the guard's days")
	days := flags.Int("days", checkup.DaysDefault, "how many days back from the last event")
	lang := flags.String("lang", "zh", "zh or en")
	asJSON := flags.Bool("json", false, "print the whole report as JSON")
	page := flags.String("html", "", "also write the report as a page into this file")
	args, err := parse(flags, args)
	if err != nil {
		return err
	}
	if len(args) != 1 {
		return errors.New("checkup [options] FILE.csv: name the file; its columns are group, time, event, n and preset")
	}
	loc, err := time.LoadLocation(*zone)
	if err != nil {
		return fmt.Errorf("--zone %s: there is no such zone; write it like Asia/Shanghai", *zone)
	}
	o := checkup.Options{Preset: guard.Preset(*preset), Zone: loc, Days: *days}
	if err := o.Validate(); err != nil {
		return err
	}
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	events, lines, err := checkup.Read(file, loc)
	if err != nil {
		return err
	}
	r := checkup.Examine(events, o)
	r.Lines = lines
	if *page != "" {
		if err := writePage(*page, r, *lang); err != nil {
			return err
		}
	}
	if *asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	return r.Write(out, *lang)
}

func writePage(name string, r checkup.Report, lang string) error {
	to, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(r.Page(to, lang), to.Close())
}
