package api

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"strings"
	"testing"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

func materialOf(t *testing.T, h *house) string {
	return h.make(t, access.Marketer, "POST /v1/materials", `{"name":"苹果","kind":"text","sponsor":"有鲜超市","variants":[{"text_zh":"脆的"}]}`)
}

func pictureOf(t *testing.T, h *house) string {
	return h.make(t, access.Marketer, "POST /v1/pictures", `{"image":"`+base64.StdEncoding.EncodeToString(greyPicture(t))+`"}`)
}

func greyPicture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 320, 320))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestMaterialByREST writes, edits, approves and withdraws a material, and
// answers its picture as it was uploaded.
func TestMaterialByREST(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		author, other := h.keys[east][access.Marketer], h.keys[east][access.Admin]
		picture := pictureOf(t, h)
		got := h.call(t, author, "GET /v1/pictures/"+picture, "")
		if got.status != 200 || !bytes.Equal(got.body, greyPicture(t)) || got.header.Get("Content-Type") != "image/png" {
			t.Errorf("the picture: %d, %d bytes of %s", got.status, len(got.body), got.header.Get("Content-Type"))
		}
		if again := h.call(t, author, "GET /v1/pictures/"+picture, "", "If-None-Match: "+got.header.Get("ETag")); again.status != 304 {
			t.Errorf("the picture again: got %d", again.status)
		}
		m := materialOf(t, h)
		edit := `{"name":"苹果","kind":"picture","sponsor":"有鲜超市","variants":[{"text_zh":"脆的","picture_id":"` + picture + `"},{"text_zh":"甜的","picture_id":"` + picture + `"}]}`
		for name, c := range map[string]struct {
			call, body, header string
			status             int
		}{
			"an edit without a version":   {"PATCH /v1/materials/" + m, edit, "Accept: */*", 428},
			"a word that must not stand":  {"PATCH /v1/materials/" + m, strings.Replace(edit, "脆的", "转发领红包", 1), `If-Match: "1"`, 422},
			"a list without a version":    {"PUT /v1/ad-words", `{"words":[]}`, "Accept: */*", 428},
			"a list by one region's hand": {"PUT /v1/ad-words", `{"words":[]}`, `If-Match: "1"`, 403},
		} {
			if got := h.call(t, author, c.call, c.body, c.header); got.status != c.status {
				t.Errorf("%s: got %d %s, want %d", name, got.status, got.body, c.status)
			}
		}
		if got := h.call(t, author, "PATCH /v1/materials/"+m, edit, `If-Match: "1"`); got.status != 200 || !strings.Contains(string(got.body), picture) {
			t.Fatalf("an edit: got %d %s", got.status, got.body)
		}
		if got := h.call(t, author, "POST /v1/materials/"+m+"/approve", "{}"); got.status != 403 {
			t.Errorf("its author approves: got %d %s", got.status, got.body)
		}
		if got := h.call(t, other, "POST /v1/materials/"+m+"/approve", "{}", `If-Match: "1"`); got.status != 412 {
			t.Errorf("another approves what he did not see: got %d %s", got.status, got.body)
		}
		if got := h.call(t, other, "POST /v1/materials/"+m+"/approve", "{}", `If-Match: "2"`); got.status != 200 {
			t.Errorf("another approves: got %d %s", got.status, got.body)
		}
		if got := h.call(t, other, "POST /v1/materials/"+m+"/withdraw", `{"refusal":"价格有误"}`); got.status != 200 || !strings.Contains(string(got.body), `"status":"withdrawn"`) || !strings.Contains(string(got.body), `"refusal":"价格有误"`) {
			t.Errorf("withdrawn: got %d %s", got.status, got.body)
		}
		words := `{"words":[{"text":"限时","result":"warning","reason_zh":"写明起止时间","reason_en":"say from when to when"}]}`
		if got := h.call(t, h.keys[""][access.Admin], "PUT /v1/ad-words", words, `If-Match: "1"`); got.status != 200 || !strings.Contains(string(got.body), `"version":2`) {
			t.Errorf("the brand's words: got %d %s", got.status, got.body)
		}
	})
}
