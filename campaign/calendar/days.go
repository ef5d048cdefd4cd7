package calendar

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed days.csv
var daysFile []byte

// almanac is the file, read once.
type almanac struct {
	version string
	years   []int
	days    []Day
}

var known = sync.OnceValue(func() almanac {
	a, err := readDays(daysFile)
	if err != nil {
		panic(err) // a mistake in the binary
	}
	return a
})

// DataVersion is that of the preloaded days.
func DataVersion() string { return known().version }

// readDays reads the file: a comment with the version, a head with the years,
// then a row per day.
func readDays(file []byte) (almanac, error) {
	var a almanac
	head, _, _ := strings.Cut(string(file), "\n")
	a.version = strings.TrimSpace(strings.TrimPrefix(head, "# version"))
	r := csv.NewReader(bytes.NewReader(file))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		return a, fmt.Errorf("calendar: days.csv: %w", err)
	}
	const first = 6 // the column of the first year
	for i, row := range rows {
		for j, text := range row[first:] {
			if i == 0 {
				year, err := strconv.Atoi(text)
				if err != nil {
					return a, fmt.Errorf("calendar: days.csv: year %q", text)
				}
				a.years = append(a.years, year)
				continue
			}
			d := Day{Code: row[0], Kind: Kind(row[1]), Avoid: row[2] == "1", Rule: row[3], NameZH: row[4], NameEN: row[5], SourceYear: a.years[j]}
			if d.FromDay, d.ToDay, err = readDates(text, a.years[j]); err != nil {
				return a, fmt.Errorf("calendar: days.csv: %s: %w", d.Code, err)
			}
			a.days = append(a.days, d)
		}
	}
	return a, nil
}

// readDates reads MM-DD or MM-DD/MM-DD.
func readDates(text string, year int) (from, to int, err error) {
	begin, end, ranged := strings.Cut(text, "/")
	if !ranged {
		end = begin
	}
	for _, x := range []struct {
		text string
		to   *int
	}{{begin, &from}, {end, &to}} {
		n, err := strconv.Atoi(strings.Replace(x.text, "-", "", 1))
		*x.to = year*10000 + n
		if err != nil || number(dateOf(*x.to)) != *x.to {
			return 0, 0, fmt.Errorf("%q is no day of %d", text, year)
		}
	}
	if to < from {
		return 0, 0, fmt.Errorf("%q runs backwards", text)
	}
	return from, to, nil
}

// preloaded are the file's days that touch the stretch, and the years of it
// the file does not know.
func preloaded(from, to int) (days []Day, unknown []int) {
	a := known()
	days = []Day{}
	for _, d := range a.days {
		if d.FromDay <= to && d.ToDay >= from {
			days = append(days, d)
		}
	}
	unknown = []int{}
	for year := from / 10000; year <= to/10000; year++ {
		if year < a.years[0] || year > a.years[len(a.years)-1] {
			unknown = append(unknown, year)
		}
	}
	return days, unknown
}
