package campaign_test

import (
	"strings"
	"testing"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

var spring = campaign.Face{
	Sort: 7, Banner: "https://cdn.example/spring.jpg",
	Texts:      campaign.Texts{ZH: campaign.Words{Title: "春茶尝鲜", Subtitle: "明前第一采", Rules: "每人一次\n售完即止"}, EN: campaign.Words{Title: "Spring tea"}},
	ShareTitle: "和我一起喝春茶", ShareDesc: "明前龙井", ShareImage: "https://cdn.example/card.jpg",
}

// TestFace follows a campaign's texts through creation, copies and edits.
func TestFace(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		cid := w.Draft(campaigntest.Sale{})
		read := func() campaign.Campaign {
			t.Helper()
			c, err := w.Campaign.FindCampaign(bg, cid)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		plain := read()
		all := campaign.FaceEdit{Sort: &spring.Sort, Banner: &spring.Banner, Texts: &spring.Texts, ShareTitle: &spring.ShareTitle, ShareDesc: &spring.ShareDesc, ShareImage: &spring.ShareImage}
		if err := edit(w, cid, campaign.CampaignEdit{FaceEdit: all}); err != nil {
			t.Fatal(err)
		}
		if got := read(); got.Face != spring || got.RulesDigest == plain.RulesDigest {
			t.Errorf("got %+v, digest %s, was %s", got.Face, got.RulesDigest, plain.RulesDigest)
		}
		copied, err := w.Campaign.Copy(bg, cid, campaign.CopyIn{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := w.Campaign.FindCampaign(bg, copied); err != nil || got.Face != spring {
			t.Errorf("the copy shows %+v, %v", got.Face, err)
		}
		list, err := w.Campaign.ListCampaigns(bg, campaign.CampaignFilter{}, database.Page{})
		if err != nil || len(list.Items) != 2 || list.Items[0].Face != spring || list.Items[1].Face != spring {
			t.Errorf("listed: %+v, %v", list.Items, err)
		}
		if err := w.Campaign.Turn(bg, cid, campaign.Publish); err != nil {
			t.Fatal(err)
		}
		title := spring.Texts
		title.ZH.Title = "春茶上新"
		if err := edit(w, cid, campaign.CampaignEdit{FaceEdit: campaign.FaceEdit{Texts: &title}}); err != nil {
			t.Errorf("a title is mended once published: %v", err)
		}
		title.EN.Rules = "once each"
		same(t, fields(t, edit(w, cid, campaign.CampaignEdit{FaceEdit: campaign.FaceEdit{Texts: &title}})), map[string]string{"texts.en.rules": "frozen"})
		w.Verify()
	})
}

// TestFaceRefused names every field that no page or chat could show.
func TestFaceRefused(t *testing.T) {
	long := strings.Repeat("茶", 2001)
	in := campaign.CampaignIn{Kind: "flash_sale", Name: "抢", StartsAt: 1, EndsAt: 2, Face: campaign.Face{
		Sort: 10_001, Banner: "http://cdn.example/a.jpg", ShareImage: "https://" + long[:600],
		Texts:      campaign.Texts{ZH: campaign.Words{Title: long[:183], Subtitle: long[:363], Rules: long}, EN: campaign.Words{Title: strings.Repeat("a", 61)}},
		ShareTitle: strings.Repeat("a", 65), ShareDesc: strings.Repeat("a", 129),
	}}
	same(t, fields(t, in.Validate()), map[string]string{
		"sort": "range", "banner": "format", "share_image": "too_long", "texts.zh.title": "too_long", "texts.zh.subtitle": "too_long",
		"texts.zh.rules": "too_long", "texts.en.title": "too_long", "share_title": "too_long", "share_desc": "too_long",
	})
}
