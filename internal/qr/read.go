package qr

import (
	"fmt"
	"image"
	"image/draw"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// Read finds the one QR in a picture, as a phone would: by another code than
// that which drew it. In about one symbol of a thousand the reader takes other
// modules for a corner; turned by a quarter, as a hand turns a phone, it finds
// the right ones.
func Read(img image.Image) (text string, err error) {
	gray, ok := img.(*image.Gray)
	if !ok || gray.Rect.Min != (image.Point{}) || gray.Stride != gray.Rect.Dx() {
		gray = image.NewGray(image.Rectangle{Max: img.Bounds().Size()})
		draw.Draw(gray, gray.Bounds(), img, img.Bounds().Min, draw.Src)
	}
	for range 4 {
		if text, err = find(gray); err == nil {
			return text, nil
		}
		gray = turned(gray)
	}
	return "", fmt.Errorf("qr: read: %w", err)
}

// find looks into the picture's bytes as they lie, which are what the reader
// would make of its colours one by one.
func find(img *image.Gray) (string, error) {
	width, height := img.Rect.Dx(), img.Rect.Dy()
	light, err := gozxing.NewPlanarYUVLuminanceSource(img.Pix, width, height, 0, 0, width, height, false)
	if err != nil {
		return "", err
	}
	bitmap, err := gozxing.NewBinaryBitmap(gozxing.NewHybridBinarizer(light))
	if err != nil {
		return "", err
	}
	found, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return "", err
	}
	return found.GetText(), nil
}

// turned is the picture turned clockwise by a quarter.
func turned(img *image.Gray) *image.Gray {
	size := img.Bounds().Size()
	out := image.NewGray(image.Rect(0, 0, size.Y, size.X))
	for y := range size.Y {
		for x := range size.X {
			out.Pix[x*out.Stride+size.Y-1-y] = img.Pix[y*img.Stride+x]
		}
	}
	return out
}
