package web

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/payee"
)

// payeePage is 收款信息: as what and where the member is paid, and the form to
// say it.
type payeePage struct {
	page
	Active  *payeeView
	Pending *payeeView
	Paid    bool // a change waits for a second person
	Kind    payee.AccountKind
	Kinds   []payeeKind
	Fields  []payeeField
	Agreed  string // the version of the notice that is shown
}

// payeeView is a version, masked.
type payeeView struct{ Name, Kind, Account string }

// payeeKind is a way to be paid.
type payeeKind struct {
	Kind payee.AccountKind
	Name string
}

// payeeField is one field of the form.
type payeeField struct {
	Name, Label, Hint, Value, Wrong string
	Digits, Optional                bool
}

// agreed is the version of the notice on the page; a new text is a new version.
const agreed = "payout-web-1"

// payee answers GET /me/payee.
func (s *Server) payee(c *gin.Context, v visitor) error {
	return s.showPayee(c, v, http.StatusOK, payee.AccountKind(c.Query("kind")), nil)
}

// showPayee shows what stands and the form; wrong is what was refused.
func (s *Server) showPayee(c *gin.Context, v visitor, status int, kind payee.AccountKind, wrong *fault.Fault) error {
	if v.Guest && !v.Strong {
		return s.stranger(c)
	}
	ctx := c.Request.Context()
	p := payeePage{page: s.base(c, ""), Kind: kind, Agreed: agreed}
	p.Title = choose(p.Lang, "收款信息", "How you are paid")
	p.at("/me/payee")
	s.armed(&p.page, v)
	now, err := s.Payee.PayeeOf(ctx, v.Member)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	p.Active, p.Pending, p.Paid = payeeOf(p.Lang, now.Active), payeeOf(p.Lang, now.Pending), now.PaidAt != 0
	if p.Kinds, err = s.payeeKinds(ctx, p.Lang, v.Member); err != nil {
		return err
	}
	if !slices.ContainsFunc(p.Kinds, func(k payeeKind) bool { return k.Kind == p.Kind }) {
		p.Kind = p.Kinds[0].Kind
	}
	p.Fields = payeeFields(p.Lang, p.Kind)
	if wrong != nil {
		p.Notice = &notice{Text: wrong.Text(p.Lang)}
		for i := range p.Fields {
			f := &p.Fields[i]
			f.Value = c.PostForm(f.Name)
			for _, x := range wrong.Fields {
				if x.Name == f.Name {
					f.Wrong = x.Text(p.Lang)
				}
			}
		}
		for _, x := range wrong.Fields {
			if x.Name == "consent_version" || x.Name == "open_id" {
				p.Notice.Text = x.Text(p.Lang)
			}
		}
	}
	return s.show(c, status, "payee", p.page, p)
}

// payeeKinds are the ways that are open to the member: WeChat only where he
// was seen inside WeChat, whose openid is then his.
func (s *Server) payeeKinds(ctx context.Context, lang string, m id.Member) ([]payeeKind, error) {
	list := []payeeKind{{payee.AccountBank, accountName(lang, payee.AccountBank)}, {payee.AccountAlipay, accountName(lang, payee.AccountAlipay)}}
	there, err := s.Payee.HasOpenID(ctx, m)
	if there {
		list = append([]payeeKind{{payee.AccountWechat, accountName(lang, payee.AccountWechat)}}, list...)
	}
	return list, err
}

func accountName(lang string, k payee.AccountKind) string {
	switch k {
	case payee.AccountWechat:
		return choose(lang, "微信零钱", "WeChat")
	case payee.AccountAlipay:
		return choose(lang, "支付宝", "Alipay")
	}
	return choose(lang, "银行卡", "Bank card")
}

func payeeOf(lang string, v *payee.Version) *payeeView {
	if v == nil || v.Status == payee.StatusErased {
		return nil
	}
	return &payeeView{Name: v.NameMask, Kind: accountName(lang, v.Kind), Account: v.AccountMask}
}

func payeeFields(lang string, k payee.AccountKind) []payeeField {
	say := func(zh, en string) string { return choose(lang, zh, en) }
	list := []payeeField{
		{Name: "name", Label: say("真实姓名", "Real name"), Hint: say("与身份证一致", "as on the identity card")},
		{Name: "id_no", Label: say("身份证号", "Identity number"), Hint: say("18 位", "18 characters")},
		{Name: "phone", Label: say("手机号", "Mobile number"), Hint: say("选填", "optional"), Digits: true, Optional: true},
	}
	switch k {
	case payee.AccountBank:
		list = append(list, payeeField{Name: "card_no", Label: say("银行卡号", "Card number"), Digits: true},
			payeeField{Name: "bank_name", Label: say("开户银行", "Bank"), Hint: say("如 招商银行", "such as 招商银行")},
			payeeField{Name: "branch", Label: say("开户网点", "Branch"), Hint: say("选填", "optional"), Optional: true})
	case payee.AccountAlipay:
		list = append(list, payeeField{Name: "alipay", Label: say("支付宝账号", "Alipay login"), Hint: say("手机号或邮箱", "phone or e-mail")})
	}
	return list
}

// enterPayee answers POST /me/payee.
func (s *Server) enterPayee(c *gin.Context, v visitor) error {
	if v.Guest && !v.Strong {
		return s.stranger(c)
	}
	in := payee.Entry{Details: payee.Details{Type: payee.TypeNatural, Kind: payee.AccountKind(c.PostForm("kind")), Name: c.PostForm("name"), IDNo: c.PostForm("id_no"),
		Phone: c.PostForm("phone"), CardNo: c.PostForm("card_no"), BankName: c.PostForm("bank_name"), Branch: c.PostForm("branch"), Alipay: c.PostForm("alipay")},
		ConsentVersion: c.PostForm("agreed")}
	ctx, err := s.sent(c, v, c.FullPath(), string(in.Kind), in.Name, in.IDNo, in.Phone, in.CardNo, in.BankName, in.Branch, in.Alipay, in.ConsentVersion)
	if err != nil {
		return err
	}
	if in.ConsentVersion != agreed {
		in.ConsentVersion = "" // an older text is not what he would agree to now
	}
	_, err = s.Payee.Enter(ctx, v.Member, in)
	var again *database.Replayed
	if f, ok := fault.As(err); ok && f.Kind == fault.KindUnprocessable {
		if in.ConsentVersion == "" {
			f = payee.ErrConsent
		}
		return s.showPayee(c, v, http.StatusUnprocessableEntity, in.Kind, f)
	}
	if err != nil && !errors.As(err, &again) {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/me/payee")
	return nil
}
