package poster

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"siyu/internal/qr"
)

// An A6 page in points: 105 × 148 mm.
const (
	pageWidth  = 297.638
	pageHeight = 419.528
)

// Cards is a PDF of A6 table cards, one page per code. Background and the
// lines that are the same on every card are written once; QR and letters are
// outlines, sharp on any printer, and a card is about 4 kB.
type Cards struct {
	sheet  Sheet
	out    pdf
	common int // what all pages share
	kids   []string
	pages  int
	glyphs sfnt.Buffer
}

// NewCards begins the file. Nothing is written before the picture is decoded.
func (s Sheet) NewCards(to io.Writer) (*Cards, error) {
	canvas, err := s.canvas()
	if err != nil {
		return nil, err
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, canvas, &jpeg.Options{Quality: 90}); err != nil {
		return nil, fmt.Errorf("poster: %w", err)
	}
	c := &Cards{sheet: s, out: pdf{to: to}}
	var shared strings.Builder
	fmt.Fprintf(&shared, "q %d 0 0 %d 0 %d cm /Back Do Q\n", s.Width, -s.Height, s.Height)
	for _, l := range s.Lines {
		if !strings.Contains(l.Text, codeInText) {
			if err := c.line(&shared, l, l.Text); err != nil {
				return nil, err
			}
		}
	}
	c.out.print("%%PDF-1.5\n%%\xe2\xe3\xcf\xd3\n")
	c.pages = c.out.promise()
	back := c.out.promise()
	c.out.stream(back, fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode",
		s.Width, s.Height), photo.Bytes())
	c.common = c.out.promise()
	c.out.stream(c.common, fmt.Sprintf("/Type /XObject /Subtype /Form /BBox [0 0 %d %d] /Resources << /XObject << /Back %d 0 R >> >> /Filter /FlateDecode",
		s.Width, s.Height, back), packed(shared.String()))
	return c, c.out.err
}

// Add writes the card of an address. Its symbol is read again first.
func (c *Cards) Add(address, code string) error {
	symbol, err := qr.New(address)
	if err != nil {
		return err
	}
	if read, err := qr.Read(symbol.Image(4)); err != nil || read != address {
		return ErrUnreadable
	}
	module, from, err := c.sheet.place(symbol)
	if err != nil {
		return err
	}
	var b strings.Builder
	// From pixels with their origin above to points with theirs below, the
	// whole background in the middle of the page.
	scale := min(pageWidth/float64(c.sheet.Width), pageHeight/float64(c.sheet.Height))
	fmt.Fprintf(&b, "%.5f 0 0 %.5f %.3f %.3f cm /Common Do\n", scale, -scale,
		(pageWidth-scale*float64(c.sheet.Width))/2, (pageHeight+scale*float64(c.sheet.Height))/2)
	fmt.Fprintf(&b, "1 1 1 rg %d %d %d %d re f\n0 0 0 rg\n", c.sheet.QR.X, c.sheet.QR.Y, c.sheet.QR.Size, c.sheet.QR.Size)
	for y := range symbol.Side() {
		for x := 0; x < symbol.Side(); x++ {
			began := x
			for x < symbol.Side() && symbol.Dark(x, y) {
				x++
			}
			if x > began {
				fmt.Fprintf(&b, "%d %d %d %d re\n", from.X+began*module, from.Y+y*module, (x-began)*module, module)
			}
		}
	}
	b.WriteString("f\n")
	for _, l := range c.sheet.Lines {
		if strings.Contains(l.Text, codeInText) {
			if err := c.line(&b, l, strings.ReplaceAll(l.Text, codeInText, code)); err != nil {
				return err
			}
		}
	}
	content, page := c.out.promise(), c.out.promise()
	c.out.stream(content, "/Filter /FlateDecode", packed(b.String()))
	c.out.object(page, fmt.Sprintf("<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %g %g] /Resources << /XObject << /Common %d 0 R >> >> /Contents %d 0 R >>",
		c.pages, pageWidth, pageHeight, c.common, content))
	c.kids = append(c.kids, strconv.Itoa(page)+" 0 R")
	return c.out.err
}

