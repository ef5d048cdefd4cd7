package web

import (
	"context"
	"strconv"

	"siyu/internal/id"
	"siyu/referral/payee"
)

// payeesAsked are changes of how members are paid, by masks: what is in force
// and what would be.
func (s *Server) payeesAsked(ctx context.Context, a asking) ([]approvalCard, string, error) {
	list, err := s.Payee.ListPending(ctx, a.page)
	if err != nil {
		return nil, "", err
	}
	names, err := namesIn(s.DB.Read(ctx), list.Items, func(x payee.Payee) id.Member { return x.MemberID })
	if err != nil {
		return nil, "", err
	}
	var cards []approvalCard
	for _, x := range list.Items {
		if x.Pending != nil { // else decided on meanwhile
			cards = append(cards, payeeCard(a, x, called(a.lang, names[x.MemberID])))
		}
	}
	return cards, list.NextCursor, nil
}

func payeeCard(a asking, x payee.Payee, who string) approvalCard {
	v := x.Pending
	card := approvalCard{ID: x.ID.String(), Seen: strconv.Itoa(v.No), Name: who, by: v.EnteredBy, At: v.EnteredAt.Time().In(shop), Own: v.EnteredBy != 0 && v.EnteredBy == a.me}
	if v.EnteredBy == 0 {
		card.By = choose(a.lang, "会员本人", "the member himself")
	}
	if x.Active != nil {
		card.What = append(card.What, figure{choose(a.lang, "现在", "now"), versionText(a.lang, *x.Active)})
	}
	card.What = append(card.What, figure{choose(a.lang, "改成", "would be"), versionText(a.lang, *v)})
	return card
}

// versionText is how somebody is paid, by masks.
func versionText(lang string, v payee.Version) string {
	kind, _ := word(lang, payeeWords, v.Type)
	return kind + " · " + clean(v.NameMask) + " " + clean(v.IDMask) + " · " + accountName(lang, v.Kind) + " " + clean(v.AccountMask)
}

var payeeWords = map[payee.Type]pair{
	payee.TypeNatural: {"自然人", "natural person", ""}, payee.TypeStaff: {"员工", "staff", ""}, payee.TypeSoleTrader: {"个体工商户", "sole trader", ""}, payee.TypeCompany: {"公司", "company", ""},
}

func (s *Server) approvePayee(ctx context.Context, d decision) error {
	which, in, err := payeeDecision(d)
	if err != nil {
		return err
	}
	return s.Payee.Approve(ctx, which, in)
}

func (s *Server) refusePayee(ctx context.Context, d decision) error {
	which, in, err := payeeDecision(d)
	if err != nil {
		return err
	}
	return s.Payee.Reject(ctx, which, in)
}

func payeeDecision(d decision) (which id.Payee, in payee.DecideIn, err error) {
	if err := read(d.ID, &which); err != nil {
		return which, in, err
	}
	in.Reason = d.Reason
	if in.No, err = strconv.Atoi(d.Seen); err != nil {
		return which, in, errForm
	}
	return which, in, nil
}
