package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
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
	return s.show(c, status, "promoter", p.page, p)
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
