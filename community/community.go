// Package community knows the people and the chat groups they meet in.
//
// It owns members with their identities and consents, groups with their
// charters and memberships, and the facts that upper rooms tell it about a
// member. Tables: members, identities, member_merges, consents, chat_groups,
// charters, memberships, member_facts, tags, member_tags, member_blocks,
// notice_templates, notices, activity_events.
//
// What holds always: an identity names one member; a merged member points to a
// live one, never to another merged one, and owns nothing any more; a person
// is in a group once; a group has a charter in force from its first moment,
// and a looser one is announced seven days before it counts; consents are only
// appended. Verify proves it.
//
// Phone numbers are kept as a keyed hash only. Campaign, referral and the
// guard read from here and compose the …Tx functions in their transactions;
// api and web call the Service.
package community

import (
	"errors"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/secret"
)

// Service is the room's use cases, one transaction each.
type Service struct {
	DB      *database.DB
	Secrets *secret.Set // the PII keys hash phone numbers
}

// The refusals.
var (
	ErrIdentityConflict = fault.New(fault.KindConflict, "community.identity_conflict",
		"这些身份分别属于会员 {first} 和 {second},请先合并两位会员",
		"these identities belong to two members, {first} and {second}; merge the two first")
	ErrIdentityTaken = fault.New(fault.KindConflict, "community.identity_taken",
		"会员 {member} 已有另一个 {kind} 身份；若确为同一人，请用合并",
		"member {member} already has another {kind} identity; if this is one person, merge")
	ErrMemberElsewhere = fault.New(fault.KindConflict, "community.member_elsewhere",
		"该会员属于其他组织，请由其所属组织维护", "this member belongs to another unit, which maintains the record")
	ErrGuestUnknown = fault.New(fault.KindConflict, "community.guest_unknown",
		"没有这个访客；访客由扫码页面产生，不能导入", "no such guest; guests are made by the pages, never imported")
	ErrUnitUnknown = fault.New(fault.KindUnprocessable, "community.unit_unknown",
		"没有这个组织，或不在您的范围内", "there is no such unit, or it lies outside yours").
		Field("unit_id", "unknown", "请从组织列表取编号", "take the id from the list of units")
	ErrOwnerUnknown = fault.New(fault.KindUnprocessable, "community.owner_unknown",
		"没有这位员工，或不在您的范围内", "there is no such colleague, or none in your units").
		Field("owner_id", "unknown", "请从员工列表取群主编号", "take the owner's id from the list of staff")
	ErrMemberUnknown = fault.New(fault.KindConflict, "community.member_unknown",
		"没有会员 {member}", "there is no member {member}")
	ErrMemberErased = fault.New(fault.KindConflict, "community.member_erased",
		"会员 {member} 已注销", "member {member} has been erased")
	ErrMergeSelf = fault.New(fault.KindUnprocessable, "community.merge_self",
		"不能把会员合并到自己", "a member cannot be merged into itself")
	ErrMergedAlready = fault.New(fault.KindConflict, "community.merged_already",
		"会员 {member} 已合并到 {into}", "member {member} was already merged into {into}")
	ErrMembershipTime = fault.New(fault.KindUnprocessable, "community.membership_time",
		"入群和退群时间不能晚于现在，退群不能早于入群", "joining and leaving cannot lie ahead, nor leaving before joining")
	ErrGroupTaken = fault.New(fault.KindConflict, "community.group_taken",
		"external_id {external_id} 已被另一个群使用", "external_id {external_id} belongs to another group")
	ErrTagTaken = fault.New(fault.KindConflict, "community.tag_taken",
		"已有同名标签，请换一个名称", "there is a tag of this name; choose another")
	ErrTagsFull = fault.New(fault.KindConflict, "community.tags_full",
		"标签最多 {max} 个，请沿用已有标签", "there are {max} tags, which is the most; use one of them")
	ErrMemberTagsFull = fault.New(fault.KindConflict, "community.member_tags_full",
		"一位会员最多手工打 {max} 个标签，请先移除一个", "a member has at most {max} tags by hand; take one away first")
	ErrGroupGated = fault.New(fault.KindConflict, "community.group_gated",
		"这个群需要申请才能加入", "this group is joined by application")
	ErrGroupClosed = fault.New(fault.KindConflict, "community.group_dissolved",
		"群现在是“{status}”，不能再变更或加入", "the group is {status}; it can neither change nor be joined")
)

// errRaced says that another transaction changed what this one had looked up;
// the whole transaction is run again and then sees it.
var errRaced = errors.New("community: raced")

// Again runs fn, a use case whose transaction composes functions of this room,
// until it has not been overtaken, a few times at most.
func Again(fn func() error) error {
	var err error
	for range 8 {
		if err = fn(); !errors.Is(err, errRaced) {
			return err
		}
	}
	return fault.Unavailable.Wrap(err)
}
