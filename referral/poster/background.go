package poster

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"

	"siyu/internal/fault"
)

// Bounds of a background. Eight million pixels of four bytes are 32 MB while
// one is drawn.
const (
	BytesMax  = 4 << 20
	sideMin   = 300
	sideMax   = 6000
	pixelsMax = 8_000_000
	scansMax  = 64
)

var (
	errBytes  = fault.Invalid.Field("image", "too_large", fmt.Sprintf("图片最大 %d MB", BytesMax>>20), fmt.Sprintf("at most %d MB", BytesMax>>20))
	errKind   = fault.Invalid.Field("image", "format", "应为 PNG 或 JPEG 图片", "must be a PNG or JPEG picture")
	errBroken = fault.Invalid.Field("image", "broken", "图片损坏或不完整，请重新导出后再上传", "the picture is damaged or cut short; export it again")
	errSides  = fault.Invalid.Field("image", "range", fmt.Sprintf("边长应在 %d 到 %d 像素之间，总共最多 %d 万像素", sideMin, sideMax, pixelsMax/10_000),
		fmt.Sprintf("each side must have %d to %d pixels, and the picture at most %d", sideMin, sideMax, pixelsMax))
	errDepth = fault.Invalid.Field("image", "depth", "不支持每通道 16 位的图片", "16 bits a channel are not supported")
	errScans = fault.Invalid.Field("image", "scans", fmt.Sprintf("渐进式 JPEG 最多 %d 次扫描", scansMax), fmt.Sprintf("a progressive JPEG may have at most %d scans", scansMax))
)

// Background is a picture that may be decoded.
type Background struct {
	Width, Height int
	bytes         []byte
	decode        func([]byte) (image.Image, error)
}

// Open looks at an upload before anything is decoded: its bytes, its kind, the
// size its head declares, which is all a decoder will ever fill, and how many
// scans a JPEG makes over it, each of which costs a pass in a few bytes.
func Open(upload []byte) (Background, error) {
	b := Background{bytes: upload}
	if len(upload) > BytesMax {
		return b, errBytes
	}
	var head image.Config
	var err error
	switch {
	case bytes.HasPrefix(upload, []byte("\x89PNG\r\n\x1a\n")):
		head, err = png.DecodeConfig(bytes.NewReader(upload))
		b.decode = func(p []byte) (image.Image, error) { return png.Decode(bytes.NewReader(p)) }
	case bytes.HasPrefix(upload, []byte("\xff\xd8\xff")):
		head, err = jpeg.DecodeConfig(bytes.NewReader(upload))
		b.decode = func(p []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(p)) }
		if bytes.Count(upload, []byte{0xff, 0xda}) > scansMax {
			return b, errScans
		}
	default:
		return b, errKind
	}
	if err != nil {
		return b, errBroken
	}
	b.Width, b.Height = head.Width, head.Height
	switch head.ColorModel {
	case color.RGBA64Model, color.NRGBA64Model, color.Gray16Model:
		return b, errDepth
	}
	if min(b.Width, b.Height) < sideMin || max(b.Width, b.Height) > sideMax || b.Width*b.Height > pixelsMax {
		return b, errSides
	}
	return b, nil
}

// canvas decodes the picture onto white.
func (b Background) canvas() (*image.RGBA, error) {
	img, err := b.decode(b.bytes)
	if err != nil {
		return nil, errBroken
	}
	if size := img.Bounds().Size(); size.X != b.Width || size.Y != b.Height {
		return nil, errBroken
	}
	c := image.NewRGBA(image.Rect(0, 0, b.Width, b.Height))
	draw.Draw(c, c.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(c, c.Bounds(), img, img.Bounds().Min, draw.Over)
	return c, nil
}
