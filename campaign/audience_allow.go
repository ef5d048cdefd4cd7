package campaign

import (
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Facts is what an audience may ask about a member.
type Facts struct {
	Groups    []id.Group           // he is in, of those that are asked for
	Standings []community.Standing // all his groups, with unit and role
	Units     []id.Unit            // asked for, with one of his groups in their subtree
	Tags      []id.Tag             // he has, of those that are asked for
	FirstSeen clock.Milli
	Paid      bool // he ever paid an order
	Invited   bool // he has a live binding in the campaign's program
	Bought    []Purchase
	Blocked   bool
}

// Purchase is a paid order that was not wholly refunded.
type Purchase struct {
	SKU      string
	Campaign id.Campaign
	At       clock.Milli
}

// The refusals of an audience, each with what one could do. ErrAudience is the
// one about groups.
var (
	ErrBlocked  = fault.New(fault.KindForbidden, "campaign.blocked", "您暂时不能参与此活动，如有疑问请联系客服", "you cannot take part for now; ask our service if you think this is wrong")
	ErrExcluded = fault.New(fault.KindForbidden, "campaign.excluded", "此活动不对您开放，请看看其他活动", "this campaign is not open to you; have a look at the others")
	ErrRole     = fault.New(fault.KindForbidden, "campaign.role_required", "此活动仅限群内特定角色参与，可向群主申请", "this campaign is for certain roles within the group; ask its owner")
	ErrTags     = fault.New(fault.KindForbidden, "campaign.tag_required", "此活动仅限指定会员参与，可向客服了解如何获得资格", "this campaign is for certain members; our service can tell how to become one")
	ErrUnits    = fault.New(fault.KindForbidden, "campaign.unit_required", "此活动仅限指定门店的群友参与，请先加入门店的群", "this campaign is for members of certain stores' groups; join one first")
	ErrNewOnly  = fault.New(fault.KindForbidden, "campaign.new_members_only", "此活动仅限新会员首单，请看看其他活动", "this campaign is for new members who have not bought yet; have a look at the others")
	ErrInvited  = fault.New(fault.KindForbidden, "campaign.invitation_required", "此活动需由老会员邀请，请先打开好友的邀请码", "this campaign needs an invitation; open a friend's invite code first")
	ErrBuyers   = fault.New(fault.KindForbidden, "campaign.buyers_only", "此活动仅限近 {days} 天购买过指定商品的会员", "this campaign is for who bought certain products within {days} days")
)

// Allows says whether the audience lets such a member in, and if not, why:
// exclusions first, then the kinds in the order of the declaration.
func Allows(a Audience, f Facts, now clock.Milli) (ok bool, why *fault.Fault) {
	has := func(t id.Tag) bool { return slices.Contains(f.Tags, t) }
	switch {
	case a.Blocklist && f.Blocked:
		return false, ErrBlocked
	case slices.ContainsFunc(a.ExcludeTags, has):
		return false, ErrExcluded
	case len(a.Groups) > 0 && !common(a.Groups, f.Groups):
		return false, ErrAudience
	case len(a.Roles) > 0 && !slices.ContainsFunc(f.Standings, a.wantsRole):
		return false, ErrRole
	case len(a.TagsAny) > 0 && !slices.ContainsFunc(a.TagsAny, has),
		slices.ContainsFunc(a.TagsAll, func(t id.Tag) bool { return !has(t) }):
		return false, ErrTags
	case len(a.Units) > 0 && !common(a.Units, f.Units):
		return false, ErrUnits
	case a.NewSince != 0 && (f.Paid || f.FirstSeen < a.NewSince):
		return false, ErrNewOnly
	case a.Invited && !f.Invited:
		return false, ErrInvited
	case a.Bought != nil && !slices.ContainsFunc(f.Bought, func(p Purchase) bool { return a.Bought.counts(p, now) }):
		return false, ErrBuyers.With("days", a.Bought.Days)
	}
	return true, nil
}

// wantsRole says whether the standing is one of the roles where they count.
func (a Audience) wantsRole(s community.Standing) bool {
	return slices.Contains(a.Roles, s.Role) && (len(a.Groups) == 0 || slices.Contains(a.Groups, s.Group))
}

func (b Bought) counts(p Purchase, now clock.Milli) bool {
	return p.At >= now.Add(-days(b.Days)) && (slices.Contains(b.SKUs, p.SKU) || slices.Contains(b.Campaigns, p.Campaign))
}

// lets says whether such a member may claim before the start.
func (a Audience) lets(f Facts, now clock.Milli) bool {
	return slices.ContainsFunc(a.Early, func(e Early) bool {
		return now >= e.From && (common(e.Tags, f.Tags) || common(e.Groups, f.Groups))
	})
}

func common[T comparable](a, b []T) bool {
	return slices.ContainsFunc(a, func(x T) bool { return slices.Contains(b, x) })
}

// widens says whether everybody whom the one audience lets in, the other does
// too, at no later a moment.
func widens(from, to Audience) bool {
	any := func(had, has int, subset bool) bool { return has == 0 || had > 0 && subset }
	return any(len(from.Groups), len(to.Groups), within(from.Groups, to.Groups)) &&
		any(len(from.Roles), len(to.Roles), within(from.Roles, to.Roles)) &&
		any(len(from.TagsAny), len(to.TagsAny), within(from.TagsAny, to.TagsAny)) &&
		any(len(from.Units), len(to.Units), within(from.Units, to.Units)) &&
		within(to.TagsAll, from.TagsAll) && within(to.ExcludeTags, from.ExcludeTags) &&
		(to.NewSince == 0 || from.NewSince != 0 && to.NewSince <= from.NewSince) &&
		(!to.Invited || from.Invited) && (!to.Blocklist || from.Blocklist) &&
		to.Bought.widens(from.Bought) && widensEarly(from.Early, to.Early)
}

func (b *Bought) widens(from *Bought) bool {
	return b == nil || from != nil && b.Days >= from.Days && within(from.SKUs, b.SKUs) && within(from.Campaigns, b.Campaigns)
}

// widensEarly says whether each early entry still has one that serves it.
func widensEarly(from, to []Early) bool {
	for _, old := range from {
		if !slices.ContainsFunc(to, func(e Early) bool {
			return e.From <= old.From && within(old.Tags, e.Tags) && within(old.Groups, e.Groups)
		}) {
			return false
		}
	}
	return true
}

// within says whether every one of the few is among the many.
func within[T comparable](few, many []T) bool {
	return !slices.ContainsFunc(few, func(x T) bool { return !slices.Contains(many, x) })
}
