package qr_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	qrcode "github.com/skip2/go-qrcode"

	"siyu/internal/database/dbtest"
	"siyu/internal/qr"
)

// texts need symbols of several versions.
var texts = []string{"https://q.example/i/K7M2VE00000A", "a", "https://promo.a-brand-with-a-long-name.example/i/K7M2VE00000A", strings.Repeat("siyu ", 60)}

func TestPNG(t *testing.T) {
	zbarimg := dbtest.Need(t, "zbarimg")
	for _, text := range texts {
		s, err := qr.New(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, module := range []int{4, 5, 8, 13, 32} {
			picture := s.PNG(module)
			img, err := png.Decode(bytes.NewReader(picture))
			if err != nil {
				t.Fatalf("%d pixels per module: %v", module, err)
			}
			if got, want := img.Bounds().Dx(), s.Side()*module; got != want || img.Bounds().Dy() != want {
				t.Fatalf("%d pixels per module: got %v, want %d square", module, img.Bounds(), want)
			}
			for y := range img.Bounds().Dy() {
				for x := range img.Bounds().Dx() {
					r, _, _, _ := img.At(x, y).RGBA()
					if dark := r == 0; dark != s.Dark(x/module, y/module) {
						t.Fatalf("%d pixels per module: pixel %d,%d is dark: %v", module, x, y, dark)
					}
				}
			}
			scans(t, zbarimg, "qr.png", picture, text)
		}
	}
}

func TestSVG(t *testing.T) {
	for _, text := range texts {
		s, err := qr.New(text)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Width int    `xml:"width,attr"`
			Box   string `xml:"viewBox,attr"`
			Paths []struct {
				D string `xml:"d,attr"`
			} `xml:"path"`
		}
		if err := xml.Unmarshal(s.SVG(8), &file); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("0 0 %d %d", s.Side(), s.Side()); file.Box != want || file.Width != 8*s.Side() {
			t.Errorf("box %q of %d pixels, want %q of %d", file.Box, file.Width, want, 8*s.Side())
		}
		dark := map[[2]int]bool{}
		for run := range strings.SplitSeq(strings.TrimPrefix(file.Paths[1].D, "M"), "M") {
			var x, y, n, back int
			if _, err := fmt.Sscanf(run, "%d %dh%dv1h-%dz", &x, &y, &n, &back); err != nil || back != n {
				t.Fatalf("run %q: %v", run, err)
			}
			for i := range n {
				dark[[2]int{x + i, y}] = true
			}
		}
		for y := range s.Side() {
			for x := range s.Side() {
				if dark[[2]int{x, y}] != s.Dark(x, y) {
					t.Fatalf("module %d,%d is dark: %v", x, y, dark[[2]int{x, y}])
				}
			}
		}
	}
}

// TestSVGInBrowser scans what a real browser shows of the file.
func TestSVGInBrowser(t *testing.T) {
	zbarimg, chromium := dbtest.Need(t, "zbarimg"), dbtest.Need(t, "chromium")
	s, err := qr.New(texts[0])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, shot := filepath.Join(dir, "qr.svg"), filepath.Join(dir, "shot.png")
	if err := os.WriteFile(file, s.SVG(8), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+filepath.Join(dir, "profile"),
		"--window-size=400,400", "--hide-scrollbars", "--screenshot="+shot, "file://"+file).CombinedOutput()
	if err != nil {
		t.Fatalf("chromium: %v: %s", err, out)
	}
	picture, err := os.ReadFile(shot)
	if err != nil {
		t.Fatal(err)
	}
	scans(t, zbarimg, "shot.png", picture, texts[0])
}

func TestSymbol(t *testing.T) {
	theirs, err := qrcode.New(texts[0], qrcode.Medium)
	if err != nil {
		t.Fatal(err)
	}
	s, err := qr.New(texts[0])
	if err != nil {
		t.Fatal(err)
	}
	for y, line := range theirs.Bitmap() {
		for x, dark := range line {
			if s.Dark(x, y) != dark {
				t.Fatalf("module %d,%d is dark: %v, go-qrcode's %v", x, y, s.Dark(x, y), dark)
			}
		}
	}
	again, err := qrcode.New(texts[0], qrcode.Medium)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Text(), again.ToSmallString(false); got != want {
		t.Errorf("for a terminal: got\n%s\nwant\n%s", got, want)
	}
	if _, err := qr.New(strings.Repeat("x", 3000)); err == nil {
		t.Error("3,000 letters fit no symbol and were drawn")
	}
}

// scans holds a picture in front of a scanner.
func scans(t *testing.T, zbarimg, name string, picture []byte, want string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, picture, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := exec.Command(zbarimg, "--quiet", "--raw", path).Output()
	if err != nil || strings.TrimSuffix(string(got), "\n") != want {
		t.Errorf("%s scanned: got %q, %v; want %q", name, got, err, want)
	}
}

// TestRead reads what was drawn, the symbol too that the reader finds only
// when it is turned.
func TestRead(t *testing.T) {
	for i := range 300 {
		want := fmt.Sprintf("https://q.example/i/K7M2VE%06d", i*7919)
		s, err := qr.New(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := qr.Read(s.Image(4)); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	if got, err := qr.Read(image.NewGray(image.Rect(0, 0, 300, 200))); err == nil {
		t.Errorf("black was read as %q", got)
	}
}
