package poster_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"siyu/internal/database/dbtest"
)

// TestCards reads the file back as a viewer does, by its table of objects, and
// holds each page's squares in front of a scanner.
func TestCards(t *testing.T) {
	zbarimg := dbtest.Need(t, "zbarimg")
	s := sheet(t, jpegOf(t, dusk(1050, 1480)), card)
	var file bytes.Buffer
	photo, err := s.Photo()
	if err != nil {
		t.Fatal(err)
	}
	cards, err := s.NewCards(&file, photo)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"https://q.example/i/K7M2VE00000A", "https://q.example/i/K7M2VE00000B", "https://q.example/i/K7M2VE00000C"}
	for _, a := range want {
		if err := cards.Add(a, a[len(a)-12:]); err != nil {
			t.Fatal(err)
		}
	}
	if err := cards.Close(); err != nil {
		t.Fatal(err)
	}
	objects := objectsOf(t, file.Bytes())
	var kids []string
	for _, body := range objects {
		if m := regexp.MustCompile(`/Type /Pages /Count 3 /Kids \[(.*)\]`).FindSubmatch(body); m != nil {
			kids = regexp.MustCompile(`\d+ 0 R`).FindAllString(string(m[1]), -1)
		}
	}
	if len(kids) != len(want) {
		t.Fatalf("%d pages, want %d", len(kids), len(want))
	}
	for i, kid := range kids {
		page := objects[number(t, kid)]
		m := regexp.MustCompile(`/Contents (\d+) 0 R`).FindSubmatch(page)
		if m == nil || !bytes.Contains(page, []byte("/MediaBox [0 0 297.638 419.528]")) {
			t.Fatalf("page %d: %s", i, page)
		}
		text := inflated(t, objects[number(t, string(m[1]))])
		if strings.Count(text, " c\n") < 20 {
			t.Errorf("page %d has no letters", i)
		}
		path := filepath.Join(t.TempDir(), "page.png")
		if err := os.WriteFile(path, pngOf(t, squares(t, text)), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := exec.Command(zbarimg, "--quiet", "--raw", path).Output()
		if err != nil || strings.TrimSuffix(string(got), "\n") != want[i] {
			t.Errorf("page %d scanned: got %q, %v; want %q", i, got, err, want[i])
		}
	}
}

// objectsOf finds the objects by the table at the end of the file.
func objectsOf(t *testing.T, file []byte) map[int][]byte {
	t.Helper()
	m := regexp.MustCompile(`startxref\n(\d+)\n%%EOF\n$`).FindSubmatch(file)
	if m == nil {
		t.Fatal("the file says nowhere where its table is")
	}
	table := string(file[number(t, string(m[1])):])
	out := map[int][]byte{}
	for i, m := range regexp.MustCompile(`(\d{10}) 00000 n `).FindAllStringSubmatch(table, -1) {
		body := file[number(t, m[1]):]
		if head := fmt.Sprintf("%d 0 obj\n", i+1); !bytes.HasPrefix(body, []byte(head)) {
			t.Fatalf("object %d is not where the table says: %.20q", i+1, body)
		}
		body, _, _ = bytes.Cut(body, []byte("\nendobj\n"))
		out[i+1] = body
	}
	return out
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.Fields(text)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func inflated(t *testing.T, object []byte) string {
	t.Helper()
	_, body, _ := bytes.Cut(object, []byte("stream\n"))
	z, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// squares draws what the page fills with rectangles: white first, then black.
func squares(t *testing.T, page string) image.Image {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 1050, 1480))
	ink := byte(255)
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "0 0 0 rg") {
			ink = 0
		}
		var x, y, w, h int
		if _, err := fmt.Sscanf(strings.TrimPrefix(line, "1 1 1 rg "), "%d %d %d %d re", &x, &y, &w, &h); err != nil {
			continue
		}
		for py := y; py < y+h; py++ {
			for px := x; px < x+w; px++ {
				img.Pix[py*img.Stride+px] = ink
			}
		}
	}
	return img
}
