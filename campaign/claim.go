package campaign

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Claim is a member's request for stock.
type Claim struct {
	Campaign id.Campaign
	Item     id.Item
	Member   id.Member
	Qty      int
	Team     id.Team // the team to join
	OpenTeam bool    // or: open one
	TeamSize int     // of this many people, where the campaign offers several
	Again    id.Team // with the people of this failed team

	// Coupon and Points, of 1 fen each, are what the member pays with besides
	// money; then the claim is granted alone.
	Coupon id.MemberCoupon
	Points money.Amount

	// By, Key and Hash are who calls, his Idempotency-Key and the first bytes
	// of his input's hash; they are kept on the order's own row. Since is
	// when his token was issued, zero for a guest.
	By    id.Member
	Key   string
	Hash  int64
	Since clock.Milli

	// Sits is set by the batch: the member has a live order in Team already.
	Sits bool

	// Move is set for an order that was let go and goes to another team with
	// what was paid for it.
	Move *Move

	fromLine bool // a place at the head of the waiting line

	revive *Order // a let-go order a late payment asks to have back
}

// Move is an order on its way to another team, which must cost the same.
type Move struct {
	Order id.Order
	From  id.Team
	Price money.Amount
}

// Outcome is the answer to one claim: the order, or why not.
type Outcome struct {
	Order    Order // as granted, without payments and refunds
	Replayed bool  // the order had been granted to this key before
	Refusal  error
}

// The refusals of a claim.
var (
	ErrSoldOut     = fault.New(fault.KindConflict, "campaign.sold_out", "已经抢完了", "sold out")
	ErrNotStarted  = fault.New(fault.KindConflict, "campaign.not_started", "活动还没开始", "the campaign has not started yet")
	ErrNotRunning  = fault.New(fault.KindConflict, "campaign.not_running", "活动当前不可参与（{state}）", "the campaign cannot be joined now ({state})")
	ErrLimit       = fault.New(fault.KindConflict, "campaign.limit_reached", "每人限购 {limit} 件", "the limit is {limit} per member")
	ErrQty         = fault.New(fault.KindUnprocessable, "campaign.quantity", "每单 1 到 {max} 件", "an order holds 1 to {max} pieces")
	ErrAudience    = fault.New(fault.KindForbidden, "campaign.not_eligible", "此活动仅限指定社群的群友参与", "this campaign is for members of certain groups")
	ErrIdentity    = fault.New(fault.KindUnprocessable, "identity_required", "请先登录后参与", "sign in first: this needs a known member")
	ErrBusy        = fault.New(fault.KindUnavailable, "campaign.busy", "人太多了，请稍后再试", "too many claims are waiting; try again in a second").After(time.Second)
	ErrTeamAsk     = fault.New(fault.KindUnprocessable, "campaign.team_required", "请选择开团或参团", "say whether to open a team or which one to join")
	ErrNoTeams     = fault.New(fault.KindUnprocessable, "campaign.no_teams", "此活动没有拼团", "this campaign has no teams")
	ErrNotForClaim = fault.New(fault.KindUnprocessable, "campaign.not_claimable", "此活动没有可领取的商品", "this kind of campaign has nothing to claim")
)

// Claim asks for stock and waits for the answer, which is durable when it
// comes. The context must carry an idempotency key: repeated, the same key
// finds the same order.
func (s *Service) Claim(ctx context.Context, c Claim) (Outcome, error) {
	w, err := s.ask(ctx, c)
	if err != nil {
		return Outcome{}, err
	}
	select {
	case out := <-w.done:
		return *out, out.Refusal
	case <-ctx.Done():
		// The claim may still be granted; its key finds it.
		return Outcome{}, fault.Unavailable.Wrap(ctx.Err())
	}
}

// ask refuses a claim from memory or queues it. All that needs room on the
// stack happens in here and has returned before Claim waits, because thousands
// of goroutines may wait at once.
func (s *Service) ask(ctx context.Context, c Claim) (*waiting, error) {
	key, ok := database.KeyOf(ctx)
	if !ok {
		return nil, fault.Invalid.Field("Idempotency-Key", "required", "缺少 Idempotency-Key", "send an Idempotency-Key")
	}
	hash, err := hex.DecodeString(key.Hash)
	if err != nil || len(hash) < 8 {
		return nil, fmt.Errorf("campaign: input hash %q is not hex", key.Hash)
	}
	c.By, c.Key, c.Hash = c.Member, key.Key, int64(binary.BigEndian.Uint64(hash))
	if actor := database.ActorOf(ctx); actor.Kind == database.ActorMember {
		c.Since = actor.Since
	}
	if c.Qty == 0 {
		c.Qty = 1
	}
	if refusal := s.shelves.refuse(&c, s.kinds, clock.MilliOf(s.DB.Clock.Now()), time.Now()); refusal != nil {
		return nil, refusal
	}
	w := &waiting{claim: c, done: make(chan *Outcome, 1)}
	if c.discounted() {
		out, err := s.claimDiscounted(ctx, c)
		w.done <- &out
		return w, err
	}
	return w, s.enqueue(w)
}

// TakeTx takes stock inside the caller's own transaction (late payments, the
// waiting line), through the same function as every claim.
func (s *Service) TakeTx(tx *database.Tx, claims []Claim) ([]Outcome, error) {
	_, out, err := s.grant(tx, claims, manner{keysFirst: true, patient: true})
	return out, err
}
