// Package campaigntest builds small worlds for the tests of the campaign
// rooms: products, a running campaign, members who claim, a mall that pays.
// Every step goes through the rooms' own services.
package campaigntest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/flashsale"
	"siyu/campaign/groupbuy"
	"siyu/campaign/invite"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/secret"
	"siyu/internal/task"
	"siyu/referral"
	"siyu/wallet"
)

// World is one replica's rooms over a store.
type World struct {
	T         testing.TB
	DB        *database.DB
	Community *community.Service
	Campaign  *campaign.Service
	GroupBuy  *groupbuy.Service
	Invite    *invite.Service
	Referral  *referral.Service
	Registry  *task.Registry
}

// New wires the rooms and starts the committer until the test ends.
func New(t testing.TB, db *database.DB) *World {
	t.Helper()
	keys, err := secret.New(Keys)
	if err != nil {
		t.Fatal(err)
	}
	w := &World{T: t, DB: db, Registry: task.NewRegistry()}
	w.Community = &community.Service{DB: db, Secrets: keys}
	w.Referral = &referral.Service{DB: db, Secrets: keys, PublicURL: "https://shop.example", QRURL: "https://q.example"}
	w.GroupBuy = &groupbuy.Service{DB: db, PublicURL: "https://shop.example"}
	w.Campaign = campaign.New(db, w.Community, flashsale.Kind(), invite.Kind(), w.GroupBuy.Kind())
	w.GroupBuy.Campaign = w.Campaign
	w.Community.Register(w.Registry)
	w.Invite = &invite.Service{DB: db, Campaign: w.Campaign}
	w.Campaign.Register(w.Registry)
	w.Invite.Register(w.Registry)
	w.GroupBuy.Register(w.Registry)
	w.Referral.Register(w.Registry)
	w.Campaign.Start()
	t.Cleanup(w.Campaign.Close)
	return w
}

// Keys are the keys of every test house, so that replicas share them.
var Keys = secret.Fresh()

// Sale says what campaign to run; zero fields take the defaults of Run.
type Sale struct {
	Kind      string // flash_sale
	Stock     int64  // 10
	Price     money.Amount
	PerMember int
	PerOrder  int

	SessionStock int64
	Prices       []campaign.TeamPrice

	Rules    string
	Program  id.Program
	Hours    int // 24
	Audience []id.Group
	Coupons  bool
	Points   money.Bps
	Budget   money.Amount
}

// Run creates and publishes a campaign with one item that runs now.
func (w *World) Run(s Sale) campaign.Campaign {
	w.T.Helper()
	ctx := context.Background()
	cid := w.Draft(s)
	w.check(w.Campaign.Turn(ctx, cid, campaign.Publish))
	c, err := w.Campaign.FindCampaign(ctx, cid)
	w.check(err)
	return c
}

// Draft creates a campaign with one item that would run now.
func (w *World) Draft(s Sale) id.Campaign {
	w.T.Helper()
	ctx := context.Background()
	if s.Kind == "" {
		s.Kind = "flash_sale"
	}
	if s.Stock == 0 {
		s.Stock = 10
	}
	if s.Price == 0 {
		s.Price = 9900
	}
	if s.Hours == 0 {
		s.Hours = 24
	}
	sku := fmt.Sprintf("sku-%d", serial.Add(1))
	_, err := w.Campaign.PutProducts(ctx, campaign.ProductBatch{Products: []campaign.ProductIn{{SKU: sku, Name: "有机苹果", ListPrice: 2 * s.Price}}})
	w.check(err)
	now := clock.MilliOf(w.DB.Clock.Now())
	cid, err := w.Campaign.CreateCampaign(ctx, campaign.CampaignIn{
		Kind: s.Kind, Name: "周一秒杀", StartsAt: now, EndsAt: now.Add(time.Duration(s.Hours) * time.Hour), Rules: []byte(s.Rules),
		ProgramID: s.Program, Audience: campaign.Audience{Groups: s.Audience},
		AcceptsCoupons: s.Coupons, AcceptsPoints: s.Points, Budget: s.Budget,
		Items: []campaign.ItemIn{{SKU: sku, Price: s.Price, Stock: s.Stock, PerMember: s.PerMember, PerOrder: s.PerOrder, SessionStock: s.SessionStock, TeamPrices: s.Prices}},
	})
	w.check(err)
	return cid
}

