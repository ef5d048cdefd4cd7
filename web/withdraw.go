package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/referral/settlement"
)

// withdrawPage is 提现: what the member may ask for now, and what became of
// what he asked.
type withdrawPage struct {
	page
	Offers []offeredView
	Asked  []askedView
	Next   string
}

// offeredView is what one payer would be asked for, or why it cannot be.
type offeredView struct {
	Payer     id.Payer
	Name      string
	Available money.Amount
	Gross     money.Amount
	Fee       money.Amount
	Net       money.Amount
	Count     int
	Why       string // none: he may ask
	Rules     []string
}

// askedView is a request in words.
type askedView struct {
	ID     id.Withdrawal
	No     int64
	When   time.Time
	Gross  money.Amount
	Fee    money.Amount
	State  string
	Tone   string
	Reason string
	Paid   string
	Open   bool // he may take it back
}

// withdrawalsShown is how many requests one page lists.
const withdrawalsShown = 20

// withdrawals answers GET /me/withdrawals.
func (s *Server) withdrawals(c *gin.Context, v visitor) error {
	return s.showWithdrawals(c, v, http.StatusOK, nil)
}

func (s *Server) showWithdrawals(c *gin.Context, v visitor, status int, n *notice) error {
	if v.Guest && !v.Strong {
		return s.stranger(c)
	}
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	p := withdrawPage{page: s.base(c, "")}
	p.Title, p.Notice = choose(p.Lang, "提现", "Withdraw"), n
	p.at("/me/withdrawals")
	s.armed(&p.page, v)
	if before == 0 {
		offers, err := s.Settlement.Offers(ctx, v.Member)
		if err != nil {
			return err
		}
		for _, o := range offers {
			p.Offers = append(p.Offers, offered(p.Lang, o))
		}
	}
	list, err := s.Settlement.ListWithdrawals(ctx, settlement.WithdrawalFilter{Member: v.Member}, database.Page{Before: before, Limit: withdrawalsShown})
	if err != nil {
		return err
	}
	for _, w := range list.Items {
		p.Asked = append(p.Asked, askedOf(p.Lang, p.Now, w))
	}
	if list.NextCursor != "" {
		p.Next = "/me/withdrawals?cursor=" + list.NextCursor
	}
	return s.show(c, status, "withdraw", p.page, p)
}

// offered puts an offer into words.
func offered(lang string, o settlement.Offer) offeredView {
	v := offeredView{Payer: o.PayerID, Name: clean(o.PayerName), Available: o.Available, Gross: o.Gross, Fee: o.Fee, Net: o.Net, Count: o.RewardCount}
	if o.Refusal != nil {
		v.Why = o.Refusal.Text(lang)
	}
	t := o.Terms
	fee := choose(lang, "不收手续费", "no fee")
	switch {
	case t.FeeFixed > 0 && t.FeeRate > 0:
		fee = choose(lang, "每次手续费 ¥%s 加 %s", "each costs ¥%s and %s", t.FeeFixed, rate(t.FeeRate))
	case t.FeeFixed > 0:
		fee = choose(lang, "每次手续费 ¥%s", "each costs ¥%s", t.FeeFixed)
	case t.FeeRate > 0:
		fee = choose(lang, "手续费 %s", "a fee of %s", rate(t.FeeRate))
	}
	v.Rules = []string{
		choose(lang, "每次 ¥%s 到 ¥%s，按整笔奖励从早到晚凑", "¥%s to ¥%s each time, of whole rewards, oldest first", t.Least, t.Most),
		fee,
		choose(lang, "每天最多 %d 次，今天已申请 %d 次；取消的也算", "%d times a day at most, %d today; cancelled ones count", t.PerDay, o.AskedToday),
	}
	return v
}

