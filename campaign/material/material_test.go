package material_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign"
	"siyu/campaign/material"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// as is a marketer of the brand's first unit.
func as(staff id.Staff, units ...id.Unit) context.Context {
	return database.WithActor(context.Background(), database.Actor{Kind: database.ActorStaff, Staff: staff, Unit: 1, Units: units})
}

func text(zh string) material.In {
	return material.In{Name: "周一好价", Kind: material.KindText, Sponsor: "有鲜超市", Variants: []material.Content{{TextZH: zh}}}
}

// picture is a small PNG of one shade.
func picture(t *testing.T, shade uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 320, 300))
	for i := range img.Pix {
		img.Pix[i] = shade
	}
	img.SetGray(1, 1, color.Gray{Y: 9})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fields are the names of the fields a refusal speaks of.
func fields(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return ""
	}
	var names []string
	for _, x := range f.Fields {
		names = append(names, x.Name)
	}
	return strings.Join(names, " ")
}

func TestValidate(t *testing.T) {
	const app = "wx0123456789abcdef"
	for name, c := range map[string]struct {
		kind material.Kind
		v    material.Content
		want string
	}{
		"a text":                    {material.KindText, material.Content{TextEN: "apples 9.9"}, ""},
		"a text without one":        {material.KindText, material.Content{}, "variants[0].text_zh"},
		"a text with a link":        {material.KindText, material.Content{TextZH: "苹果", Link: "https://a.example/"}, "variants[0].link"},
		"a picture":                 {material.KindPicture, material.Content{PictureID: 7}, ""},
		"a picture without one":     {material.KindPicture, material.Content{TextZH: "苹果"}, "variants[0].picture_id"},
		"a link":                    {material.KindLink, material.Content{TitleZH: "苹果", Link: "https://a.example/x?y=1"}, ""},
		"a link that is not secure": {material.KindLink, material.Content{TitleZH: "苹果", Link: "http://a.example/"}, "variants[0].link"},
		"a link with a password":    {material.KindLink, material.Content{TitleZH: "苹果", Link: "https://u:p@a.example/"}, "variants[0].link"},
		"a link without a title":    {material.KindLink, material.Content{Link: "https://a.example/"}, "variants[0].title_zh"},
		"a card":                    {material.KindCard, material.Content{TitleZH: "苹果", AppID: app, AppPath: "pages/a?x=1", PictureID: 7}, ""},
		"a card of another app":     {material.KindCard, material.Content{TitleZH: "苹果", AppID: "gh_1", AppPath: "pages/a", PictureID: 7}, "variants[0].app_id"},
		"a card without a page":     {material.KindCard, material.Content{TitleZH: "苹果", AppID: app, PictureID: 7}, "variants[0].app_path"},
		"a title too long":          {material.KindLink, material.Content{TitleZH: strings.Repeat("果", 65), Link: "https://a.example/"}, "variants[0].title_zh"},
	} {
		in := material.In{Name: "a", Kind: c.kind, Sponsor: "b", Variants: []material.Content{c.v}}
		if got := fields(in.Validate()); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if got := fields(material.In{Kind: "film"}.Validate()); got != "name kind sponsor variants" {
		t.Errorf("nothing at all: got %q", got)
	}
}

// TestLife writes a draft, edits it, has it approved by another person and
// withdraws it.
func TestLife(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &material.Service{DB: db}
		author, other, west := as(1), as(2), as(3, 99)
		m, err := s.Create(author, text("苹果今天 9.9"))
		must(t, err)
		is(t, "its author approves", s.Approve(author, m, 0), material.ErrSameStaff)
		is(t, "another unit approves", s.Approve(west, m, 0), fault.NotFound)
		is(t, "an edit of an older version", s.Edit(other, m, 7, text("梨")), fault.Stale)
		must(t, s.Edit(other, m, 1, text("苹果今天 8.8")))
		is(t, "who edited it last approves", s.Approve(other, m, 0), material.ErrSameStaff)
		is(t, "what has changed since it was seen", s.Approve(author, m, 1), fault.Stale)
		must(t, s.Approve(author, m, 2))
		is(t, "twice", s.Approve(author, m, 0), material.ErrStatus)
		is(t, "an edit after it", s.Edit(other, m, 3, text("梨")), material.ErrStatus)

		got, err := s.Find(author, m)
		must(t, err)
		want := material.Material{
			ID: m, UnitID: 1, Name: "周一好价", Kind: material.KindText, Sponsor: "有鲜超市", Status: material.StatusApproved, Words: campaign.WordsVersion + "+1",
			CreatedBy: 2, ApprovedBy: 1, Version: 3, CreatedAt: got.CreatedAt, ApprovedAt: got.ApprovedAt,
			Variants: []material.Variant{{No: 1, Content: material.Content{TextZH: "苹果今天 8.8"}}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("approved (-want +got):\n%s", diff)
		}
		is(t, "a reason of two lines", s.Withdraw(author, m, material.WithdrawIn{Refusal: "a\nb"}), fault.Invalid)
		must(t, s.Withdraw(author, m, material.WithdrawIn{Refusal: "价格有误"}))
		is(t, "withdrawn twice", s.Withdraw(author, m, material.WithdrawIn{}), material.ErrStatus)
		list, err := s.List(author, material.Filter{Status: material.StatusWithdrawn}, database.Page{Limit: 10})
		if err != nil || len(list.Items) != 1 {
			t.Errorf("the withdrawn: got %+v, %v", list, err)
		}
		if list, err := s.List(west, material.Filter{}, database.Page{Limit: 10}); err != nil || len(list.Items) != 0 {
			t.Errorf("seen from another unit: %+v, %v", list, err)
		}
	})
}