var serial atomic.Int64

// Members makes n known members.
func (w *World) Members(n int) []id.Member {
	w.T.Helper()
	var out []id.Member
	for len(out) < n {
		rows := make([]community.MemberIn, 0, 200)
		for len(rows) < min(200, n-len(out)) {
			rows = append(rows, community.MemberIn{
				Name:       "王小明",
				Identities: []community.Identity{{Kind: community.IdentityMall, Value: fmt.Sprintf("mall-%d", serial.Add(1))}},
			})
		}
		done, err := w.Community.UpsertMembers(context.Background(), rows)
		w.check(err)
		for _, r := range done {
			out = append(out, r.Member)
		}
	}
	return out
}

// MallID is the mall's id of a member.
func (w *World) MallID(m id.Member) string {
	w.T.Helper()
	var v string
	w.check(w.DB.Read(context.Background()).Raw("SELECT value FROM identities WHERE member_id = ? AND kind = 'mall'", m).Scan(&v).Error)
	return v
}

// Claim claims one piece (or qty of c) under a fresh key.
func (w *World) Claim(c campaign.Claim) (id.Order, error) {
	return w.ClaimKeyed(c, fmt.Sprintf("key-%d", serial.Add(1)))
}

// ClaimKeyed claims under the key.
func (w *World) ClaimKeyed(c campaign.Claim, key string) (id.Order, error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %d %d %v %d %d", c.Campaign, c.Item, c.Qty, c.Team, c.OpenTeam, c.Coupon, c.Points))
	ctx := database.WithKey(context.Background(), database.Key{
		Principal: c.Member.String(), Route: "claim", Key: key, Hash: hex.EncodeToString(sum[:]),
	})
	out, err := w.Campaign.Claim(ctx, c)
	return out.Order.ID, err
}

// MustClaim claims and fails the test on a refusal.
func (w *World) MustClaim(c campaign.Claim) campaign.Order {
	w.T.Helper()
	oid, err := w.Claim(c)
	w.check(err)
	return w.Order(oid)
}

// Order reads an order.
func (w *World) Order(oid id.Order) campaign.Order {
	w.T.Helper()
	o, err := w.Campaign.FindOrder(context.Background(), oid)
	w.check(err)
	return o
}

// Item reads the campaign's only item.
func (w *World) Item(cid id.Campaign) campaign.Item {
	w.T.Helper()
	c, err := w.Campaign.FindCampaign(context.Background(), cid)
	w.check(err)
	return c.Items[0]
}

// Pay reports the order's payment in full.
func (w *World) Pay(oid id.Order) {
	w.T.Helper()
	o := w.Order(oid)
	w.check(w.Campaign.Pay(context.Background(), oid, Payment(o, "pay-"+oid.String())))
}

// Payment is the payment that buys the order.
func Payment(o campaign.Order, no string) campaign.PaymentIn {
	return campaign.PaymentIn{
		Provider: "wechat", PaymentNo: no, Goods: o.Amount, Discount: o.DiscountCoupon, Points: o.DiscountPoints, Amount: o.Payable(),
	}
}

// Drain jumps the clock and does all background work due then.
func (w *World) Drain(jump time.Duration) {
	w.T.Helper()
	w.DB.Clock.Jump(jump)
	w.check(task.Tick(context.Background(), w.DB, w.Registry))
	w.check(task.Drain(context.Background(), w.DB, w.Registry))
}

// Verify fails the test when an invariant of these rooms is broken.
func (w *World) Verify() {
	w.T.Helper()
	for _, p := range w.Proofs() {
		for _, b := range p.Broken {
			w.T.Errorf("%s: %s", p.ID, b)
		}
	}
}

// Proofs are the findings of verify over these rooms.
func (w *World) Proofs() []database.Proof {
	w.T.Helper()
	var all []database.Proof
	for _, verify := range []func(context.Context, *database.DB) ([]database.Proof, error){
		campaign.Verify, campaign.VerifyDiscounts, campaign.VerifyRefunds, groupbuy.Verify, invite.Verify, referral.Verify, task.Verify,
		wallet.Verify, wallet.VerifyCoupons, wallet.VerifyPoints,
	} {
		proofs, err := verify(context.Background(), w.DB)
		w.check(err)
		all = append(all, proofs...)
	}
	return all
}

func (w *World) check(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}
