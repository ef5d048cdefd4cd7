package settlement

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"

	"siyu/internal/money"
	"siyu/internal/sheet"
)

// list is a list of the workbook, spread over as many sheets as the format
// needs. Its rows are written and packed as they come: excelize's stream
// writer would hold up to 16 MiB of each sheet, and build each cell anew.
type list struct {
	book   *workbook
	name   string
	header []string
	most   int // lines to a sheet
	part   int
	at     int // the last row
	col    int // the next cell of it
	to     *packed
	buf    bytes.Buffer
}

// listKeeps is from how many bytes on what was written is packed.
const listKeeps = 32 << 10

// open begins the next sheet. excelize is asked for an empty one, which gives
// it its place in the workbook; in the archive the rows written here take the
// place of its empty file.
func (s *list) open() error {
	s.part++
	name := s.name
	if s.part > 1 {
		name = fmt.Sprintf("%s%d", s.name, s.part)
	}
	if _, err := s.book.NewSheet(name); err != nil {
		return fmt.Errorf("settlement: sheet %s: %w", name, err)
	}
	sheet := 0
	for no, of := range s.book.GetSheetMap() {
		if of == name {
			sheet = no
		}
	}
	var err error
	if s.to, err = s.book.archive.own(fmt.Sprintf("xl/worksheets/sheet%d.xml", sheet)); err != nil {
		return err
	}
	fmt.Fprintf(&s.buf, xml.Header+`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cols><col min="2" max="%d" width="18" customWidth="1"/></cols><sheetData>`, len(s.header))
	s.at = 0
	s.begin()
	for _, name := range s.header {
		s.styled(s.book.head, name)
	}
	return s.end()
}

// next begins a line of the list, on another sheet if this one is full.
func (s *list) next() error {
	if s.at > s.most {
		if err := s.shut(); err != nil {
			return err
		}
		if err := s.open(); err != nil {
			return err
		}
	}
	s.begin()
	return nil
}

func (s *list) begin() {
	s.at++
	s.col = 0
	s.buf.WriteString(`<row r="`)
	s.number(s.at)
	s.buf.WriteString(`">`)
}

func (s *list) end() error {
	s.buf.WriteString("</row>")
	if s.buf.Len() < listKeeps {
		return nil
	}
	return s.flush()
}

func (s *list) flush() error {
	_, err := s.buf.WriteTo(s.to)
	return err
}

// shut ends the sheet.
func (s *list) shut() error {
	s.buf.WriteString("</sheetData></worksheet>")
	if err := s.flush(); err != nil {
		return err
	}
	return s.to.end()
}

// cell begins the next cell; a style of 0 is none.
func (s *list) cell(style int) {
	s.buf.WriteString(`<c r="`)
	s.buf.WriteByte(byte('A' + s.col)) // no list is wider than 26
	s.number(s.at)
	s.buf.WriteByte('"')
	if style != 0 {
		s.buf.WriteString(` s="`)
		s.number(style)
		s.buf.WriteByte('"')
	}
	s.col++
}

func (s *list) number(n int) { s.buf.Write(strconv.AppendInt(s.buf.AvailableBuffer(), int64(n), 10)) }

// skip leaves a cell empty.
func (s *list) skip() { s.col++ }

// integer is a cell of a whole number.
func (s *list) integer(n int64) {
	s.cell(0)
	s.buf.WriteString("><v>")
	s.buf.Write(strconv.AppendInt(s.buf.AvailableBuffer(), n, 10))
	s.buf.WriteString("</v></c>")
}

// yuan is a cell of money, its decimals exactly those of the amount.
func (s *list) yuan(a money.Amount) {
	s.cell(s.book.yuan)
	s.buf.WriteString("><v>")
	s.buf.WriteString(a.String())
	s.buf.WriteString("</v></c>")
}

// text is a cell of text that no program takes for a formula.
func (s *list) text(t string) {
	style := 0
	if sheet.Risky(t) {
		style = s.book.quoted
	}
	s.styled(style, t)
}

func (s *list) styled(style int, t string) {
	if t == "" {
		s.skip()
		return
	}
	s.cell(style)
	s.buf.WriteString(` t="inlineStr"><is><t xml:space="preserve">`)
	if plain(t) {
		s.buf.WriteString(t)
	} else {
		_ = xml.EscapeText(&s.buf, []byte(t)) // a buffer takes everything
	}
	s.buf.WriteString("</t></is></c>")
}

// plain says that a text needs no escape, as ids and moments never do.
func plain(t string) bool {
	for i := range len(t) {
		if c := t[i]; c < ' ' || c > '~' || c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' {
			return false
		}
	}
	return true
}
