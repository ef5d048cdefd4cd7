// Package qr draws QR symbols: as PNG, as SVG and for a terminal.
//
// The matrix is go-qrcode's, with error correction M and the quiet border of
// four modules. The pictures are our own: a symbol is two colours in whole
// squares, so a PNG needs one bit a pixel and a row only once per module, and
// an SVG one path. It knows no business; referral and bench call it.
package qr

import (
	"fmt"
	"image"
	"strings"

	qrcode "github.com/skip2/go-qrcode"
)

// Symbol is the modules of one text, the quiet border among them.
type Symbol struct{ rows [][]bool }

// New makes the symbol of a text.
func New(text string) (Symbol, error) {
	q, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return Symbol{}, fmt.Errorf("qr: %w", err)
	}
	return Symbol{q.Bitmap()}, nil
}

// Side is how many modules a side has, the quiet border among them.
func (s Symbol) Side() int { return len(s.rows) }

// Dark says whether the module is dark.
func (s Symbol) Dark(x, y int) bool { return s.rows[y][x] }

// Image draws the symbol with so many pixels per module.
func (s Symbol) Image(module int) image.Image {
	side := s.Side() * module
	img := image.NewGray(image.Rect(0, 0, side, side))
	for y, line := range s.rows {
		first := img.Pix[y*module*img.Stride:][:side]
		for x, dark := range line {
			for px := x * module; !dark && px < (x+1)*module; px++ {
				first[px] = 255
			}
		}
		for n := 1; n < module; n++ {
			copy(img.Pix[(y*module+n)*img.Stride:], first)
		}
	}
	return img
}

// Text draws the symbol for a dark terminal, two modules to a character.
func (s Symbol) Text() string {
	halves := [2][2]string{{"█", "▀"}, {"▄", " "}} // [upper dark][lower dark]
	var b strings.Builder
	for y := 0; y < s.Side(); y += 2 {
		for x := range s.Side() {
			upper, lower := 0, 1 // below the last row there is nothing, which looks dark
			if s.rows[y][x] {
				upper = 1
			}
			if y+1 < s.Side() && !s.rows[y+1][x] {
				lower = 0
			}
			b.WriteString(halves[upper][lower])
		}
		b.WriteByte('\n')
	}
	return b.String()
}
