package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/promoter"
)

// promoterPage is 推广员: where the member stands, how he came there, and the
// form to apply.
type promoterPage struct {
	page
	State   string
	Tone    string // "", good, full
	Reason  string
	Moves   []promoterMove
	Program string // to apply in; none where he may not apply now
	Level   string // none: there are no levels, or he may not promote
	Since   time.Time
	Next    string // the level above
	Wants   []want
}

// want is one line of what the next level asks for: a heading, or a number.
type want struct {
	Text       string
	Have, Need string
	Done       bool
	Deep       int
}

// promoterMove is one thing that happened to him.
type promoterMove struct {
	What   string
	When   time.Time
	Reason string
}

// promoter answers GET /me/promoter. The program whose unit he applies in
// comes with the address, from the mall or a store's poster.
func (s *Server) promoter(c *gin.Context, v visitor) error {
	return s.showPromoter(c, v, http.StatusOK, c.Query("program"), nil)
}

func (s *Server) showPromoter(c *gin.Context, v visitor, status int, program string, n *notice) error {
	if v.Guest && !v.Strong {
		return s.stranger(c)
	}
	at, err := s.Promoter.OfMember(c.Request.Context(), v.Member)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	p := promoterPage{page: s.base(c, "")}
	p.Title, p.Notice = choose(p.Lang, "推广员", "Promoter"), n
	p.at("/me/promoter")
	s.armed(&p.page, v)
	p.State, p.Tone = standing(p.Lang, at.Status)
	p.Reason = clean(at.Reason)
	if _, may := promoter.Next(at.Status, promoter.Apply); may {
		p.Program = program
	}
	for _, m := range at.Moves {
		p.Moves = append(p.Moves, promoterMove{moved(p.Lang, m.Act), m.At.Time().In(shop), clean(m.Reason)})
	}
	if at.Status == promoter.Approved {
		if err := s.levels(c.Request.Context(), &p, v.Member, at.Level); err != nil {
			return err
		}
	}
	return s.show(c, status, "promoter", p.page, p)
}

// levels shows a promoter his level and what the next one wants.
func (s *Server) levels(ctx context.Context, p *promoterPage, m id.Member, level int) error {
	done, err := s.Referral.LevelProgress(ctx, m)
	if err != nil || len(done.Ladder.Levels) == 0 {
		return err
	}
	name := func(no int) string {
		l := done.Ladder.Levels[no-1]
		return clean(choose(p.Lang, l.NameZH, l.NameEN))
	}
	p.Level, p.Since = choose(p.Lang, "还没有等级", "no level yet"), done.Since.Time().In(shop)
	if level > 0 && level <= len(done.Ladder.Levels) {
		p.Level = name(level)
	}
	if level < len(done.Ladder.Levels) {
		p.Next = name(level + 1)
		p.Wants = wants(p.Lang, done.Ladder.Levels[level].Reach, done.Facts, 0)
	}
	return nil
}

// wants puts a condition into lines, what stands under another one deeper.
func wants(lang string, c promoter.Condition, f promoter.Facts, deep int) []want {
	inner, text := c.All, choose(lang, "以下都要满足", "all of")
	if len(c.Any) > 0 {
		inner, text = c.Any, choose(lang, "满足以下一项即可", "any of")
	}
	if len(inner) > 0 {
		list := []want{{Text: text, Done: c.Holds(f), Deep: deep}}
		for _, x := range inner {
			list = append(list, wants(lang, x, f, deep+1)...)
		}
		return list
	}
	w := want{Have: strconv.FormatInt(f.Of(c.Fact), 10), Need: strconv.FormatInt(c.AtLeast, 10), Done: c.Holds(f), Deep: deep}
	switch c.Fact {
	case promoter.FactOwnOrders:
		w.Text = choose(lang, "自己下单（单）", "orders of your own")
	case promoter.FactInviteesKept:
		w.Text = choose(lang, "带来并留住的朋友（位）", "friends you brought, whose reward is due")
	default:
		w.Text, w.Have, w.Need = choose(lang, "到期的邀请奖（元）", "rewards due, in yuan"), f.Reward.String(), money.Amount(c.AtLeast).String()
	}
	return []want{w}
}

// applyPromoter answers POST /me/promoter.
func (s *Server) applyPromoter(c *gin.Context, v visitor) error {
	var program id.Program
	if err := read(c.PostForm("program"), &program); err != nil {
		return errForm
	}
	ctx, err := s.sent(c, v, c.FullPath(), program.String())
	if err != nil {
		return err
	}
	_, err = s.Referral.ApplyPromoter(ctx, referral.ApplyIn{ProgramID: program})
	var again *database.Replayed // a second tap
	if f, ok := fault.As(err); ok && !errors.As(err, &again) {
		return s.showPromoter(c, v, int(f.Kind), program.String(), &notice{Text: f.Text(s.lang(c))})
	}
	if err != nil && !errors.As(err, &again) {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/me/promoter")
	return nil
}

func standing(lang string, s promoter.Status) (text, tone string) {
	switch s {
	case promoter.Applied:
		return choose(lang, "已申请，等待审核", "applied; waiting for a decision"), ""
	case promoter.Approved:
		return choose(lang, "已通过，可以推广", "approved"), "good"
	case promoter.Refused:
		return choose(lang, "未通过", "refused"), "full"
	case promoter.Frozen:
		return choose(lang, "已暂停推广", "suspended"), "full"
	}
	return choose(lang, "还不是推广员", "not a promoter yet"), ""
}

func moved(lang string, a promoter.Act) string {
	switch a {
	case promoter.Apply:
		return choose(lang, "提交申请", "applied")
	case promoter.Approve:
		return choose(lang, "审核通过", "approved")
	case promoter.Refuse:
		return choose(lang, "审核未通过", "refused")
	case promoter.Freeze:
		return choose(lang, "暂停推广", "suspended")
	case promoter.Thaw:
		return choose(lang, "恢复推广", "reinstated")
	}
	return choose(lang, "账号合并", "accounts merged")
}
