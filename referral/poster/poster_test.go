package poster_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/referral/poster"
)

const (
	code    = "K7M2VE00000A"
	address = "https://q.example/i/" + code
)

// dusk is a background that is nowhere white.
func dusk(width, height int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetRGBA(x, y, color.RGBA{uint8(40 + 150*y/height), uint8(30 + 60*x/width), uint8(120 - 80*y/height), 255})
		}
	}
	return img
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var card = poster.Layout{
	QR: poster.Box{X: 290, Y: 560, Size: 500},
	Lines: []poster.Line{
		{Text: "春茶尝鲜 · 邀好友同享", X: 540, Y: 250, Size: 84, Color: "#ffffff", Align: poster.AlignCenter},
		{Text: "扫码参加，先到先得", X: 540, Y: 380, Size: 52, Color: "#ffe9c4", Align: poster.AlignCenter},
		{Text: "邀请码 {code}", X: 540, Y: 1180, Size: 48, Color: "#ffffff", Align: poster.AlignCenter},
	},
}

func sheet(t testing.TB, upload []byte, l poster.Layout) poster.Sheet {
	t.Helper()
	back, err := poster.Open(upload)
	if err != nil {
		t.Fatal(err)
	}
	font, err := poster.OpenFont("")
	if err != nil {
		dbtest.Lacks(t, err.Error())
	}
	return poster.Sheet{Background: back, Layout: l, Font: font}
}

func TestDraw(t *testing.T) {
	zbarimg := dbtest.Need(t, "zbarimg")
	for name, upload := range map[string][]byte{"PNG": pngOf(t, dusk(1080, 1350)), "JPEG": jpegOf(t, dusk(1080, 1350))} {
		s := sheet(t, upload, card)
		if err := s.Check(address, code); err != nil {
			t.Fatal(err)
		}
		picture, err := s.Draw(address, code)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "poster.png")
		if err := os.WriteFile(path, picture, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := exec.Command(zbarimg, "--quiet", "--raw", path).Output()
		if err != nil || strings.TrimSuffix(string(got), "\n") != address {
			t.Errorf("%s scanned: got %q, %v", name, got, err)
		}
		img, err := png.Decode(bytes.NewReader(picture))
		if err != nil || img.Bounds().Size() != image.Pt(1080, 1350) {
			t.Fatalf("%s: %v, %v", name, img.Bounds(), err)
		}
		white := 0 // the ink of the first line stands where it should
		for y := 180; y < 260; y++ {
			for x := 100; x < 980; x++ {
				if r, g, b, _ := img.At(x, y).RGBA(); r == 0xffff && g == 0xffff && b == 0xffff {
					white++
				}
			}
		}
		if white < 5000 {
			t.Errorf("%s: %d pixels of the head line are white", name, white)
		}
	}
}