// Close ends the file.
func (c *Cards) Close() error {
	root := c.out.promise()
	c.out.object(c.pages, fmt.Sprintf("<< /Type /Pages /Count %d /Kids [%s] >>", len(c.kids), strings.Join(c.kids, " ")))
	c.out.object(root, fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R >>", c.pages))
	return c.out.end(root)
}

// line writes the outlines of a text. Curves of one control point become ones
// of two, which is all that PDF knows.
func (c *Cards) line(b *strings.Builder, l Line, text string) error {
	if c.sheet.Font == nil {
		return ErrFont
	}
	face, size := c.sheet.Font.face, fixed.I(l.Size)
	var width fixed.Int26_6
	letters := make([]sfnt.GlyphIndex, 0, len(text))
	advances := make([]fixed.Int26_6, 0, len(text))
	for _, r := range text {
		g, err := face.GlyphIndex(&c.glyphs, r)
		if err != nil {
			return fmt.Errorf("poster: letter: %w", err)
		}
		step, err := face.GlyphAdvance(&c.glyphs, g, size, font.HintingNone)
		if err != nil {
			return fmt.Errorf("poster: letter: %w", err)
		}
		letters, advances = append(letters, g), append(advances, step)
		width += step
	}
	x := fixed.I(l.X)
	switch l.Align {
	case AlignCenter:
		x -= width / 2
	case AlignRight:
		x -= width
	}
	ink := inkOf(l.Color)
	fmt.Fprintf(b, "%.3f %.3f %.3f rg\n", float64(ink.R)/255, float64(ink.G)/255, float64(ink.B)/255)
	for i, g := range letters {
		outline, err := face.LoadGlyph(&c.glyphs, g, size, nil)
		if err != nil {
			return fmt.Errorf("poster: letter: %w", err)
		}
		trace(b, outline, x, fixed.I(l.Y))
		x += advances[i]
	}
	b.WriteString("f\n")
	return nil
}

// trace writes one letter's outline at a place.
func trace(b *strings.Builder, outline sfnt.Segments, x, y fixed.Int26_6) {
	at := func(p fixed.Point26_6) (float64, float64) { return float64(p.X+x) / 64, float64(p.Y+y) / 64 }
	var px, py float64
	for _, s := range outline {
		x1, y1 := at(s.Args[0])
		x2, y2 := at(s.Args[1])
		x3, y3 := at(s.Args[2])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			fmt.Fprintf(b, "%.1f %.1f m\n", x1, y1)
			px, py = x1, y1
		case sfnt.SegmentOpLineTo:
			fmt.Fprintf(b, "%.1f %.1f l\n", x1, y1)
			px, py = x1, y1
		case sfnt.SegmentOpQuadTo:
			fmt.Fprintf(b, "%.1f %.1f %.1f %.1f %.1f %.1f c\n", px+(x1-px)*2/3, py+(y1-py)*2/3, x2+(x1-x2)*2/3, y2+(y1-y2)*2/3, x2, y2)
			px, py = x2, y2
		case sfnt.SegmentOpCubeTo:
			fmt.Fprintf(b, "%.1f %.1f %.1f %.1f %.1f %.1f c\n", x1, y1, x2, y2, x3, y3)
			px, py = x3, y3
		}
	}
}

// place is how many pixels a module has in the box, and where the first one
// stands: whole pixels, in the middle.
func (s Sheet) place(symbol qr.Symbol) (module int, from image.Point, err error) {
	if module = s.QR.Size / symbol.Side(); module < moduleMin {
		return 0, from, ErrUnreadable
	}
	spare := (s.QR.Size - module*symbol.Side()) / 2
	return module, image.Pt(s.QR.X+spare, s.QR.Y+spare), nil
}
