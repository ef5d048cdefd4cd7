package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/community"
	"siyu/community/gate"
	"siyu/community/gathering"
	"siyu/community/grade"
	"siyu/community/life"
	"siyu/community/request"
	"siyu/community/split"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral"
	"siyu/referral/payee"
	"siyu/referral/promoter"
	"siyu/referral/review"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// A person's rights over what the house knows of him need every room side by
// side, so they are composed here.
func (s *Server) personalRoutes(r *routes) {
	r.post("/v1/members/:id/merge", s.mergeMember, staff(access.Mall), keyed)
	r.get("/v1/members/:id/export", s.exportMember, staff(access.Mall))
	r.delete("/v1/members/:id", s.eraseMember, staff())
}

// mergeRequest names the member that stays.
type mergeRequest struct {
	Into id.Member `json:"into_id"`
}

// Validate checks the request.
func (in mergeRequest) Validate() error {
	var c fault.Check
	c.That(in.Into != 0, "into_id", "required", "请指定保留的会员", "name the member that stays")
	return c.Err()
}

func (s *Server) mergeMember(c *gin.Context) error {
	from, err := pathID[id.Member](c, "id")
	if err != nil {
		return err
	}
	var in mergeRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	for _, m := range []id.Member{from, in.Into} {
		if _, err := s.Community.FindMember(c.Request.Context(), m); err != nil {
			return err
		}
	}
	if err := done(s.Campaign.MergeMembers(c.Request.Context(), from, in.Into))(c); err != nil {
		return err
	}
	return s.renderMember(c, in.Into)
}

// memberExport is all the house knows about a person.
type memberExport struct {
	Community community.Export      `json:"community"`
	Gate      gate.Personal         `json:"gate"`
	Requests  request.Personal      `json:"requests"`
	Invited   []life.Invited        `json:"invited"` // into other groups
	Placed    []split.Placed        `json:"placed"`  // in proposals to split a group
	Seats     []gathering.Seat      `json:"seats"`   // at offline events
	Grades    []grade.Past          `json:"grades"`
	Orders    []campaign.Order      `json:"orders"`
	Waits     []campaign.Wait       `json:"waits"`
	Reminders []campaign.Reminder   `json:"reminders"`
	Rewards   []referral.Reward     `json:"rewards"`
	Codes     []referral.Code       `json:"codes"`
	Promoter  *promoter.Promoter    `json:"promoter"` // none if he never applied
	Wallet    wallet.Wallet         `json:"wallet"`
	Ledger    []wallet.Entry        `json:"ledger"`
	Coupons   []wallet.MemberCoupon `json:"coupons"`
	Points    wallet.Points         `json:"points"`
	Payee     *payee.Payee          `json:"payee"` // masked, and none if he gave none
	TaxLines  []payee.Line          `json:"tax_lines"`
	Sightings []review.Sighting     `json:"sightings"`

	Objections  []settlement.Objection      `json:"objections"`
	Withdrawals []settlement.SeenWithdrawal `json:"withdrawals"`
}

func (s *Server) exportMember(c *gin.Context) error {
	mid, err := pathID[id.Member](c, "id")
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	var out memberExport
	if out.Community, err = s.Community.ExportMember(ctx, mid); err != nil {
		return err
	}
	mid = out.Community.Member.ID
	ids := append([]id.Member{mid}, out.Community.MergedFrom...)
	if err := s.exportGroups(ctx, ids, &out); err != nil {
		return err
	}
	if err := s.exportOrders(ctx, mid, &out); err != nil {
		return err
	}
	if err := s.exportRewards(ctx, mid, &out); err != nil {
		return err
	}
	if err := s.exportPurse(ctx, mid, &out); err != nil {
		return err
	}
	if out.Payee, out.TaxLines, err = s.exportPayee(ctx, mid); err != nil {
		return err
	}
	return render(c, http.StatusOK, out)
}

// exportGroups is what rooms of groups know of a member under all his ids.
func (s *Server) exportGroups(ctx context.Context, ids []id.Member, out *memberExport) (err error) {
	if out.Gate, err = s.Gate.Of(ctx, ids); err != nil {
		return err
	}
	if out.Requests, err = s.Request.Of(ctx, ids); err != nil {
		return err
	}
	if out.Invited, err = s.Life.InvitedOf(ctx, ids); err != nil {
		return err
	}
	if out.Placed, err = s.Split.PlacedOf(ctx, ids); err != nil {
		return err
	}
	if out.Seats, err = s.Gathering.SeatsOf(ctx, ids); err != nil {
		return err
	}
	out.Grades, err = s.Grade.PastOf(ctx, ids)
	return err
}

