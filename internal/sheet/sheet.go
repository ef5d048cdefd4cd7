// Package sheet reads CSV files that people make: UTF-8 or GBK, with or
// without a byte order mark, separated by commas, semicolons or tabs, the
// first line naming the columns in any order and in either language, times as
// spreadsheets write them.
//
// For the files the house writes it says which texts a spreadsheet would run.
//
// It knows no business: who reads a sheet names the columns it may have, and
// says of each line what it means.
package sheet

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Sheet is a file after its first line.
type Sheet struct {
	csv *csv.Reader
	at  map[string]int
	// Ignored are the names of columns that mean nothing to the reader.
	Ignored []string
}

// Row is one line; it is good until the next one is read.
type Row struct {
	Line   int
	record []string
	at     map[string]int
}

// Open reads the first line. columns are the names a column may have, in lower
// case, each with the column it means; of two that mean the same the first
// counts.
func Open(body []byte, columns map[string]string) (*Sheet, error) {
	body = bytes.TrimPrefix(body, []byte("\uFEFF"))
	if !utf8.Valid(body) {
		var err error
		if body, err = simplifiedchinese.GB18030.NewDecoder().Bytes(body); err != nil {
			return nil, err
		}
	}
	c := csv.NewReader(bytes.NewReader(body))
	c.Comma, c.FieldsPerRecord, c.TrimLeadingSpace, c.ReuseRecord, c.LazyQuotes = comma(body), -1, true, true, true
	s := &Sheet{csv: c, at: map[string]int{}}
	record, err := c.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for i, name := range record {
		name = strings.TrimSpace(name)
		column, known := columns[strings.ToLower(name)]
		if _, twice := s.at[column]; !known || twice {
			s.Ignored = append(s.Ignored, strings.Clone(name))
			continue
		}
		s.at[column] = i
	}
	return s, nil
}

// Has says whether the sheet has the column.
func (s *Sheet) Has(column string) bool {
	_, ok := s.at[column]
	return ok
}

// Next is the next line, or io.EOF. Lines that hold nothing are passed over.
func (s *Sheet) Next() (Row, error) {
	for {
		record, err := s.csv.Read()
		if err != nil {
			return Row{}, err
		}
		line, _ := s.csv.FieldPos(0)
		if slices.ContainsFunc(record, func(f string) bool { return strings.TrimSpace(f) != "" }) {
			return Row{line, record, s.at}, nil
		}
	}
}

// Field is the text under a column, "" where there is none.
func (r Row) Field(column string) string {
	i, ok := r.at[column]
	if !ok || i >= len(r.record) {
		return ""
	}
	return strings.Clone(strings.TrimSpace(r.record[i]))
}

// comma is the separator of the first line.
func comma(body []byte) rune {
	first, _, _ := bufio.ScanLines(body[:min(len(body), 4096)], true)
	line := body[:first]
	for _, c := range "\t;" {
		if bytes.ContainsRune(line, c) {
			return c
		}
	}
	return ','
}

// layouts are the forms of time that spreadsheets write.
var layouts = []string{
	"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006/1/2 15:04:05", "2006/1/2 15:04",
	"2006-1-2 15:04", "2006-01-02", "2006/1/2", "2006年1月2日 15:04", "2006年1月2日",
}

// Moment is the time a field means, in the zone unless it names one itself.
func Moment(s string, zone *time.Location) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, true
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