func TestCheck(t *testing.T) {
	upload := pngOf(t, dusk(600, 600))
	at := func(edit func(l *poster.Layout)) poster.Layout {
		l := poster.Layout{QR: poster.Box{X: 200, Y: 200, Size: 200}, Lines: []poster.Line{{Text: "扫码", X: 10, Y: 60, Size: 40}}}
		edit(&l)
		return l
	}
	if err := sheet(t, upload, at(func(*poster.Layout) {})).Check(address, code); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]struct {
		layout poster.Layout
		want   *fault.Fault
	}{
		"outside":    {at(func(l *poster.Layout) { l.QR.X = 401 }), fault.Invalid},
		"negative":   {at(func(l *poster.Layout) { l.QR.Y = -1 }), fault.Invalid},
		"small":      {at(func(l *poster.Layout) { l.QR.Size = 100 }), fault.Invalid},
		"huge":       {at(func(l *poster.Layout) { l.QR = poster.Box{Size: 1 << 40} }), fault.Invalid},
		"wide":       {at(func(l *poster.Layout) { l.Lines[0].X = 560 }), fault.Invalid},
		"color":      {at(func(l *poster.Layout) { l.Lines[0].Color = "red" }), fault.Invalid},
		"align":      {at(func(l *poster.Layout) { l.Lines[0].Align = "top" }), fault.Invalid},
		"blank":      {at(func(l *poster.Layout) { l.Lines[0].Text = " " }), fault.Invalid},
		"no letter":  {at(func(l *poster.Layout) { l.Lines[0].Text = "\U000e0041" }), fault.Invalid},
		"many lines": {at(func(l *poster.Layout) { l.Lines = make([]poster.Line, 5000) }), fault.Invalid},
		"text over the code": {at(func(l *poster.Layout) {
			l.Lines = []poster.Line{{Text: "买买买", X: 190, Y: 330, Size: 75, Color: "#000000"}, {Text: "买买买", X: 190, Y: 390, Size: 75}}
		}), poster.ErrUnreadable},
	} {
		if err := sheet(t, upload, bad.layout).Check(address, code); !errors.Is(err, bad.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := "https://" + strings.Repeat("a-very-long-host.", 12) + "example/i/" + code
	if err := sheet(t, upload, at(func(l *poster.Layout) { l.QR.Size = 160 })).Check(long, code); !errors.Is(err, poster.ErrUnreadable) {
		t.Errorf("modules of less than three pixels: %v", err)
	}
}

func TestOpen(t *testing.T) {
	good := pngOf(t, dusk(300, 300))
	deep := image.NewNRGBA64(image.Rect(0, 0, 300, 300))
	deep.SetNRGBA64(0, 0, color.NRGBA64{A: 1})
	var animated bytes.Buffer
	if err := gif.Encode(&animated, dusk(300, 300), nil); err != nil {
		t.Fatal(err)
	}
	photo := jpegOf(t, dusk(300, 300))
	for name, upload := range map[string][]byte{
		"nothing":            nil,
		"text":               []byte("hello"),
		"GIF":                animated.Bytes(),
		"head of a PNG":      good[:20],
		"small":              pngOf(t, dusk(299, 300)),
		"16 bits":            pngOf(t, deep),
		"5 MB":               append(bytes.Clone(good), make([]byte, 5<<20)...),
		"bomb of pixels":     declared(good, 60_000, 60_000),
		"bomb of one side":   declared(good, 300, 1<<30),
		"8 million and more": declared(good, 4000, 2001),
		"scans without end":  append(bytes.Clone(photo), bytes.Repeat([]byte{0xff, 0xda, 0, 0}, 200)...),
	} {
		if _, err := poster.Open(upload); !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, upload := range map[string][]byte{"PNG": good, "JPEG": photo} {
		if b, err := poster.Open(upload); err != nil || b.Width != 300 || b.Height != 300 {
			t.Errorf("%s: %v, %v", name, b, err)
		}
	}
	// What declares a size and then does not hold it is found when it is drawn.
	broken := sheet(t, declared(good, 400, 400), poster.Layout{QR: poster.Box{Size: 200}})
	err := broken.Check(address, code)
	if f, ok := fault.As(err); !ok || f.Fields[0].Code != "broken" {
		t.Errorf("half a picture: %v", err)
	}
}

// declared is a PNG whose head declares another size.
func declared(picture []byte, width, height uint32) []byte {
	out := bytes.Clone(picture)
	binary.BigEndian.PutUint32(out[16:], width)
	binary.BigEndian.PutUint32(out[20:], height)
	binary.BigEndian.PutUint32(out[29:], crc32.ChecksumIEEE(out[12:29]))
	return out
}

func TestFont(t *testing.T) {
	if _, err := poster.OpenFont("/nowhere.ttc"); !errors.Is(err, poster.ErrFont) {
		t.Errorf("absent: %v", err)
	}
	other := filepath.Join(t.TempDir(), "font.ttc")
	if err := os.WriteFile(other, []byte("not a font"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := poster.OpenFont(other); !errors.Is(err, poster.ErrFont) {
		t.Errorf("no font: %v", err)
	}
	back, err := poster.Open(pngOf(t, dusk(600, 600)))
	if err != nil {
		t.Fatal(err)
	}
	plain := poster.Sheet{Background: back, Layout: poster.Layout{QR: poster.Box{X: 200, Y: 200, Size: 200}}}
	if err := plain.Check(address, code); err != nil {
		t.Errorf("a poster without text needs no font: %v", err)
	}
}
