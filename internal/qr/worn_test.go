package qr_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"

	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"

	"siyu/internal/database/dbtest"
	"siyu/internal/qr"
)

// TestWorn scans codes as they come back from paper and chats: compressed,
// turned a little, and shrunk. Everything that the house draws survives JPEG at
// 60 and two degrees; how small it may get is said.
func TestWorn(t *testing.T) {
	zbarimg := dbtest.Need(t, "zbarimg")
	for i := range 12 {
		text := fmt.Sprintf("https://q.example/i/K7M2VE%06d", i*7919)
		s, err := qr.New(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, module := range []int{4, 6, 8, 12} {
			scans(t, zbarimg, "worn.jpg", squeezed(t, tilted(s.Image(module), 2)), text)
		}
		// 120 pixels hold a symbol of 37 modules at a little more than 3 each.
		scans(t, zbarimg, "small.jpg", squeezed(t, shrunk(s.Image(8), 120)), text)
	}
}

// squeezed is the picture as JPEG at 60.
func squeezed(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 60}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tilted is the picture turned about its middle, on white.
func tilted(img image.Image, degrees float64) image.Image {
	size := img.Bounds().Dx()
	side := size + size/8
	out := image.NewGray(image.Rect(0, 0, side, side))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	half, middle := float64(size)/2, float64(side)/2
	draw.BiLinear.Transform(out, f64.Aff3{
		cos, -sin, middle - cos*half + sin*half,
		sin, cos, middle - sin*half - cos*half,
	}, img, img.Bounds(), draw.Over, nil)
	return out
}

func shrunk(img image.Image, side int) image.Image {
	out := image.NewGray(image.Rect(0, 0, side, side))
	draw.CatmullRom.Scale(out, out.Bounds(), img, img.Bounds(), draw.Src, nil)
	return out
}
