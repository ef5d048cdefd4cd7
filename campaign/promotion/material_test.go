package promotion

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"os"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/campaign/material"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// TestMaterial sends a picture in two variants to some groups, then withdraws
// it: what is out stays, what is not goes no more.
func TestMaterial(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		shelf := &material.Service{DB: db}
		author := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1, Unit: 1})
		other := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 2, Unit: 1})
		var body bytes.Buffer
		h.check(png.Encode(&body, image.NewGray(image.Rect(0, 0, 300, 300))))
		pic, err := shelf.Upload(author, material.PictureIn{Image: body.Bytes()})
		h.check(err)
		m, err := shelf.Create(author, material.In{Name: "苹果", Kind: material.KindPicture, Sponsor: "有鲜超市", Variants: []material.Content{
			{PictureID: pic, TextZH: "脆的"}, {PictureID: pic, TextZH: "甜的"},
		}})
		h.check(err)

		// As many groups as it takes to see both variants.
		row, err := shelf.Find(author, m)
		h.check(err)
		var groups []id.Group
		for seen := map[int]bool{}; len(seen) < 2; {
			g := h.group(community.PresetRetail)
			groups = append(groups, g)
			seen[row.For(g).No] = true
		}
		in := In{CampaignID: h.offer.ID, Name: "周一好价", MaterialID: m, Groups: groups, Channel: "file",
			Windows: []guard.Window{{From: h.now(), To: h.now().Add(time.Hour)}, {From: h.now().Add(48 * time.Hour), To: h.now().Add(56 * time.Hour)}}}
		if _, err := h.s.Create(author, in); !errors.Is(err, fault.Invalid) {
			t.Errorf("with a draft: got %v", err)
		}
		h.check(shelf.Approve(other, m, 0))
		both := in
		both.TextZH = "苹果"
		if f, _ := fault.As(both.Validate()); f == nil || f.Fields[0].Name != "material_id" {
			t.Errorf("a text and a material: got %v", both.Validate())
		}
		p, err := h.s.Create(author, in)
		h.check(err)
		h.approve(p)

		said := map[string]int{}
		for _, file := range h.files() {
			var sent Send
			text, err := os.ReadFile(file)
			h.check(err)
			h.check(json.Unmarshal(text, &sent))
			said[sent.TextZH]++
			shown, err := os.ReadFile(file + ".png")
			h.check(err)
			if sent.Sponsor != "有鲜超市" || sent.Label != Label || sent.RefuseZH != RefuseZH || sent.Kind != material.KindPicture || !bytes.Equal(shown, body.Bytes()) {
				t.Fatalf("the file: got %+v", sent)
			}
			_, err = h.s.Guard.Confirm(bg, sent.SlotID, 0)
			h.check(err)
		}
		if said["脆的"]+said["甜的"] != len(groups) || said["脆的"] == 0 || said["甜的"] == 0 {
			t.Errorf("the variants: got %v", said)
		}
		got, err := h.s.Report(bg, p)
		h.check(err)
		if len(got.Variants) != 2 || got.Variants[0].Shown != said["脆的"] || got.Variants[1].Shown != said["甜的"] {
			t.Errorf("the report's variants: got %+v, want %v", got.Variants, said)
		}

		h.check(shelf.Withdraw(author, m, material.WithdrawIn{}))
		h.Drain(48 * time.Hour)
		if n := len(h.files()); n != len(groups) {
			t.Errorf("%d ads are out, want the first window's %d", n, len(groups))
		}
		got, err = h.s.Report(bg, p)
		h.check(err)
		if second := got.Windows[1].Outcome; second.Sent+second.Waiting != 0 || second.Unsent == 0 {
			t.Errorf("after the withdrawal: got %+v", second)
		}
		if _, err := h.s.Create(author, in); !errors.Is(err, fault.Invalid) {
			t.Errorf("with a withdrawn one: got %v", err)
		}
		h.mustHold()
	})
}
