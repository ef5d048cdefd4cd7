package campaign

import (
	"fmt"
	"slices"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral"
)

// Audience is who may claim. A member must meet every kind that is set, by any
// one of its values (tags_all: by all); who has an excluded tag, or is on the
// blocklist where it counts, may not, whatever else he meets. Empty is
// everybody.
type Audience struct {
	Groups      []id.Group       `json:"groups,omitempty"`
	Roles       []community.Role `json:"roles,omitempty"` // in one of the groups, if any are named; else in any group
	TagsAny     []id.Tag         `json:"tags_any,omitempty"`
	TagsAll     []id.Tag         `json:"tags_all,omitempty"`
	Units       []id.Unit        `json:"units,omitempty"`    // in a group of a unit's subtree
	NewSince    clock.Milli      `json:"new_since,omitzero"` // first seen then or later, and never paid an order
	Invited     bool             `json:"invited,omitempty"`  // with a live binding to an inviter in the campaign's program
	Bought      *Bought          `json:"bought,omitempty"`   // paid an order before
	ExcludeTags []id.Tag         `json:"exclude_tags,omitempty"`
	Blocklist   bool             `json:"blocklist,omitempty"` // who is on the community's blocklist may not
	Early       []Early          `json:"early,omitempty"`
}

// Bought asks for a paid order, not wholly refunded, of one of the products or
// of one of the campaigns within the last days.
type Bought struct {
	SKUs      []string      `json:"skus,omitempty"`
	Campaigns []id.Campaign `json:"campaigns,omitempty"`
	Days      int           `json:"days"`
}

// Early lets who has one of the tags, or is in one of the groups, claim from a
// moment before the campaign starts. He must be of the audience as well.
type Early struct {
	Tags   []id.Tag    `json:"tags,omitempty"`
	Groups []id.Group  `json:"groups,omitempty"`
	From   clock.Milli `json:"from"`
}

// Bounds of an audience.
const (
	audienceTagsMax  = 50
	audienceUnitsMax = 50
	boughtMax        = 50
	boughtDaysMax    = 1100
	earlyMax         = 10
	earlyBefore      = 7 * day
)

// check checks the audience of a campaign that starts then.
func (a Audience) check(c *fault.Check, starts clock.Milli, program id.Program) {
	most := func(n, max int, field, zh, en string) {
		c.That(n <= max, "audience."+field, "range", fmt.Sprintf("最多 %d 个"+zh, max), fmt.Sprintf("at most %d "+en, max))
	}
	most(len(a.Groups), audienceMax, "groups", "群", "groups")
	for i, r := range a.Roles {
		c.OneOf(string(r), fmt.Sprintf("audience.roles[%d]", i), string(community.RoleMember), string(community.RoleKOC),
			string(community.RoleKOL), string(community.RoleAdmin), string(community.RoleOwner))
	}
	most(len(a.Roles), 5, "roles", "角色", "roles")
	most(len(a.TagsAny), audienceTagsMax, "tags_any", "标签", "tags")
	most(len(a.TagsAll), audienceTagsMax, "tags_all", "标签", "tags")
	most(len(a.ExcludeTags), audienceTagsMax, "exclude_tags", "标签", "tags")
	most(len(a.Units), audienceUnitsMax, "units", "组织", "units")
	c.That(!a.Invited || program != 0, "audience.invited", "needs_program", "请先为活动设置奖励方案 program_id", "needs a program_id, whose bindings count")
	if b := a.Bought; b != nil {
		c.That(len(b.SKUs)+len(b.Campaigns) > 0, "audience.bought", "required", "请填写商品或活动", "name products or campaigns")
		most(len(b.SKUs), boughtMax, "bought.skus", "商品", "products")
		most(len(b.Campaigns), boughtMax, "bought.campaigns", "活动", "campaigns")
		c.Range(int64(b.Days), "audience.bought.days", 1, boughtDaysMax)
	}
	most(len(a.Early), earlyMax, "early", "提前名单", "entries")
	for i, e := range a.Early {
		at := fmt.Sprintf("audience.early[%d]", i)
		c.That(len(e.Tags)+len(e.Groups) > 0, at, "required", "请填写标签或群", "name tags or groups")
		c.That(len(e.Tags) <= audienceTagsMax && len(e.Groups) <= audienceTagsMax, at, "range", "标签和群各最多 50 个", "at most 50 tags and 50 groups")
		c.That(e.From < starts && e.From >= starts.Add(-earlyBefore), at+".from", "range", "应早于开始时间，最多提前 7 天", "must be before starts_at, by at most 7 days")
	}
}