// TestWords holds materials to the house's words and the brand's, spaces and
// letter case hiding nothing, and drafts to those in force when approved.
func TestWords(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &material.Service{DB: db}
		if _, err := s.Create(as(1), text("转发领红包")); fields(err) != "variants[0].text_zh" {
			t.Errorf("a word of the house: got %v", err)
		}
		early, err := s.Create(as(1), text("Summer S A L E 今天开始"))
		must(t, err)
		words := []material.Word{
			{Text: "summer sale", Result: campaign.ResultRefusal, ReasonZH: "竞品口号", ReasonEN: "a rival's slogan"},
			{Text: "限时", Result: campaign.ResultWarning},
		}
		is(t, "a list of one region", s.SetWords(as(1, 99), 1, material.WordsIn{Words: words}), fault.Forbidden)
		must(t, s.SetWords(as(1), 1, material.WordsIn{Words: words}))
		is(t, "from an older version", s.SetWords(as(1), 1, material.WordsIn{}), fault.Stale)
		is(t, "a draft of before, approved now", s.Approve(as(2), early, 0), fault.Invalid)
		if _, err := s.Create(as(1), text("summer sale")); fields(err) != "variants[0].text_zh" {
			t.Errorf("a word of the brand: got %v", err)
		}
		warned, err := s.Create(as(1), text("限时 9.9"))
		must(t, err)
		m, err := s.Look(as(1), warned)
		must(t, err)
		found := m.Findings
		if len(found) != 1 || found[0].ID != "brand_word" || found[0].Result != campaign.ResultWarning || m.Words != campaign.WordsVersion+"+2" {
			t.Errorf("a word to be weighed: got %+v, looked through with %s", found, m.Words)
		}
		if got := fields(material.WordsIn{Words: []material.Word{{Text: " "}, {Text: "a b", Result: "refusal"}, {Text: "AB", Result: "refusal"}}}.Validate()); got != "words[0].text words[0].result words[2].text" {
			t.Errorf("a bad list: got %q", got)
		}
	})
}

// TestWordsTogether lets many people change the list at once: one wins.
func TestWordsTogether(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &material.Service{DB: db}
		var all sync.WaitGroup
		results := make([]error, 16)
		for i := range results {
			all.Go(func() {
				results[i] = s.SetWords(as(1), 1, material.WordsIn{Words: []material.Word{{Text: string(rune('a' + i)), Result: "refusal"}}})
			})
		}
		all.Wait()
		won := 0
		for _, err := range results {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, fault.Stale):
				t.Error(err)
			}
		}
		if list, err := s.Words(as(1)); won != 1 || err != nil || list.Version != 2 {
			t.Errorf("%d won, version %d, %v", won, list.Version, err)
		}
	})
}

func TestPictures(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &material.Service{DB: db}
		body := picture(t, 200)
		made, err := s.Upload(as(1), material.PictureIn{Image: body})
		must(t, err)
		p, err := s.FindPicture(as(1), made)
		must(t, err)
		if p.Format != "png" || p.Width != 320 || p.Height != 300 || p.Size != len(body) {
			t.Errorf("got %+v", p)
		}
		again, err := s.Upload(as(1), material.PictureIn{Image: body})
		if err != nil || again != p.ID {
			t.Errorf("the same bytes: got %s, %v, want %s", again, err, p.ID)
		}
		if !bytes.Equal(p.Body, body) {
			t.Errorf("read back: %d bytes, want %d", len(p.Body), len(body))
		}
		_, err = s.FindPicture(as(3, 99), p.ID)
		is(t, "from another unit", err, fault.NotFound)
		for name, bad := range map[string][]byte{
			"no picture": []byte("GIF89a"), "cut off": body[:len(body)-40], "too large": make([]byte, material.PictureMax+1),
		} {
			if _, err := s.Upload(as(1), material.PictureIn{Image: bad}); fields(err) != "image" {
				t.Errorf("%s: got %v", name, err)
			}
		}
		in := text("苹果")
		in.Kind, in.Variants[0].PictureID = material.KindPicture, p.ID
		if _, err := s.Create(as(1), in); err != nil {
			t.Error(err)
		}
		in.Variants[0].PictureID = p.ID + 1
		if _, err := s.Create(as(1), in); fields(err) != "variants[0].picture_id" {
			t.Errorf("an unknown picture: got %v", err)
		}
	})
}

// TestFor gives each group one variant, always the same, and the variants
// about evenly, among groups made one after the other and in one millisecond.
func TestFor(t *testing.T) {
	m := material.Material{ID: 5 << 22, Variants: []material.Variant{{No: 1}, {No: 2}}}
	for name, step := range map[string]id.Group{"one by one": 1, "a millisecond apart": 1 << 22, "a second apart": 1000 << 22} {
		counts := map[int]int{}
		for g := range id.Group(2000) {
			v := m.For(1<<60 + g*step)
			if v != m.For(1<<60+g*step) {
				t.Fatal("a group sees two variants")
			}
			counts[v.No]++
		}
		if n := counts[1]; n < 900 || n > 1100 {
			t.Errorf("%s: the first variant for %d of 2000 groups", name, n)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func is(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
