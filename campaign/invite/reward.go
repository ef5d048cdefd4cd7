package invite

import (
	"context"
	"fmt"

	"siyu/campaign"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// RewardState is where a step reward stands.
type RewardState string

// The states: maturing until it is available; waiting for what Reason says;
// ready, goods to be handed over; given; skipped by a cap, for good.
const (
	RewardMaturing RewardState = "maturing"
	RewardWaiting  RewardState = "waiting"
	RewardReady    RewardState = "ready"
	RewardGiven    RewardState = "given"
	RewardSkipped  RewardState = "skipped"
)

// Words name the state.
func (s RewardState) Words() (zh, en string) {
	return map[RewardState]string{RewardMaturing: "待生效", RewardWaiting: "等待发放", RewardReady: "待领取", RewardGiven: "已发放", RewardSkipped: "未发放"}[s], string(s)
}

// Reason is why a reward waits, was skipped or is smaller; beside these it is
// the code of a coupon's refusal.
type Reason string

// The reasons of this room.
const (
	ReasonHold          Reason = "hold"
	ReasonInviterDayCap Reason = "inviter_day_cap"
	ReasonInviterCap    Reason = "inviter_cap"
	ReasonCampaignCap   Reason = "campaign_cap"
	ReasonPointsCap     Reason = "points_cap"
	ReasonPointsClamped Reason = "points_clamped"
	ReasonIdentity      Reason = "identity_required"
	ReasonReview        Reason = "in_review"
)

// Reward is what one step gives one inviter.
type Reward struct {
	ID             id.StepReward   `json:"id"`
	UnitID         id.Unit         `json:"-"`
	CampaignID     id.Campaign     `json:"campaign_id"`
	MemberID       id.Member       `json:"member_id"`
	Step           int             `json:"step" gorm:"column:step_no"` // from 1
	Kind           GiftKind        `json:"kind"`
	CouponID       id.Coupon       `json:"coupon_id"`
	Points         int64           `json:"points"`
	ValidDays      int             `json:"-"`
	GoodsName      string          `json:"goods_name"`
	GoodsQty       int             `json:"goods_qty"`
	State          RewardState     `json:"state"`
	Reason         Reason          `json:"reason"`
	ReachedAt      clock.Milli     `json:"reached_at"`
	AvailableAt    clock.Milli     `json:"available_at"`
	NextAt         clock.Milli     `json:"next_at"` // when giving it is tried next
	GivenAt        clock.Milli     `json:"given_at"`
	GivenDay       int             `json:"-"`
	MemberCouponID id.MemberCoupon `json:"member_coupon_id"`
	StaffID        id.Staff        `json:"-"`
	Note           string          `json:"note"`
}

// TableName is the table's.
func (Reward) TableName() string { return "invite_rewards" }

func newReward(tx *database.Tx, c campaign.Campaign, m id.Member, i int, s Step) Reward {
	w := Reward{
		ID: id.StepReward(tx.Next()), UnitID: c.UnitID, CampaignID: c.ID, MemberID: m, Step: i + 1, Kind: s.Gift.Kind,
		CouponID: s.Gift.Coupon, Points: s.Gift.Points, ValidDays: s.Gift.ValidDays, GoodsName: s.Gift.Name, GoodsQty: s.Gift.Qty,
		State: RewardMaturing, ReachedAt: tx.Now, AvailableAt: tx.Now.Add(days(s.HoldDays)),
	}
	w.NextAt = w.AvailableAt
	if s.HoldDays > 0 {
		w.Reason = ReasonHold
	}
	return w
}

// RewardFilter narrows a list of rewards; zero fields do not.
type RewardFilter struct {
	Campaign id.Campaign
	Member   id.Member
	State    RewardState
}

// ListRewards lists step rewards, newest first. Who may ask for a member is
// decided by the caller, who knows merges.
func (s *Service) ListRewards(ctx context.Context, f RewardFilter, page database.Page) (database.Paged[Reward], error) {
	q := s.DB.Read(ctx)
	cond, args := database.ActorOf(ctx).Within("unit_id")
	if f.Campaign != 0 {
		if _, _, err := s.terms(ctx, f.Campaign); err != nil {
			return database.Paged[Reward]{}, err
		}
		cond, args = cond+" AND campaign_id = ?", append(args, f.Campaign)
	}
	if f.Member != 0 {
		merged, err := community.MergedInto(q, []id.Member{f.Member})
		if err != nil {
			return database.Paged[Reward]{}, err
		}
		cond, args = cond+" AND member_id IN ?", append(args, append(merged[f.Member], f.Member))
	}
	if f.State != "" {
		cond, args = cond+" AND state = ?", append(args, f.State)
	}
	var rows []Reward
	err := q.Raw("SELECT * FROM invite_rewards WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Reward]{}, fmt.Errorf("invite: rewards: %w", err)
	}
	return database.Cut(page, rows, func(w Reward) int64 { return int64(w.ID) }), nil
}

// FindReward is one reward, for staff of its unit.
func (s *Service) FindReward(ctx context.Context, rid id.StepReward) (Reward, error) {
	return findReward(s.DB.Read(ctx), database.ActorOf(ctx), rid, "")
}

func findReward(q *database.Query, a database.Actor, rid id.StepReward, lock string) (Reward, error) {
	var w Reward
	if err := q.Raw("SELECT * FROM invite_rewards WHERE id = ?"+lock, rid).Scan(&w).Error; err != nil {
		return w, fmt.Errorf("invite: reward %s: %w", rid, err)
	}
	if w.ID == 0 || !a.Sees(w.UnitID) {
		return w, fault.NotFound
	}
	return w, nil
}

// HandOver says how goods reached their member; the note may be a parcel's
// number.
type HandOver struct {
	Note string `json:"note"`
}

// Validate checks the input alone.
func (in HandOver) Validate() error {
	var c fault.Check
	c.Length(in.Note, "note", 200)
	return c.Err()
}

// HandOver marks goods as handed over, once.
func (s *Service) HandOver(ctx context.Context, rid id.StepReward, in HandOver) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		w, err := findReward(tx.DB, tx.Actor, rid, tx.Dialect.ForUpdate)
		if err != nil {
			return err
		}
		was := w.State
		res := tx.Exec("UPDATE invite_rewards SET state = ?, given_at = ?, staff_id = ?, note = ? WHERE id = ?"+tx.Only("state = ?"),
			RewardGiven, tx.Now, tx.Actor.Staff, in.Note, rid, RewardReady)
		if err := database.One(res, ErrRewardState.With("state", was)); err != nil {
			return err
		}
		w.State, w.GivenAt, w.Note = RewardGiven, tx.Now, in.Note
		if err := webhook.PublishTx(tx, eventRewardGiven, w); err != nil {
			return err
		}
		tx.SetResult("step_reward", int64(rid), 200)
		return database.AuditTx(tx, "invite.hand_over", rid, was, in)
	})
}
