package material

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// wordsMax bounds the brand's own list.
const wordsMax = 500

// Word is a text of the brand's own list: refused, or for people to weigh.
type Word struct {
	Text     string          `json:"text"`
	Result   campaign.Result `json:"result"`
	ReasonZH string          `json:"reason_zh"`
	ReasonEN string          `json:"reason_en"`
}

// WordList is the brand's own words in one of their versions, beside those the
// house brings along. Version 1 is an empty one.
type WordList struct {
	House     string      `json:"house"` // the version of the house's list
	Version   int         `json:"version"`
	Words     []Word      `json:"words"`
	CreatedBy id.Staff    `json:"created_by"`
	CreatedAt clock.Milli `json:"created_at"`
}

// WordsIn is the brand's next list.
type WordsIn struct {
	Words []Word `json:"words"`
}

// Validate checks every word.
func (in WordsIn) Validate() error {
	var c fault.Check
	c.Range(int64(len(in.Words)), "words", 0, wordsMax)
	seen := map[string]bool{}
	for i, w := range in.Words {
		at := fmt.Sprintf("words[%d]", i)
		bare := tight(w.Text)
		c.Required(bare, at+".text")
		c.Length(w.Text, at+".text", 40)
		c.That(!seen[bare], at+".text", "duplicate", "词语重复", "each word may stand once")
		seen[bare] = true
		c.OneOf(string(w.Result), at+".result", string(campaign.ResultRefusal), string(campaign.ResultWarning))
		c.Length(w.ReasonZH, at+".reason_zh", 200)
		c.Length(w.ReasonEN, at+".reason_en", 200)
	}
	return c.Err()
}

// String names the lists of both house and brand.
func (l WordList) String() string { return fmt.Sprintf("%s+%d", l.House, l.Version) }

// Words is the brand's list in force.
func (s *Service) Words(ctx context.Context) (WordList, error) {
	return wordsInForce(s.DB.Read(ctx))
}

// SetWords adds the next version of the brand's list. What is approved stays;
// drafts are looked through with it when they are approved.
func (s *Service) SetWords(ctx context.Context, since int, in WordsIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	body, err := json.Marshal(in.Words)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if tx.Actor.Units != nil {
			return fault.Forbidden // the list is the whole brand's
		}
		before, err := wordsInForce(tx.DB)
		if err != nil {
			return err
		}
		if before.Version != since {
			return fault.Stale
		}
		row := wordsRow{before.Version + 1, string(body), tx.Actor.Staff, tx.Now}
		err = tx.Create(&row).Error
		switch {
		case database.IsDuplicate(err): // the same number, written at once
			return fault.Stale
		case err != nil:
			return fmt.Errorf("material: words %d: %w", row.Version, err)
		}
		return database.AuditTx(tx, "material.words", WordList{House: campaign.WordsVersion, Version: row.Version}, before.Words, in.Words)
	})
}

type wordsRow struct {
	Version   int         `gorm:"column:version;primaryKey;autoIncrement:false"`
	Body      string      `gorm:"column:body"`
	CreatedBy id.Staff    `gorm:"column:created_by"`
	CreatedAt clock.Milli `gorm:"column:created_at;autoCreateTime:false"`
}

// TableName is the table's.
func (wordsRow) TableName() string { return "ad_words" }

func wordsInForce(q *database.Query) (WordList, error) {
	list := WordList{House: campaign.WordsVersion, Version: 1, Words: []Word{}}
	var row wordsRow
	if err := q.Raw("SELECT version, body, created_by, created_at FROM ad_words ORDER BY version DESC LIMIT 1").Scan(&row).Error; err != nil {
		return list, fmt.Errorf("material: words: %w", err)
	}
	if row.Version == 0 {
		return list, nil
	}
	list.Version, list.CreatedBy, list.CreatedAt = row.Version, row.CreatedBy, row.CreatedAt
	if err := json.Unmarshal([]byte(row.Body), &list.Words); err != nil {
		return list, fmt.Errorf("material: words %d: %w", row.Version, err)
	}
	return list, nil
}

// Findings are the words of both lists found in the variants, refusals first.
func (l WordList) Findings(variants []Content) []campaign.Finding {
	texts := textsOf(variants)
	out := []campaign.Finding{}
	for _, f := range campaign.CheckTexts(texts) {
		if f.Result != campaign.ResultPass {
			out = append(out, f)
		}
	}
	for _, t := range texts {
		says := tight(t.Says)
		for _, w := range l.Words {
			if strings.Contains(says, tight(w.Text)) {
				out = append(out, campaign.Finding{
					ID: "brand_word", Result: w.Result, Where: t.Where, RuleZH: fmt.Sprintf("品牌词库第 %d 版", l.Version), RuleEN: fmt.Sprintf("the brand's words, version %d", l.Version),
					ReasonZH: "出现“" + w.Text + "”" + after("：", w.ReasonZH), ReasonEN: "says “" + w.Text + "”" + after(": ", w.ReasonEN),
				})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b campaign.Finding) int { return strings.Compare(string(a.Result), string(b.Result)) })
	return out
}

func after(mark, s string) string {
	if s == "" {
		return ""
	}
	return mark + s
}

// refuse names the fields with words that must not stand.
func (l WordList) refuse(variants []Content) error {
	var c fault.Check
	for _, f := range l.Findings(variants) {
		c.That(f.Result != campaign.ResultRefusal, f.Where, f.ID, f.ReasonZH+"（"+f.RuleZH+"）", f.ReasonEN+" ("+f.RuleEN+")")
	}
	return c.Err()
}

func textsOf(variants []Content) []campaign.Text {
	var out []campaign.Text
	for i, v := range variants {
		for _, t := range []struct{ name, says string }{{"title_zh", v.TitleZH}, {"title_en", v.TitleEN}, {"text_zh", v.TextZH}, {"text_en", v.TextEN}} {
			if t.says != "" {
				out = append(out, campaign.Text{Where: fmt.Sprintf("variants[%d].%s", i, t.name), Says: t.says})
			}
		}
	}
	return out
}

// tight drops spaces, which hide nothing, and letter case.
func tight(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), "")) }
