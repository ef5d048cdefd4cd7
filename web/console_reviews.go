package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/review"
)

// readsReviews are the roles that see the queue, decidesReviews those whose
// word ends a case, as the API has it.
var (
	readsReviews   = []access.Role{access.Admin, access.Marketer, access.Finance}
	decidesReviews = []access.Role{access.Admin, access.Finance}
)

// reviewsPage is the queue of rewards that wait for a human, oldest first.
type reviewsPage struct {
	page
	Cards []reviewCard
	Next  string
}

// reviewCard is what waits of one order: why, around whom, and each reward.
type reviewCard struct {
	Order   id.Order
	invitee id.Member
	Inviter string // masked
	Invitee string
	Since   time.Time
	Overdue bool
	Reasons []string
	Tree    *treeView
	Rewards []reviewRow
}

// reviewRow is one reward of it, with what the first person found.
type reviewRow struct {
	ID      id.Reward
	What    string
	Who     string
	Amount  money.Amount
	Kind    string // points or a coupon in words
	Found   string
	Note    string
	FoundAt time.Time
	Own     bool // the finding is the viewer's: another must decide
	Decides bool // the viewer may
}

// casesShown is how many cases one page lists.
const casesShown = 20

// consoleReviews answers GET /console/reviews.
func (s *Server) consoleReviews(c *gin.Context) error {
	ctx := c.Request.Context()
	if !slices.Contains(readsReviews, access.Role(database.ActorOf(ctx).Role)) {
		return fault.Forbidden
	}
	after, err := database.ParseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	list, err := s.Review.ListCases(ctx, review.Filter{State: review.StateOpen}, database.Page{Before: after, Limit: casesShown})
	if err != nil {
		return err
	}
	p := reviewsPage{page: s.base(c, "")}
	p.Title, p.Now = choose(p.Lang, "奖励审核", "Reward review"), p.Now.In(shop)
	p.Form = s.formToken(deskOf(ctx), s.DB.Clock.Now().Add(formFor))
	for _, x := range list.Items {
		if n := len(p.Cards); n == 0 || p.Cards[n-1].Order != x.OrderID || p.Cards[n-1].invitee != x.InviteeID {
			card, err := s.reviewCard(ctx, p.Lang, x)
			if err != nil {
				return err
			}
			p.Cards = append(p.Cards, card)
		}
		card := &p.Cards[len(p.Cards)-1]
		row, err := s.reviewRow(ctx, p.Lang, x, card)
		if err != nil {
			return err
		}
		card.Rewards = append(card.Rewards, row)
	}
	if list.NextCursor != "" {
		p.Next = "/console/reviews?cursor=" + list.NextCursor
	}
	return s.show(c, http.StatusOK, "reviews", p.page, p)
}

// reviewCard draws what is known around the first case of an order.
func (s *Server) reviewCard(ctx context.Context, lang string, x review.Case) (reviewCard, error) {
	names, err := community.NamesOf(s.DB.Read(ctx), []id.Member{x.InviterID, x.InviteeID})
	if err != nil {
		return reviewCard{}, err
	}
	card := reviewCard{Order: x.OrderID, Inviter: called(lang, names[x.InviterID]), Invitee: called(lang, names[x.InviteeID]),
		invitee: x.InviteeID, Since: x.OpenedAt.Time().In(shop), Overdue: x.AlarmedAt != 0}
	marked := map[id.Member]bool{}
	for _, r := range x.Reasons {
		card.Reasons = append(card.Reasons, r.Text(lang))
		for _, m := range r.Members {
			marked[m] = true
		}
	}
	if x.Note != "" {
		card.Reasons = append(card.Reasons, cleanLong(x.Note))
	}
	t, err := s.Referral.Tree(ctx, x.InviterID, database.Page{Limit: treeRead})
	if err != nil {
		return card, err
	}
	if names, err = community.NamesOf(s.DB.Read(ctx), membersIn(t)); err != nil {
		return card, err
	}
	card.Tree = drawTree(lang, t, x.InviteeID, marked, names)
	return card, nil
}

func (s *Server) reviewRow(ctx context.Context, lang string, x review.Case, card *reviewCard) (reviewRow, error) {
	r, err := s.Referral.FindReward(ctx, x.RewardID)
	if err != nil {
		return reviewRow{}, err
	}
	a := database.ActorOf(ctx)
	row := reviewRow{ID: r.ID, What: sideName(lang, r.Side), Who: card.Inviter, Amount: r.Net,
		Note: cleanLong(x.FoundNote), Decides: slices.Contains(decidesReviews, access.Role(a.Role))}
	coupons, err := s.couponNames(ctx, lang, couponsOf([]referral.Reward{r}))
	if err != nil {
		return row, err
	}
	row.Kind = inKind(lang, r.Currency, r.Net, coupons[r.CouponID])
	if r.Side == referral.SideInvitee {
		row.Who = card.Invitee
	}
	if r.Side == referral.SideGroupOwner {
		names, err := community.NamesOf(s.DB.Read(ctx), []id.Member{r.BeneficiaryID})
		if err != nil {
			return row, err
		}
		row.Who = called(lang, names[r.BeneficiaryID])
	}
	if x.Found != "" {
		row.Found, row.FoundAt, row.Own = choose(lang, "建议放行", "Suggests to release"), x.FoundAt.Time().In(shop), x.FoundBy == a.Staff
		if x.Found == review.FindRefuse {
			row.Found = choose(lang, "建议取消", "Suggests to refuse")
		}
	}
	return row, nil
}

// consoleFind answers POST /console/rewards/{id}/review: what the first person
// found.
func (s *Server) consoleFind(c *gin.Context) error {
	return s.reviewed(c, readsReviews, func(ctx context.Context, r id.Reward, word, note string) error {
		return s.Referral.ReviewReward(ctx, r, referral.Finding{Found: review.Finding(word), Note: note})
	})
}

// consoleDecide answers POST /console/rewards/{id}/decide: the second person's
// word.
func (s *Server) consoleDecide(c *gin.Context) error {
	return s.reviewed(c, decidesReviews, func(ctx context.Context, r id.Reward, word, note string) error {
		switch review.Finding(word) {
		case review.FindPass:
			return s.Referral.ReleaseReward(ctx, r, note)
		case review.FindRefuse:
			return s.Referral.VoidReward(ctx, r, note)
		}
		return errForm
	})
}

// reviewed checks the form and does what it says; the state of the case
// refuses a second tap.
func (s *Server) reviewed(c *gin.Context, may []access.Role, do func(ctx context.Context, r id.Reward, word, note string) error) error {
	ctx, err := s.tapped(c, may)
	if err != nil {
		return err
	}
	var rid id.Reward
	if err := read(c.Param("id"), &rid); err != nil {
		return err
	}
	word := c.PostForm("word")
	if word == "" {
		return errForm
	}
	if err := do(ctx, rid, word, c.PostForm("note")); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/reviews")
	return nil
}
