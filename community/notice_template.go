package community

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
)

// NoticeName names a template.
type NoticeName string

// The templates.
const (
	NoticeTeamFormed    NoticeName = "team_formed"
	NoticeTeamFailed    NoticeName = "team_failed"
	NoticeRefundDone    NoticeName = "refund_done"
	NoticeRewardCleared NoticeName = "reward_cleared"
	NoticeRewardPoints  NoticeName = "reward_points"
	NoticeRewardCoupon  NoticeName = "reward_coupon"
	NoticeWaitGranted   NoticeName = "wait_granted"
	NoticeCampaignSoon  NoticeName = "campaign_soon"
	NoticeGroupMerger   NoticeName = "group_merger"
	NoticeGroupSplit    NoticeName = "group_split"
)

// String makes the name an audited object.
func (n NoticeName) String() string { return "notice_template:" + string(n) }

// NoticeTemplate is a text in both languages with {placeholders}, which the
// brand may change.
type NoticeTemplate struct {
	Name         NoticeName  `json:"name"`
	TextZH       string      `json:"text_zh" gorm:"column:text_zh"`
	TextEN       string      `json:"text_en" gorm:"column:text_en"`
	Placeholders []string    `json:"placeholders" gorm:"-"`
	Channels     []string    `json:"channels" gorm:"-"` // hints, best first
	Marketing    bool        `json:"marketing" gorm:"-"`
	Version      int         `json:"version"`
	EditedAt     clock.Milli `json:"edited_at"`
}

// TableName is notice_templates.
func (NoticeTemplate) TableName() string { return "notice_templates" }

// builtIn are the templates as they are until somebody changes them. What
// tells a member of his own order needs no consent to marketing.
func builtIn() []NoticeTemplate {
	own := []string{"wechat_subscribe", "wecom", "sms"}
	return []NoticeTemplate{
		{Name: NoticeTeamFormed, TextZH: "「{campaign}」拼团成功，商城将为您发货。", TextEN: "Your team of {campaign} has formed; the mall will ship your order.",
			Placeholders: []string{"campaign", "order_id"}, Channels: own, Version: 1},
		{Name: NoticeTeamFailed, TextZH: "「{campaign}」人数不足未成团，已付的 {amount} 元将原路退回。", TextEN: "Your team of {campaign} did not fill; the {amount} yuan you paid go back the way they came.",
			Placeholders: []string{"campaign", "order_id", "amount"}, Channels: own, Version: 1},
		{Name: NoticeRefundDone, TextZH: "「{campaign}」的退款 {amount} 元已退回。", TextEN: "{amount} yuan for {campaign} have been refunded.",
			Placeholders: []string{"campaign", "order_id", "amount"}, Channels: own, Version: 1},
		{Name: NoticeRewardCleared, TextZH: "您的奖励 {amount} 元已到账，可在“我的奖励”查看。", TextEN: "Your reward of {amount} yuan is yours now; see my rewards.",
			Placeholders: []string{"order_id", "amount"}, Channels: own, Version: 1},
		{Name: NoticeRewardPoints, TextZH: "您的奖励 {points} 积分已到账。", TextEN: "Your reward of {points} points is yours now.",
			Placeholders: []string{"order_id", "points"}, Channels: own, Version: 1},
		{Name: NoticeRewardCoupon, TextZH: "您的奖励：一张优惠券已到账，可在商城使用。", TextEN: "Your reward, a coupon, is yours now; use it at the mall.",
			Placeholders: []string{"order_id"}, Channels: own, Version: 1},
		{Name: NoticeWaitGranted, TextZH: "「{campaign}」候补到位，请在 {deadline} 前付款。", TextEN: "Your place in the line of {campaign} has come up; pay before {deadline}.",
			Placeholders: []string{"campaign", "order_id", "amount", "deadline"}, Channels: own, Version: 1},
		{Name: NoticeCampaignSoon, TextZH: "您预约的「{campaign}」将于 {starts} 开始。", TextEN: "{campaign}, of which you asked to be reminded, begins at {starts}.",
			Placeholders: []string{"campaign", "starts"}, Channels: []string{"wechat_subscribe", "wecom"}, Marketing: true, Version: 1},
		{Name: NoticeGroupMerger, TextZH: "「{group}」将并入「{into}」，{by} 前由您自己决定是否加入，不会替您移动。", TextEN: "{group} is to be merged into {into}; whether you join until {by} is up to you, nobody moves you.",
			Placeholders: []string{"group", "into", "into_id", "by"}, Channels: own, Version: 1},
		{Name: NoticeGroupSplit, TextZH: "「{group}」人多了，和您常来往的群友分在「{into}」，{by} 前由您自己决定是否加入，大群照旧。", TextEN: "{group} has grown large; those you talk to are invited into {into} with you. Whether you join until {by} is up to you, and the large group stays.",
			Placeholders: []string{"group", "into", "into_id", "by"}, Channels: own, Version: 1},
	}
}

