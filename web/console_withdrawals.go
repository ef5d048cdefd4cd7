package web

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral/payee"
	"siyu/referral/settlement"
)

// readsWithdrawals see what members asked to be paid, refusesWithdrawals refuse
// it, as the API has it.
var (
	readsWithdrawals   = []access.Role{access.Admin, access.Finance, access.Cashier}
	refusesWithdrawals = []access.Role{access.Admin, access.Finance}
)

// requestedPage is what members asked to be paid, newest first, of one status
// and payer.
type requestedPage struct {
	page
	Tabs    []tab
	Payer   string // of whom all are; "" of every payer
	PayerID id.Payer
	Status  string
	Cards   []requestedCard
	Refuses bool
	Next    string
}

// requestedCard is a request with whose it is and who is to pay.
type requestedCard struct {
	askedView
	Who     string // masked
	Payer   string
	PayerID id.Payer
}

// requestedShown is how many requests one page lists.
const requestedShown = 20

// consoleWithdrawals answers GET /console/withdrawals, with ?status= and
// ?payer=.
func (s *Server) consoleWithdrawals(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := may(ctx, readsWithdrawals); err != nil {
		return err
	}
	before, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	status := c.DefaultQuery("status", string(settlement.WithdrawalAsked))
	f := settlement.WithdrawalFilter{Status: settlement.WithdrawalStatus(status)}
	if status == "all" {
		f.Status = ""
	}
	if text := c.Query("payer"); text != "" {
		if err := read(text, &f.Payer); err != nil {
			return err
		}
	}
	p := requestedPage{page: s.base(c, ""), PayerID: f.Payer, Status: status, Refuses: may(ctx, refusesWithdrawals) == nil}
	p.Title, p.Now = choose(p.Lang, "提现申请", "Withdrawal requests"), p.Now.In(shop)
	s.desk(ctx, &p.page)
	for _, one := range requestTabs {
		p.Tabs = append(p.Tabs, tab{choose(p.Lang, one.zh, one.en), listAt("/console/withdrawals", one.status, "payer", idText(f.Payer), ""), one.status == status})
	}
	list, err := s.Settlement.ListWithdrawals(ctx, f, database.Page{Before: before, Limit: requestedShown})
	if err != nil {
		return err
	}
	if p.Cards, err = s.requestedCards(ctx, p.page, list.Items); err != nil {
		return err
	}
	if f.Payer != 0 {
		x, err := s.Payee.FindPayer(ctx, f.Payer)
		if err != nil {
			return err
		}
		p.Payer = clean(x.Name)
	}
	if list.NextCursor != "" {
		p.Next = listAt("/console/withdrawals", status, "payer", idText(f.Payer), list.NextCursor)
	}
	return s.show(c, http.StatusOK, "withdrawals", p.page, p)
}

var requestTabs = []statusTab{
	{string(settlement.WithdrawalAsked), "待结算", "Asked"}, {string(settlement.WithdrawalSettled), "已结算", "Settled"},
	{string(settlement.WithdrawalRefused), "已驳回", "Refused"}, {string(settlement.WithdrawalCancelled), "已取消", "Cancelled"}, {"all", "全部", "All"},
}

func (s *Server) requestedCards(ctx context.Context, p page, list []settlement.SeenWithdrawal) ([]requestedCard, error) {
	members, payers := make([]id.Member, len(list)), make([]id.Payer, len(list))
	for i, w := range list {
		members[i], payers[i] = w.MemberID, w.PayerID
	}
	names, err := community.NamesOf(s.DB.Read(ctx), members)
	if err != nil {
		return nil, err
	}
	who, err := s.payerNames(ctx, payers)
	if err != nil {
		return nil, err
	}
	var cards []requestedCard
	for _, w := range list {
		cards = append(cards, requestedCard{askedOf(p.Lang, p.Now, w), called(p.Lang, names[w.MemberID]), who[w.PayerID], w.PayerID})
	}
	return cards, nil
}

// payerNames are the names of the few payers of a page, which may belong to a
// unit above the reader's.
func (s *Server) payerNames(ctx context.Context, payers []id.Payer) (map[id.Payer]string, error) {
	names, err := payee.NamesOf(s.DB.Read(ctx), payers)
	for k, name := range names {
		names[k] = clean(name)
	}
	return names, err
}

// consoleRefuse answers POST /console/withdrawals/{id}/refuse; the state
// refuses a second tap.
func (s *Server) consoleRefuse(c *gin.Context) error {
	ctx, err := s.tapped(c, refusesWithdrawals)
	if err != nil {
		return err
	}
	var wid id.Withdrawal
	if err := read(c.Param("id"), &wid); err != nil {
		return err
	}
	if err := s.Settlement.RefuseWithdrawal(ctx, wid, settlement.RefuseIn{Reason: c.PostForm("reason")}); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/withdrawals")
	return nil
}
