package api

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"siyu/access"
	"siyu/internal/database/dbtest"
)

// backdrop is an upload of one colour.
func backdrop(t *testing.T, c color.Color) string {
	t.Helper()
	img := image.NewPaletted(image.Rect(0, 0, 500, 700), color.Palette{c})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestPosters(t *testing.T) {
	zbarimg := dbtest.Need(t, "zbarimg")
	onBoth(t, func(t *testing.T, h *house) {
		marketer := h.keys[east][access.Marketer]
		put := func(bearer, name, upload, layout string) answer {
			return h.call(t, bearer, "PUT /v1/poster-templates", fmt.Sprintf(`{"name":%q,"image":%q,"layout":%s}`, name, upload, layout))
		}
		const layout = `{"qr":{"x":100,"y":200,"size":300},"lines":[]}`
		red, blue := backdrop(t, color.RGBA{200, 30, 30, 255}), backdrop(t, color.RGBA{30, 30, 200, 255})
		first := put(marketer, "桌卡", red, layout)
		var made struct {
			ID                     string
			Width, Height, Version int
		}
		if first.into(t, &made); first.status != 200 || made.Width != 500 || made.Height != 700 || made.Version != 1 {
			t.Fatalf("put: got %d %s", first.status, first.body)
		}
		code := codeOf(t, h)
		at := "GET /v1/codes/" + code + "/poster.png?template=" + made.ID
		got := h.call(t, marketer, at, "")
		if got.status != 200 || got.header.Get("Content-Type") != "image/png" {
			t.Fatalf("poster: got %d %s", got.status, got.body)
		}
		path := filepath.Join(t.TempDir(), "poster.png")
		if err := os.WriteFile(path, got.body, 0o600); err != nil {
			t.Fatal(err)
		}
		read, err := exec.Command(zbarimg, "--quiet", "--raw", path).Output()
		if err != nil || !strings.HasSuffix(strings.TrimSpace(string(read)), "/i/"+code) {
			t.Errorf("scanned: got %q, %v", read, err)
		}
		if again := h.call(t, marketer, at, "", "If-None-Match: "+got.header.Get("ETag")); again.status != 304 {
			t.Errorf("again: got %d", again.status)
		}
		t.Run("the same name is the same template with another background", func(t *testing.T) {
			a := put(marketer, "桌卡", blue, layout)
			if !strings.Contains(string(a.body), `"id":"`+made.ID+`"`) || !strings.Contains(string(a.body), `"version":2`) {
				t.Errorf("got %d %s", a.status, a.body)
			}
			if now := h.call(t, marketer, at, "", "If-None-Match: "+got.header.Get("ETag")); now.status != 200 || bytes.Equal(now.body, got.body) {
				t.Errorf("the old poster: got %d", now.status)
			}
			list := h.call(t, marketer, "GET /v1/poster-templates", "")
			if n := strings.Count(string(list.body), `"name":"桌卡"`); n != 1 {
				t.Errorf("%d of the name: %s", n, list.body)
			}
		})
		t.Run("the unit's newest is the default, to the inviter too", func(t *testing.T) {
			if a := h.call(t, marketer, "GET /v1/codes/"+code+"/poster.png", ""); a.status != 200 {
				t.Errorf("got %d %s", a.status, a.body)
			}
			own := tokenOf(t, h, member1(t, h))
			mine := h.makeAs(t, own, "POST /v1/codes", fmt.Sprintf(`{"program_id":%q}`, program(t, h)))
			if a := h.call(t, own, "GET /v1/codes/"+mine+"/poster.png", ""); a.status != 200 {
				t.Errorf("the inviter: got %d %s", a.status, a.body)
			}
			if a := h.call(t, own, "GET /v1/codes/"+code+"/poster.png", ""); a.status != 404 {
				t.Errorf("somebody else's: got %d", a.status)
			}
		})
		t.Run("a template of another unit is unknown", func(t *testing.T) {
			west := h.keys[west][access.Marketer]
			a := put(west, "桌卡", red, layout)
			var theirs struct{ ID string }
			if a.into(t, &theirs); theirs.ID == made.ID || theirs.ID == "" {
				t.Fatalf("got %d %s", a.status, a.body)
			}
			if a := h.call(t, marketer, "GET /v1/codes/"+code+"/poster.png?template="+theirs.ID, ""); a.status != 422 {
				t.Errorf("got %d %s", a.status, a.body)
			}
			if a := h.call(t, west, at, ""); a.status != 404 {
				t.Errorf("a code of another unit: got %d", a.status)
			}
			if list := h.call(t, west, "GET /v1/poster-templates", ""); strings.Contains(string(list.body), made.ID) {
				t.Errorf("west sees %s", list.body)
			}
		})
		t.Run("a job's codes are cards, those that lead somewhere", func(t *testing.T) {
			a := h.call(t, marketer, "POST /v1/codes/batches",
				fmt.Sprintf(`{"program_id":%q,"members":[%q,%q,%q],"channel":"table"}`, program(t, h), member1(t, h), member1(t, h), member1(t, h)), h.newKey())
			at := a.header.Get("Location")
			if early := h.call(t, marketer, "GET "+at+"/cards.pdf", ""); early.status != 409 {
				t.Errorf("early: got %d %s", early.status, early.body)
			}
			drainReferral(t, h)
			lines := strings.Split(string(h.call(t, marketer, "GET "+at+"/codes.csv", "").body), "\n")
			gone := strings.Split(lines[2], ",")[1]
			if a := h.call(t, marketer, "POST /v1/codes/"+gone+"/revoke", "{}"); a.status != 200 {
				t.Fatalf("revoke: got %d %s", a.status, a.body)
			}
			for query, want := range map[string]int{"": 2, "?from=1&count=2": 1, "?from=3&template=" + made.ID: 1} {
				file := h.call(t, marketer, "GET "+at+"/cards.pdf"+query, "")
				if n := bytes.Count(file.body, []byte("/Type /Page ")); file.status != 200 || n != want || !bytes.HasPrefix(file.body, []byte("%PDF-")) {
					t.Errorf("%q: got %d, %d pages, want %d", query, file.status, n, want)
				}
			}
			for _, query := range []string{"?from=0", "?from=4", "?count=2001", "?count=x", "?from=2&count=1", "?template=ptm_0000000000007"} {
				if a := h.call(t, marketer, "GET "+at+"/cards.pdf"+query, ""); a.status != 422 {
					t.Errorf("%s: got %d", query, a.status)
				}
			}
		})
		t.Run("what cannot be drawn is refused", func(t *testing.T) {
			for name, a := range map[string]answer{
				"no template": h.call(t, marketer, "GET /v1/codes/"+code+"/poster.png?template=ptm_0000000000007", ""),
				"no picture":  put(marketer, "x", base64.StdEncoding.EncodeToString([]byte("hello")), layout),
				"outside":     put(marketer, "x", red, `{"qr":{"x":300,"y":200,"size":300}}`),
				"no name":     put(marketer, " ", red, layout),
			} {
				if a.status != 422 {
					t.Errorf("%s: got %d %s", name, a.status, a.body)
				}
			}
		})
	})
}