// noticeTextMost is what the narrowest channel takes.
const noticeTextMost = 200

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

// NoticeTextIn changes a template's texts.
type NoticeTextIn struct {
	TextZH string `json:"text_zh"`
	TextEN string `json:"text_en"`
}

// check notes what the template cannot say.
func (in NoticeTextIn) check(t NoticeTemplate) error {
	var c fault.Check
	for _, x := range []struct{ field, text string }{{"text_zh", in.TextZH}, {"text_en", in.TextEN}} {
		c.Required(strings.TrimSpace(x.text), x.field)
		c.Length(x.text, x.field, noticeTextMost)
		for _, m := range placeholder.FindAllStringSubmatch(x.text, -1) {
			known := strings.Join(t.Placeholders, "}, {")
			c.That(slices.Contains(t.Placeholders, m[1]), x.field, "unknown_placeholder",
				"没有占位符 {"+m[1]+"}，可用 {"+known+"}", "there is no {"+m[1]+"}; use {"+known+"}")
		}
		c.That(!strings.ContainsAny(placeholder.ReplaceAllString(x.text, ""), "{}"), x.field, "format", "花括号须成对", "braces come in pairs around a name")
	}
	return c.Err()
}

// render puts the parameters into a text.
func render(text string, params map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(p string) string { return params[p[1:len(p)-1]] })
}

// NoticeTemplates are all templates as they stand.
func (s *Service) NoticeTemplates(ctx context.Context) ([]NoticeTemplate, error) {
	return noticeTemplates(s.DB.Read(ctx))
}

func noticeTemplates(q *database.Query) ([]NoticeTemplate, error) {
	var edited []NoticeTemplate
	if err := q.Raw("SELECT * FROM notice_templates").Scan(&edited).Error; err != nil {
		return nil, fmt.Errorf("community: notice templates: %w", err)
	}
	list := builtIn()
	for i := range list {
		for _, e := range edited {
			if e.Name == list[i].Name {
				list[i].TextZH, list[i].TextEN, list[i].Version, list[i].EditedAt = e.TextZH, e.TextEN, e.Version, e.EditedAt
			}
		}
	}
	return list, nil
}

// FindNoticeTemplate is one of them.
func (s *Service) FindNoticeTemplate(ctx context.Context, name NoticeName) (NoticeTemplate, error) {
	return noticeTemplate(s.DB.Read(ctx), name)
}

func noticeTemplate(q *database.Query, name NoticeName) (NoticeTemplate, error) {
	list, err := noticeTemplates(q)
	if err != nil {
		return NoticeTemplate{}, err
	}
	i := slices.IndexFunc(list, func(t NoticeTemplate) bool { return t.Name == name })
	if i < 0 {
		return NoticeTemplate{}, fault.NotFound
	}
	return list[i], nil
}

// EditNoticeTemplate changes the texts of the version the caller read. Notices
// sent before keep theirs.
func (s *Service) EditNoticeTemplate(ctx context.Context, name NoticeName, version int, in NoticeTextIn) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		old, err := noticeTemplate(tx.DB, name)
		if err != nil {
			return err
		}
		if err := in.check(old); err != nil {
			return err
		}
		if old.Version != version {
			return fault.Stale
		}
		if old.EditedAt == 0 { // the first change makes the row; the key lets one be first
			err = tx.Exec("INSERT INTO notice_templates (name, text_zh, text_en, version, edited_at) VALUES (?, ?, ?, ?, ?)",
				name, in.TextZH, in.TextEN, version+1, tx.Now).Error
			if database.IsDuplicate(err) {
				return fault.Stale
			}
		} else {
			err = database.One(tx.Exec("UPDATE notice_templates SET text_zh = ?, text_en = ?, version = version + 1, edited_at = ? WHERE name = ? AND version = ?",
				in.TextZH, in.TextEN, tx.Now, name, version), fault.Stale)
		}
		if err != nil {
			return err
		}
		return database.AuditTx(tx, "notice_template.edit", name, NoticeTextIn{old.TextZH, old.TextEN}, in)
	})
}