// exportOrders is what he bought, waits for and asked to be reminded of.
func (s *Server) exportOrders(ctx context.Context, mid id.Member, out *memberExport) (err error) {
	if out.Reminders, err = s.Campaign.RemindersOf(ctx, mid); err != nil {
		return err
	}
	if out.Orders, err = every(func(p database.Page) (database.Paged[campaign.Order], error) {
		return s.Campaign.ListOrders(ctx, campaign.OrderFilter{Member: mid}, p)
	}); err != nil {
		return err
	}
	out.Waits, err = every(func(p database.Page) (database.Paged[campaign.Wait], error) {
		return s.Campaign.WaitsOf(ctx, mid, p)
	})
	return err
}

// exportRewards is how he invites, what it earned him, and from where he was
// seen.
func (s *Server) exportRewards(ctx context.Context, mid id.Member, out *memberExport) (err error) {
	if out.Sightings, err = s.Review.SightingsOf(ctx, mid); err != nil {
		return err
	}
	if out.Rewards, err = every(func(p database.Page) (database.Paged[referral.Reward], error) {
		return s.Referral.ListRewards(ctx, referral.RewardFilter{Member: mid}, p)
	}); err != nil {
		return err
	}
	if out.Codes, err = every(func(p database.Page) (database.Paged[referral.Code], error) {
		return s.Referral.ListCodes(ctx, referral.CodeFilter{Inviter: mid}, p)
	}); err != nil {
		return err
	}
	standing, err := s.Promoter.OfMember(ctx, mid)
	if errors.Is(err, fault.NotFound) {
		return nil // he never applied
	}
	out.Promoter = &standing
	return err
}

// exportPurse is what he owns, what moved it, and what he asked of those who
// pay him.
func (s *Server) exportPurse(ctx context.Context, mid id.Member, out *memberExport) (err error) {
	if out.Wallet, err = s.Wallet.MemberWallet(ctx, mid); err != nil {
		return err
	}
	if out.Points, err = s.Wallet.MemberPoints(ctx, mid); err != nil {
		return err
	}
	if out.Ledger, err = every(func(p database.Page) (database.Paged[wallet.Entry], error) {
		return s.Wallet.Entries(ctx, mid, p)
	}); err != nil {
		return err
	}
	if out.Coupons, err = every(func(p database.Page) (database.Paged[wallet.MemberCoupon], error) {
		return s.Wallet.ListMemberCoupons(ctx, mid, "", p)
	}); err != nil {
		return err
	}
	if out.Objections, err = every(func(p database.Page) (database.Paged[settlement.Objection], error) {
		return s.Settlement.ObjectionsOf(ctx, mid, p)
	}); err != nil {
		return err
	}
	out.Withdrawals, err = every(func(p database.Page) (database.Paged[settlement.SeenWithdrawal], error) {
		return s.Settlement.ListWithdrawals(ctx, settlement.WithdrawalFilter{Member: mid}, p)
	})
	return err
}

// exportPayee is as what a member is paid, and what was withheld from him.
func (s *Server) exportPayee(ctx context.Context, mid id.Member) (*payee.Payee, []payee.Line, error) {
	found, err := s.Payee.PayeeOf(ctx, mid)
	if errors.Is(err, fault.NotFound) {
		return nil, []payee.Line{}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	lines, err := every(func(p database.Page) (database.Paged[payee.Line], error) { return s.Payee.LinesOf(ctx, found.ID, p) })
	return &found, lines, err
}

// every reads all pages of a list.
func every[T any](list func(database.Page) (database.Paged[T], error)) ([]T, error) {
	out := []T{}
	p := database.Page{Limit: database.PageMax}
	for {
		got, err := list(p)
		if err != nil {
			return nil, err
		}
		out = append(out, got.Items...)
		if got.NextCursor == "" {
			return out, nil
		}
		if p.Before, err = database.ParseCursor(got.NextCursor); err != nil {
			return nil, err
		}
	}
}

func (s *Server) eraseMember(c *gin.Context) error {
	mid, err := pathID[id.Member](c, "id")
	if err != nil {
		return err
	}
	if err := s.erase(c.Request.Context(), mid); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// erase takes a person's identities, name and sightings away. Orders, rewards, ledger
// and coupons hold opaque ids only and stay. It may be repeated.
func (s *Server) erase(ctx context.Context, mid id.Member) error {
	m, err := s.Community.FindMember(ctx, mid)
	if err != nil {
		return err
	}
	if err := s.Review.EraseMember(ctx, m.ID); err != nil {
		return err
	}
	if err := s.Settlement.EraseMember(ctx, m.ID); err != nil {
		return err
	}
	if err := s.Payee.EraseMember(ctx, mid); err != nil {
		return err
	}
	return s.Community.EraseMember(ctx, mid)
}
