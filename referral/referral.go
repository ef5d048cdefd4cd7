// Package referral turns "who brought whom" into rewards.
//
// It owns programs (reward rules as versioned, frozen data), invite codes and
// their QR pictures, touches (one scan each), bindings (who invited whom) and
// rewards. Tables: programs, program_versions, codes, code_batches,
// code_batch_parts, poster_templates, touches, bindings, rewards, reward_events,
// ripening, clearings.
//
// What holds always: what was promised at the scan is what is paid, because
// the program's version is frozen on binding and order; a person has at most
// one live binding per scope, never to himself, and bindings of new members
// form no circle (V4); a reward exists once per (program version, fact,
// beneficiary, rule), is paid to the direct inviter or the invitee only, and
// the sum promised never exceeds the program's budget (V5). A reward is a row
// that says what was earned; everything later is a row in reward_events beside
// it: cleared, reduced, voided, clawed back, each once per cause. Only its
// maturity moves, when the goods arrive.
//
// campaign calls FrozenIn, PaidTx, ReceivedTx and RefundedTx inside its own
// transactions; web and api call the Service; settlement reads the events.
package referral

import (
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/secret"
)

// Service is the room's use cases, one transaction each. It must not be
// copied: it buffers touches and keeps pictures.
type Service struct {
	DB      *database.DB
	Secrets *secret.Set
	// PublicURL is where people reach the pages; QRURL, a domain used for
	// nothing else, is what QR pictures name (empty: PublicURL).
	PublicURL, QRURL string
	// PosterFont is the file of the font for posters; empty looks where
	// distributions put one.
	PosterFont string

	touches touchBuffer
	drawn   drawnPictures
	posters posterDesk
}

// The refusals.
var (
	ErrCode = fault.New(fault.KindNotFound, "referral.code_unusable",
		"邀请码不可用，请向邀请人索取新的邀请码", "this invite code cannot be used; ask for a new one")
	ErrCodeState = fault.New(fault.KindConflict, "referral.code_state",
		"邀请码{state}，不能这样操作；需要的话请在原位置新建一个", "the code is {state}, which does not allow this; make a new one of its place if one is needed")
	ErrBatchState = fault.New(fault.KindConflict, "referral.batch_running",
		"邀请码仍在生成：{done}/{total}", "the codes are still being made: {done} of {total}")
	ErrSelf = fault.New(fault.KindUnprocessable, "referral.self",
		"不能邀请自己", "nobody can invite himself")
	ErrCircle = fault.New(fault.KindUnprocessable, "referral.circle",
		"对方是由您邀请来的，不能互相邀请", "this person was invited by you, directly or through others; invitations must not run in a circle")
	ErrBound = fault.New(fault.KindConflict, "referral.bound",
		"已由其他人邀请，有效期内不能更改", "somebody else invited this person first; that stands until it lapses")
	ErrNotNew = fault.New(fault.KindUnprocessable, "referral.not_new",
		"该活动仅限新会员，您已购买过", "this program is for new members only; you have bought before")
	ErrPage = fault.New(fault.KindUnprocessable, "referral.page_expired",
		"页面已过期，请重新扫码", "the page is too old; scan the code again")
	ErrIdentityRequired = fault.New(fault.KindUnprocessable, "identity_required",
		"请先登录会员，再邀请好友", "sign in as a member before inviting others")
	ErrShareReward = fault.New(fault.KindUnprocessable, "referral.share_reward",
		"不能为分享、转发行为付奖励：微信外链规范禁止利诱分享，奖励只能由被邀请人的行为（如支付订单）触发",
		"paying for a share is not possible: WeChat forbids inducing shares; a reward is triggered by what the invitee does, such as a paid order")
	ErrDepth = fault.New(fault.KindUnprocessable, "referral.depth",
		"奖励只能付给直接邀请人和被邀请人(一级)", "rewards go to the direct inviter and the invitee only (depth 1)")
	ErrFrozen = fault.New(fault.KindUnprocessable, "referral.promoter_frozen",
		"该推广员已被暂停推广，他的邀请码暂时不能使用", "this promoter is suspended; his codes cannot be used for now")
	ErrNotPromoter = fault.New(fault.KindUnprocessable, "referral.promoter_required",
		"该方案仅限已通过审核的推广员邀请", "only approved promoters may invite in this program")
	ErrScope = fault.New(fault.KindUnprocessable, "referral.scope",
		"首单奖励方案的 scope 必须是 new_member", "a program for first orders has the scope new_member")
	ErrNothingLeft = fault.New(fault.KindConflict, "referral.nothing_left",
		"积分已用完或优惠券已使用，无法收回", "the points are spent or the coupon is used; nothing is left to take back")
	ErrRewardState = fault.New(fault.KindConflict, "referral.reward_state",
		"奖励现在是“{state}”，不能这样操作", "the reward is {state}, which does not allow this")
)