// audienceVisible refuses what nobody could meet, and what is outside the
// caller's units.
func audienceVisible(tx *database.Tx, a Audience) error {
	var check fault.Check
	groups := slices.Clone(a.Groups)
	tags := slices.Concat(a.TagsAny, a.TagsAll, a.ExcludeTags)
	for _, e := range a.Early {
		groups, tags = append(groups, e.Groups...), append(tags, e.Tags...)
	}
	found, err := community.GroupsIn(tx.DB, groups)
	if err != nil {
		return err
	}
	known, err := community.TagsIn(tx.DB, tags)
	if err != nil {
		return err
	}
	seeGroups := func(list []id.Group, field string) {
		for i, g := range list {
			x, ok := found[g]
			check.That(ok && tx.Actor.Sees(x.UnitID), fmt.Sprintf("audience.%s[%d]", field, i), "not_found", "没有这个群，请从群列表取编号", "there is no such group; take the id from the list of groups")
		}
	}
	// A tag of the brand serves every unit below it, so any that exists will do.
	seeTags := func(list []id.Tag, field string) {
		for i, t := range list {
			_, ok := known[t]
			check.That(ok, fmt.Sprintf("audience.%s[%d]", field, i), "not_found", "没有这个标签，请从标签列表取编号", "there is no such tag; take the id from the list of tags")
		}
	}
	seeGroups(a.Groups, "groups")
	seeTags(a.TagsAny, "tags_any")
	seeTags(a.TagsAll, "tags_all")
	seeTags(a.ExcludeTags, "exclude_tags")
	for i, e := range a.Early {
		seeGroups(e.Groups, fmt.Sprintf("early[%d].groups", i))
		seeTags(e.Tags, fmt.Sprintf("early[%d].tags", i))
	}
	for i, u := range a.Units {
		check.That(tx.Actor.Sees(u), fmt.Sprintf("audience.units[%d]", i), "not_found", "没有这个组织，或不在您的范围内", "there is no such unit, or it lies outside yours")
	}
	if err := boughtVisible(tx, &check, a.Bought); err != nil {
		return err
	}
	return check.Err()
}

// boughtVisible does so for what must have been bought before. Products are
// the brand's, campaigns a unit's.
func boughtVisible(tx *database.Tx, check *fault.Check, b *Bought) error {
	if b == nil {
		return nil
	}
	var skus []string
	if err := tx.Raw("SELECT sku FROM products WHERE sku IN ?", append(b.SKUs, "")).Scan(&skus).Error; err != nil {
		return fmt.Errorf("campaign: products of an audience: %w", err)
	}
	for i, sku := range b.SKUs {
		check.That(slices.Contains(skus, sku), fmt.Sprintf("audience.bought.skus[%d]", i), "not_found", "没有这个商品，请从商品库取 SKU", "there is no such product; take the SKU from the list of products")
	}
	var rows []Campaign
	if err := tx.Raw("SELECT id, unit_id FROM campaigns WHERE id IN ?", append(b.Campaigns, 0)).Scan(&rows).Error; err != nil {
		return fmt.Errorf("campaign: campaigns of an audience: %w", err)
	}
	for i, c := range b.Campaigns {
		seen := slices.ContainsFunc(rows, func(r Campaign) bool { return r.ID == c && tx.Actor.Sees(r.UnitID) })
		check.That(seen, fmt.Sprintf("audience.bought.campaigns[%d]", i), "not_found", "没有这个活动，请从活动列表取编号", "there is no such campaign; take the id from the list of campaigns")
	}
	return nil
}

// asksMore says whether anything is asked beside groups, which are read along
// with the locks by statements of their own, and bindings, which orders carry.
func (a *Audience) asksMore() bool {
	return len(a.Roles)+len(a.TagsAny)+len(a.TagsAll)+len(a.Units)+len(a.ExcludeTags)+len(a.Early) > 0 ||
		a.NewSince != 0 || a.Bought != nil || a.Blocklist
}

// allGroups are the groups that the audience and its early entries name.
func (a Audience) allGroups() []id.Group {
	if len(a.Early) == 0 {
		return a.Groups
	}
	all := slices.Clone(a.Groups)
	for _, e := range a.Early {
		all = append(all, e.Groups...)
	}
	return all
}

// DoorsAt is when the first may claim: the start, or the earliest early entry.
func (c *Campaign) DoorsAt() clock.Milli {
	at := c.StartsAt
	for _, e := range c.Audience.Early {
		at = min(at, e.From)
	}
	return at
}

// stage is the phase that counts for claims: from the first early entry on a
// campaign counts as running, although it has not started for everybody.
func (c *Campaign) stage(now clock.Milli) Status {
	if phase := c.Phase(now); phase != StatusScheduled || now < c.DoorsAt() {
		return phase
	}
	return StatusRunning
}

// factsOf gathers what the batch read of a member in this campaign.
func (b *batch) factsOf(camp *Campaign, m id.Member) Facts {
	var f Facts
	if read := b.facts[m]; read != nil {
		f = *read
	}
	f.Groups = b.groups[m]
	f.Invited = b.frozen[camp.ProgramID][m] != referral.Frozen{}
	return f
}

// lets refuses who is not of the audience, or not yet.
func (b *batch) lets(camp *Campaign, m id.Member) error {
	if len(camp.Audience.Groups) == 0 && !camp.Audience.Invited && !camp.Audience.asksMore() {
		return nil
	}
	f := b.factsOf(camp, m)
	if ok, why := Allows(camp.Audience, f, b.now); !ok {
		return why
	}
	if camp.Phase(b.now) == StatusScheduled && !camp.Audience.lets(f, b.now) {
		return ErrNotStarted.With("starts_at", camp.StartsAt)
	}
	return nil
}

// days is that many times 24 hours.
func days(n int) time.Duration { return time.Duration(n) * day }
