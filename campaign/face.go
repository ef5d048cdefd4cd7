package campaign

import (
	"encoding/json"
	"strings"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Face is what a campaign shows of itself beside its name: how far up it is
// listed, its banner, its texts, and the card it is shared as.
type Face struct {
	Sort       int    `json:"sort"`   // higher comes first
	Banner     string `json:"banner"` // https
	Texts      Texts  `json:"texts"`
	ShareTitle string `json:"share_title"`
	ShareDesc  string `json:"share_desc"`
	ShareImage string `json:"share_image"` // https
}

// Texts are a campaign's words in both languages; an empty one is not shown.
type Texts struct {
	ZH Words `json:"zh"`
	EN Words `json:"en"`
}

// Words are a campaign's words in one language.
type Words struct {
	Title    string `json:"title"`
	Subtitle string `json:"subtitle"`
	Rules    string `json:"rules"`
}

// In is the word in the language, or in the other where there is none.
func (t Texts) In(lang string, of func(Words) string) string {
	first, second := of(t.ZH), of(t.EN)
	if lang == "en" {
		first, second = second, first
	}
	if first == "" {
		return second
	}
	return first
}

// Bounds of a face. WeChat takes a card's title of up to 512 bytes and a
// description of up to 1024; at four bytes a character these stay within.
const (
	sortMax       = 10_000
	titleMax      = 60
	subtitleMax   = 120
	rulesMax      = 2000
	shareTitleMax = 64
	shareDescMax  = 128
)

// check refuses what a page or a chat could not show.
func (f Face) check(c *fault.Check) {
	c.Range(int64(f.Sort), "sort", -sortMax, sortMax)
	for _, u := range []struct{ name, address string }{{"banner", f.Banner}, {"share_image", f.ShareImage}} {
		c.That(u.address == "" || strings.HasPrefix(u.address, "https://") && len(u.address) > 8, u.name, "format", "应为 https:// 开头的图片网址，页面和微信不显示其他地址", "must be an https address of a picture; pages and WeChat show no other")
		c.That(len(u.address) <= 500, u.name, "too_long", "网址最长 500 个字节，请用短一些的地址", "at most 500 bytes; use a shorter address")
	}
	for _, w := range []struct {
		at    string
		words Words
	}{{"texts.zh.", f.Texts.ZH}, {"texts.en.", f.Texts.EN}} {
		c.Length(w.words.Title, w.at+"title", titleMax)
		c.Length(w.words.Subtitle, w.at+"subtitle", subtitleMax)
		c.Length(w.words.Rules, w.at+"rules", rulesMax)
	}
	c.Length(f.ShareTitle, "share_title", shareTitleMax)
	c.Length(f.ShareDesc, "share_desc", shareDescMax)
}

// rules are the rules somebody wrote, which are promised like the others.
func (t Texts) rules() string {
	if t.ZH.Rules == "" && t.EN.Rules == "" {
		return ""
	}
	return "\n" + t.ZH.Rules + "\n" + t.EN.Rules
}

// faceRow is a row of campaign_faces.
type faceRow struct {
	CampaignID id.Campaign
	SortNo     int
	Banner     string
	Body       string
}

// readFaces gives the campaigns what they show of themselves.
func readFaces(q *database.Query, list ...*Campaign) error {
	if len(list) == 0 {
		return nil
	}
	ids, at := make([]id.Campaign, len(list)), map[id.Campaign]*Campaign{}
	for i, c := range list {
		ids[i], at[c.ID] = c.ID, c
	}
	var rows []faceRow
	if err := q.Raw("SELECT * FROM campaign_faces WHERE campaign_id IN ?", ids).Scan(&rows).Error; err != nil {
		return err
	}
	for _, r := range rows {
		c := at[r.CampaignID]
		if err := json.Unmarshal([]byte(r.Body), &c.Face); err != nil {
			return err
		}
		c.Sort, c.Banner = r.SortNo, r.Banner
	}
	return nil
}

// writeFace stores what the campaign shows; one that shows nothing has no row.
func writeFace(tx *database.Tx, c Campaign) error {
	body, err := json.Marshal(c.Face)
	if err != nil {
		return err
	}
	res := tx.Exec("UPDATE campaign_faces SET sort_no = ?, banner = ?, body = ? WHERE campaign_id = ?", c.Sort, c.Banner, string(body), c.ID)
	if res.Error != nil || res.RowsAffected > 0 || c.Face == (Face{}) {
		return res.Error
	}
	return tx.Exec("INSERT INTO campaign_faces (campaign_id, sort_no, banner, body) VALUES (?, ?, ?, ?)", c.ID, c.Sort, c.Banner, string(body)).Error
}

// FaceEdit changes what a campaign shows; nil leaves a field as it is. The
// rules it wrote are frozen with the others once it is published.
type FaceEdit struct {
	Sort       *int    `json:"sort"`
	Banner     *string `json:"banner"`
	Texts      *Texts  `json:"texts"`
	ShareTitle *string `json:"share_title"`
	ShareDesc  *string `json:"share_desc"`
	ShareImage *string `json:"share_image"`
}

func (in FaceEdit) apply(check *fault.Check, c *Campaign, phase Status) {
	was := c.Texts
	set(&c.Sort, in.Sort)
	set(&c.Banner, in.Banner)
	set(&c.Texts, in.Texts)
	set(&c.ShareTitle, in.ShareTitle)
	set(&c.ShareDesc, in.ShareDesc)
	set(&c.ShareImage, in.ShareImage)
	if phase == StatusDraft {
		return
	}
	for _, r := range []struct{ at, was, now string }{{"zh", was.ZH.Rules, c.Texts.ZH.Rules}, {"en", was.EN.Rules, c.Texts.EN.Rules}} {
		check.That(r.was == r.now, "texts."+r.at+".rules", "frozen",
			"活动已发布，规则不可修改，请原样传回；要改请复制活动", "is frozen since the campaign was published; send it as it is, or copy the campaign and change the new draft")
	}
}