// askedOf puts a request into words.
func askedOf(lang string, now time.Time, w settlement.SeenWithdrawal) askedView {
	v := askedView{ID: w.ID, No: w.No, When: w.AskedAt.Time().In(shop), Gross: w.Gross, Fee: w.Fee, Open: w.State == settlement.AskedState}
	at := moment(lang, now, w.At.Time().In(shop))
	switch w.State {
	case settlement.AskedState:
		v.State, v.Reason = choose(lang, "已申请", "asked"), choose(lang, "等下一次结算", "waits for the next settlement")
	case settlement.SettlingState:
		v.State, v.Reason = choose(lang, "结算中", "in settlement"), settling(lang, w.Why, at)
	case settlement.PayingState:
		v.State, v.Tone, v.Reason = choose(lang, "打款中", "on its way"), "good", choose(lang, "%s 已提交打款", "given to the bank %s", at)
		if w.Why == settlement.WhyToConfirm {
			v.State, v.Reason = choose(lang, "待确认", "to confirm"), choose(lang, "在「我的奖励」里确认收款", "confirm it under My rewards")
		}
	case settlement.PaidState:
		v.State, v.Tone, v.Reason = choose(lang, "已到账", "paid"), "good", choose(lang, "%s 到账", "paid on %s", at)
		switch w.Why {
		case settlement.WhyNetted:
			v.Reason = choose(lang, "全部抵扣了之前的退款", "all of it was netted with earlier refunds")
		case settlement.WhyAllTax:
			v.State, v.Reason = choose(lang, "已结清", "settled"), choose(lang, "%s 付款，全部代扣为个税，没有款项到账", "paid on %s, and all of it was withheld as tax", at)
		}
	case settlement.FailedState:
		v.State, v.Tone = choose(lang, "打款未成功", "came back"), "full"
		v.Reason = choose(lang, "%s 退回；随下一次结算再付，不再收手续费", "came back %s; the next settlement pays it again at no fee", at)
		if w.Why != settlement.WhyCameBack {
			v.Reason = cannot(lang, w.Why)
		}
	case settlement.RefusedState:
		v.State, v.Tone, v.Reason = choose(lang, "未通过", "refused"), "full", clean(w.Reason)
		if w.EndedBy == 0 {
			v.Reason = choose(lang, "退款后已不够付手续费", "refunds left no more than the fee")
		}
	default:
		v.State, v.Tone, v.Reason = choose(lang, "已取消", "cancelled"), "dim", choose(lang, "%s 取消", "cancelled %s", at)
	}
	if p := w.Payment; p != nil {
		v.Paid = choose(lang, "当次共付 ¥%s，实到 ¥%s", "of ¥%s paid at once: ¥%s", p.Gross, p.Net)
		if p.Tax > 0 {
			v.Paid = choose(lang, "当次共付 ¥%s，代扣税 ¥%s，实到 ¥%s", "of ¥%s paid at once, less ¥%s tax: ¥%s", p.Gross, p.Tax, p.Net)
		}
	}
	return v
}

// settling is why a settled request is not paid yet.
func settling(lang string, w settlement.Why, at string) string {
	switch w {
	case settlement.WhySettled:
		return choose(lang, "%s 列入结算单，等打款", "in a settlement since %s, to be paid", at)
	case settlement.WhyObjected:
		return choose(lang, "你的异议答复后再付", "paid once your objection is answered")
	}
	return cannot(lang, w)
}

// askWithdrawal answers POST /me/withdrawals.
func (s *Server) askWithdrawal(c *gin.Context, v visitor) error {
	var payer id.Payer
	if err := read(c.PostForm("payer"), &payer); err != nil {
		return errForm
	}
	ctx, err := s.sent(c, v, c.FullPath(), payer.String())
	if err != nil {
		return err
	}
	_, err = s.Settlement.Ask(ctx, v.Member, settlement.AskIn{PayerID: payer})
	return s.withdrew(c, v, err)
}

// cancelWithdrawal answers POST /me/withdrawals/{id}/cancel; the state refuses
// a second tap.
func (s *Server) cancelWithdrawal(c *gin.Context, v visitor) error {
	var wid id.Withdrawal
	if err := read(c.Param("id"), &wid); err != nil {
		return err
	}
	ctx, err := s.sent(c, v, c.FullPath(), wid.String())
	if err != nil {
		return err
	}
	return s.withdrew(c, v, s.Settlement.CancelWithdrawal(ctx, wid))
}

// withdrew leads back to the page, which says what was refused.
func (s *Server) withdrew(c *gin.Context, v visitor, err error) error {
	var again *database.Replayed // a second tap
	f, ok := fault.As(err)
	switch {
	case err == nil || errors.As(err, &again):
		c.Redirect(http.StatusSeeOther, "/me/withdrawals")
		return nil
	case ok && f.Kind != fault.KindNotFound:
		n := &notice{Text: f.Text(s.lang(c))}
		if errors.Is(err, settlement.ErrCannotPay) {
			reason, _ := f.Params["reason"].(payee.Reason)
			n.Text = cannot(s.lang(c), settlement.Why(reason))
		}
		return s.showWithdrawals(c, v, int(f.Kind), n)
	}
	return err
}

// monthNow is the month of a moment in the shop's zone, like 202603.
func monthNow(at time.Time) int { return clock.Day(at, shop) / 100 }
