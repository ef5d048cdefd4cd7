package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/settlement"
	"siyu/wallet"
)

func (s *Server) rewardRoutes(r *routes) {
	readers := staff(access.Marketer, access.Finance, access.Cashier, access.Mall)
	r.get("/v1/rewards", s.listRewards, readers, member)
	r.get("/v1/rewards/:id", s.findReward, readers, member)
	r.get("/v1/members/:id/rewards", s.memberRewards, staff(access.Finance), member)
	r.post("/v1/rewards/:id/void", s.voidReward, staff(access.Finance), keyed)
}

func (s *Server) listRewards(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	f := referral.RewardFilter{State: referral.RewardState(c.Query("state"))}
	if f.Member, err = queryID[id.Member](c, "member_id"); err != nil {
		return err
	}
	if f.Campaign, err = queryID[id.Campaign](c, "campaign_id"); err != nil {
		return err
	}
	if f.Program, err = queryID[id.Program](c, "program_id"); err != nil {
		return err
	}
	if f.Order, err = queryID[id.Order](c, "order_id"); err != nil {
		return err
	}
	list, err := s.Referral.ListRewards(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

func (s *Server) findReward(c *gin.Context) error {
	reward, err := pathID[id.Reward](c, "id")
	if err != nil {
		return err
	}
	return s.renderReward(c, reward)
}

func (s *Server) renderReward(c *gin.Context, reward id.Reward) error {
	r, err := s.Referral.FindReward(c.Request.Context(), reward)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, r)
}

// voidRequest says why a reward is taken back.
type voidRequest struct {
	Reason string `json:"reason"`
}

func (s *Server) voidReward(c *gin.Context) error {
	reward, err := pathID[id.Reward](c, "id")
	if err != nil {
		return err
	}
	var in voidRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := done(s.Referral.VoidReward(c.Request.Context(), reward, in.Reason))(c); err != nil {
		return err
	}
	return s.renderReward(c, reward)
}

// memberRewardsView is a page of a member's rewards with what they sum to in
// the ledger.
type memberRewardsView struct {
	database.Paged[settlement.Seen]
	Sums memberSums `json:"sums"`
}

// memberSums are the member's balances: to come, due (negative for a debt), on
// their way, and arrived, after tax.
type memberSums struct {
	Pending   money.Amount `json:"pending_fen"`
	Available money.Amount `json:"available_fen"`
	Paying    money.Amount `json:"paying_fen"`
	Paid      money.Amount `json:"paid_fen"`
	Tax       money.Amount `json:"tax_fen"`
}

func (s *Server) memberRewards(c *gin.Context) error {
	m, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	list, err := s.Referral.ListRewards(ctx, referral.RewardFilter{Member: m}, p)
	if err != nil {
		return err
	}
	held, err := s.Wallet.MemberWallet(ctx, m)
	if err != nil {
		return err
	}
	out := memberRewardsView{Paged: database.Paged[settlement.Seen]{NextCursor: list.NextCursor}, Sums: memberSums{
		Pending: held.Of(wallet.StageReserved, money.CNY), Available: held.Of(wallet.StagePayable, money.CNY),
		Paying: held.Of(wallet.StagePaying, money.CNY), Paid: held.Of(wallet.StagePaid, money.CNY), Tax: held.Of(wallet.StageTax, money.CNY),
	}}
	if out.Items, err = s.Settlement.SeeAll(ctx, list.Items); err != nil {
		return err
	}
	return render(c, http.StatusOK, out)
}
