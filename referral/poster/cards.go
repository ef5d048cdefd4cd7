package poster

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"slices"
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
	sheet   Sheet
	out     pdf
	common  int // what all pages share
	kids    []int
	pages   int
	page    []byte // of the card at hand
	glyphs  sfnt.Buffer
	letters map[letterKey]letter
}

// Photo is the background as a PDF holds it. It is made before the file is
// begun, because the picture takes 32 MB while it is decoded.
func (s Sheet) Photo() ([]byte, error) {
	canvas, err := s.canvas()
	if err != nil {
		return nil, err
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, canvas, &jpeg.Options{Quality: 90}); err != nil {
		return nil, fmt.Errorf("poster: %w", err)
	}
	return photo.Bytes(), nil
}

// NewCards begins the file, upon the sheet's photo.
func (s Sheet) NewCards(to io.Writer, photo []byte) (*Cards, error) {
	c := &Cards{sheet: s, out: pdf{to: to}, letters: map[letterKey]letter{}}
	shared := fmt.Appendf(nil, "q %d 0 0 %d 0 %d cm /Back Do Q\n", s.Width, -s.Height, s.Height)
	for _, l := range s.Lines {
		if !strings.Contains(l.Text, codeInText) {
			var err error
			if shared, err = c.line(shared, l, l.Text); err != nil {
				return nil, err
			}
		}
	}
	c.out.print("%%PDF-1.5\n%%\xe2\xe3\xcf\xd3\n")
	c.pages = c.out.promise()
	back := c.out.promise()
	c.out.stream(back, fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode",
		s.Width, s.Height), photo)
	c.common = c.out.promise()
	c.out.stream(c.common, fmt.Sprintf("/Type /XObject /Subtype /Form /BBox [0 0 %d %d] /Resources << /XObject << /Back %d 0 R >> >> /Filter /FlateDecode",
		s.Width, s.Height, back), c.out.packed(shared))
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
	b := c.page[:0]
	// From pixels with their origin above to points with theirs below, the
	// whole background in the middle of the page.
	scale := min(pageWidth/float64(c.sheet.Width), pageHeight/float64(c.sheet.Height))
	b = fmt.Appendf(b, "%.5f 0 0 %.5f %.3f %.3f cm /Common Do\n", scale, -scale,
		(pageWidth-scale*float64(c.sheet.Width))/2, (pageHeight+scale*float64(c.sheet.Height))/2)
	b = fmt.Appendf(b, "1 1 1 rg %d %d %d %d re f\n0 0 0 rg\n", c.sheet.QR.X, c.sheet.QR.Y, c.sheet.QR.Size, c.sheet.QR.Size)
	for y := range symbol.Side() {
		for x := 0; x < symbol.Side(); x++ {
			began := x
			for x < symbol.Side() && symbol.Dark(x, y) {
				x++
			}
			if x > began {
				for _, n := range [...]int{from.X + began*module, from.Y + y*module, (x - began) * module, module} {
					b = append(strconv.AppendInt(b, int64(n), 10), ' ')
				}
				b = append(b, "re\n"...)
			}
		}
	}
	b = append(b, "f\n"...)
	for _, l := range c.sheet.Lines {
		if strings.Contains(l.Text, codeInText) {
			if b, err = c.line(b, l, strings.ReplaceAll(l.Text, codeInText, code)); err != nil {
				return err
			}
		}
	}
	c.page = b
	content, page := c.out.promise(), c.out.promise()
	c.out.stream(content, "/Filter /FlateDecode", c.out.packed(b))
	c.out.object(page, fmt.Sprintf("<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %g %g] /Resources << /XObject << /Common %d 0 R >> >> /Contents %d 0 R >>",
		c.pages, pageWidth, pageHeight, c.common, content))
	c.kids = append(c.kids, page)
	return c.out.err
}

// Close ends the file.
func (c *Cards) Close() error {
	root := c.out.promise()
	var kids []byte
	for _, page := range c.kids {
		kids = append(strconv.AppendInt(kids, int64(page), 10), " 0 R "...)
	}
	c.out.object(c.pages, fmt.Sprintf("<< /Type /Pages /Count %d /Kids [%s] >>", len(c.kids), kids))
	c.out.object(root, fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R >>", c.pages))
	return c.out.end(root)
}

// letter is what the font says of one: how far it reaches, and its outline.
type letter struct {
	step    fixed.Int26_6
	outline sfnt.Segments
}

type letterKey struct {
	r    rune
	size int
}

// letter reads a letter from the font, once for all cards: the font is a file.
func (c *Cards) letter(r rune, size int) (letter, error) {
	x, ok := c.letters[letterKey{r, size}]
	if ok {
		return x, nil
	}
	face := c.sheet.Font.face
	g, err := face.GlyphIndex(&c.glyphs, r)
	if err != nil {
		return x, fmt.Errorf("poster: letter: %w", err)
	}
	if x.step, err = face.GlyphAdvance(&c.glyphs, g, fixed.I(size), font.HintingNone); err != nil {
		return x, fmt.Errorf("poster: letter: %w", err)
	}
	outline, err := face.LoadGlyph(&c.glyphs, g, fixed.I(size), nil)
	if err != nil {
		return x, fmt.Errorf("poster: letter: %w", err)
	}
	x.outline = slices.Clone(outline) // it lies in the buffer, which the next one takes
	c.letters[letterKey{r, size}] = x
	return x, nil
}

// line appends the outlines of a text. Curves of one control point become ones
// of two, which is all that PDF knows.
func (c *Cards) line(b []byte, l Line, text string) ([]byte, error) {
	if c.sheet.Font == nil {
		return b, ErrFont
	}
	var width fixed.Int26_6
	letters := make([]letter, 0, len(text))
	for _, r := range text {
		x, err := c.letter(r, l.Size)
		if err != nil {
			return b, err
		}
		letters, width = append(letters, x), width+x.step
	}
	x := fixed.I(l.X)
	switch l.Align {
	case AlignCenter:
		x -= width / 2
	case AlignRight:
		x -= width
	}
	ink := inkOf(l.Color)
	b = fmt.Appendf(b, "%.3f %.3f %.3f rg\n", float64(ink.R)/255, float64(ink.G)/255, float64(ink.B)/255)
	for _, a := range letters {
		b = trace(b, a.outline, x, fixed.I(l.Y))
		x += a.step
	}
	return append(b, "f\n"...), nil
}

// trace appends one letter's outline at a place.
func trace(b []byte, outline sfnt.Segments, x, y fixed.Int26_6) []byte {
	at := func(p fixed.Point26_6) (float64, float64) { return float64(p.X+x) / 64, float64(p.Y+y) / 64 }
	put := func(op string, list ...float64) {
		for _, n := range list {
			b = append(strconv.AppendFloat(b, n, 'f', 1, 64), ' ')
		}
		b = append(b, op...)
	}
	var px, py float64
	for _, s := range outline {
		x1, y1 := at(s.Args[0])
		x2, y2 := at(s.Args[1])
		x3, y3 := at(s.Args[2])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			put("m\n", x1, y1)
			px, py = x1, y1
		case sfnt.SegmentOpLineTo:
			put("l\n", x1, y1)
			px, py = x1, y1
		case sfnt.SegmentOpQuadTo:
			put("c\n", px+(x1-px)*2/3, py+(y1-py)*2/3, x2+(x1-x2)*2/3, y2+(y1-y2)*2/3, x2, y2)
			px, py = x2, y2
		case sfnt.SegmentOpCubeTo:
			put("c\n", x1, y1, x2, y2, x3, y3)
			px, py = x3, y3
		}
	}
	return b
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
