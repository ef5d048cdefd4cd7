// Package poster draws a code onto a brand's picture: a box with the QR and
// lines of text, in Chinese too.
//
// It is pure but for the font, which it reads from a file: what comes in is a
// picture somebody uploaded, checked for its size before anything is decoded,
// and a layout; what goes out is a PNG that was read again by a QR reader, so
// that a poster nobody can scan is refused and not printed. It owns no table;
// referral keeps the templates.
package poster

import (
	"fmt"
	"regexp"
	"strings"

	"siyu/internal/fault"
)

// Bounds of a layout.
const (
	linesMax   = 12
	textMax    = 60
	boxMin     = 160 // four pixels a module of a version 3 symbol
	fontMin    = 10
	fontMax    = 400
	codeInText = "{code}"
)

// Layout says where things stand, in pixels of the background.
type Layout struct {
	QR    Box    `json:"qr"`
	Lines []Line `json:"lines"`
}

// Box is where the QR stands, its white border within.
type Box struct {
	X    int `json:"x"`
	Y    int `json:"y"`
	Size int `json:"size"`
}

// Line is one line of text: Y is its base line, and X its beginning, middle or
// end as Align says. {code} stands for the code.
type Line struct {
	Text  string `json:"text"`
	X     int    `json:"x"`
	Y     int    `json:"y"`
	Size  int    `json:"size"`
	Color string `json:"color"` // #rrggbb; empty is black
	Align Align  `json:"align"` // empty is left
}

// Align is which end of a line X is.
type Align string

// The alignments.
const (
	AlignLeft   Align = "left"
	AlignCenter Align = "center"
	AlignRight  Align = "right"
)

var colorForm = regexp.MustCompile(`^(#[0-9a-fA-F]{6})?$`)

// check names everything wrong with the layout on a picture of that size.
func (l Layout) check(width, height int) error {
	var c fault.Check
	c.Range(int64(l.QR.Size), "layout.qr.size", boxMin, int64(min(width, height)))
	inside := l.QR.X >= 0 && l.QR.Y >= 0 && l.QR.X <= width-l.QR.Size && l.QR.Y <= height-l.QR.Size
	c.That(inside, "layout.qr", "outside", "二维码超出背景图", "the QR does not lie within the background")
	c.Range(int64(len(l.Lines)), "layout.lines", 0, linesMax)
	for i, x := range l.Lines[:min(len(l.Lines), linesMax)] {
		at := fmt.Sprintf("layout.lines[%d].", i)
		c.Required(strings.TrimSpace(x.Text), at+"text")
		c.Length(x.Text, at+"text", textMax)
		c.Range(int64(x.Size), at+"size", fontMin, fontMax)
		c.Range(int64(x.X), at+"x", 0, int64(width))
		c.Range(int64(x.Y), at+"y", 0, int64(height))
		c.OneOf(string(x.Align), at+"align", "", string(AlignLeft), string(AlignCenter), string(AlignRight))
		c.That(colorForm.MatchString(x.Color), at+"color", "format", "应为 #rrggbb", "must be #rrggbb")
	}
	return c.Err()
}

// ErrUnreadable refuses a poster whose QR a reader did not find.
var ErrUnreadable = fault.New(fault.KindUnprocessable, "poster.unreadable",
	"海报上的二维码扫不出来，请加大二维码，或让文字离它远一些", "the QR on the poster cannot be scanned; make it larger, or move the text away from it")
