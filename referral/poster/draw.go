package poster

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"siyu/internal/fault"
	"siyu/internal/qr"
)

// Sheet is a background with what stands on it.
type Sheet struct {
	Background
	Layout
	Font *Font // nil if there is no text
}

// Check draws the sheet with a text as long as a code's address, and so tells
// whoever uploads it what is wrong before anything is printed.
func (s Sheet) Check(address, code string) error {
	if err := s.Layout.check(s.Width, s.Height); err != nil {
		return err
	}
	for i, l := range s.Lines {
		if r, ok := s.Font.missing(strings.ReplaceAll(l.Text, codeInText, code)); ok {
			return fault.Invalid.Field(fmt.Sprintf("layout.lines[%d].text", i), "no_glyph",
				"字体里没有这个字："+string(r), "the font has no letter "+strconv.QuoteRune(r))
		}
	}
	_, err := s.Draw(address, code)
	return err
}

// Draw makes the poster of an address as PNG, read again before it is given
// away.
func (s Sheet) Draw(address, code string) ([]byte, error) {
	canvas, err := s.canvas()
	if err != nil {
		return nil, err
	}
	symbol, err := qr.New(address)
	if err != nil {
		return nil, err
	}
	if err := s.drawQR(canvas, symbol); err != nil {
		return nil, err
	}
	for i, l := range s.Lines {
		if err := s.drawLine(canvas, l, strings.ReplaceAll(l.Text, codeInText, code)); err != nil {
			var f *fault.Fault
			if errors.As(err, &f) {
				return nil, f
			}
			return nil, fmt.Errorf("poster: line %d: %w", i, err)
		}
	}
	if read, err := qr.Read(canvas); err != nil || read != address {
		return nil, ErrUnreadable
	}
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := enc.Encode(&b, canvas); err != nil {
		return nil, fmt.Errorf("poster: %w", err)
	}
	return b.Bytes(), nil
}

// moduleMin is the fewest pixels of a module that a print still shows.
const moduleMin = 3

// drawQR fills the box with white and the symbol, whole pixels per module, in
// its middle.
func (s Sheet) drawQR(canvas *image.RGBA, symbol qr.Symbol) error {
	module, from, err := s.place(symbol)
	if err != nil {
		return err
	}
	box := image.Rect(s.QR.X, s.QR.Y, s.QR.X+s.QR.Size, s.QR.Y+s.QR.Size)
	draw.Draw(canvas, box, image.White, image.Point{}, draw.Src)
	for y := range symbol.Side() {
		for x := range symbol.Side() {
			if symbol.Dark(x, y) {
				at := from.Add(image.Pt(x*module, y*module))
				draw.Draw(canvas, image.Rectangle{at, at.Add(image.Pt(module, module))}, image.Black, image.Point{}, draw.Src)
			}
		}
	}
	return nil
}

var errWide = fault.Invalid.Field("layout.lines", "too_wide", "文字超出背景图，请缩小字号或移动位置", "a line does not fit onto the background; make it smaller or move it")

func (s Sheet) drawLine(canvas *image.RGBA, l Line, text string) error {
	if s.Font == nil {
		return ErrFont
	}
	// A face holds the state of drawing, so each line has its own.
	face, err := opentype.NewFace(s.Font.face, &opentype.FaceOptions{Size: float64(l.Size), DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return err
	}
	defer face.Close()
	width := font.MeasureString(face, text)
	x := fixed.I(l.X)
	switch l.Align {
	case AlignCenter:
		x -= width / 2
	case AlignRight:
		x -= width
	}
	if x < 0 || (x+width).Ceil() > s.Width {
		return errWide
	}
	d := font.Drawer{Dst: canvas, Src: image.NewUniform(inkOf(l.Color)), Face: face, Dot: fixed.Point26_6{X: x, Y: fixed.I(l.Y)}}
	d.DrawString(text)
	return nil
}

// inkOf reads #rrggbb; anything else is black.
func inkOf(text string) color.RGBA {
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 16, 24)
	if err != nil {
		return color.RGBA{A: 255}
	}
	return color.RGBA{R: uint8(n >> 16), G: uint8(n >> 8), B: uint8(n), A: 255}
}
