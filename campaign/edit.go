package campaign

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral"
)

// CampaignEdit changes a campaign; nil leaves a field as it is. Once it is
// published its name, addresses, face and end may change, its audience widen, and its items by ItemEdit;
// what was promised is frozen. Kind and unit are frozen from the start and
// stand here to be refused by name.
type CampaignEdit struct {
	Name       *string         `json:"name"`
	StartsAt   *clock.Milli    `json:"starts_at"`
	EndsAt     *clock.Milli    `json:"ends_at"`
	Zone       *string         `json:"zone"`
	ProgramID  *id.Program     `json:"program_id"`
	PayerID    *id.Payer       `json:"payer_id"`
	Rules      json.RawMessage `json:"rules"`
	Audience   *Audience       `json:"audience"`
	PayWithinS *int            `json:"pay_within_s"`
	LoginURL   *string         `json:"login_url"`
	PayURL     *string         `json:"pay_url"`
	Kind       *string         `json:"kind"`
	UnitID     *id.Unit        `json:"unit_id"`
	Items      []ItemEdit      `json:"items"`

	AcceptsCoupons *bool         `json:"accepts_coupons"`
	AcceptsPoints  *money.Bps    `json:"accepts_points_bp"`
	Budget         *money.Amount `json:"budget_fen"`

	FaceEdit
}

// ItemEdit changes an item. Stock moves by AddStock only, so that an edit
// never overwrites a live counter; negative takes from what is left.
type ItemEdit struct {
	ID        id.Item       `json:"id"`
	AddStock  int64         `json:"add_stock"`
	Price     *money.Amount `json:"price_fen"`
	PerMember *int          `json:"per_member"`
	PerOrder  *int          `json:"per_order"`

	SessionStock *int64       `json:"session_stock"`
	TeamPrices   *[]TeamPrice `json:"team_prices"` // drafts only
}

// Validate checks what needs no database.
func (in CampaignEdit) Validate() error {
	var c fault.Check
	c.That(len(in.Items) <= itemsMax, "items", "range", fmt.Sprintf("最多 %d 个商品", itemsMax), fmt.Sprintf("at most %d items", itemsMax))
	for i, item := range in.Items {
		c.Range(item.AddStock, fmt.Sprintf("items[%d].add_stock", i), -stockMax, stockMax)
	}
	return c.Err()
}

// Edit applies the edit to the version the caller read. Orders and teams carry
// their own terms, so what was granted before stays as it was granted.
func (s *Service) Edit(ctx context.Context, cid id.Campaign, version int, in CampaignEdit) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		c, err := s.lockCampaign(tx, cid)
		if err != nil {
			return err
		}
		if c.Version != version {
			return fault.Stale
		}
		if err := readFaces(tx.DB, &c); err != nil {
			return err
		}
		next, err := s.edited(tx, c, in)
		if err != nil {
			return err
		}
		if err := writeEdit(tx, next, in.Items); err != nil {
			return err
		}
		if err := moveBudget(tx, c, next); err != nil {
			return err
		}
		if err := serveLaterTx(tx, cid); err != nil {
			return err
		}
		for _, e := range in.Items {
			if c.Status == StatusDraft {
				break
			}
			if err := publishStockEdit(tx, c.Items[itemAt(c.Items, e.ID)], e.AddStock); err != nil {
				return err
			}
		}
		if c.Status != StatusDraft && next.EndsAt < c.EndsAt {
			// The task at the old end comes too late; a later end it finds itself.
			if err := task.EnqueueTx(tx, closeCampaign{cid}, next.EndsAt); err != nil {
				return err
			}
		}
		return database.AuditTx(tx, "campaign.edit", cid, c, next)
	})
}

func writeEdit(tx *database.Tx, c Campaign, items []ItemEdit) error {
	res := tx.Exec(`UPDATE campaigns SET name = ?, starts_at = ?, ends_at = ?, zone = ?, program_id = ?, payer_id = ?, rules = ?, rules_digest = ?,
			audience = ?, pay_within_s = ?, login_url = ?, pay_url = ?, accepts_coupons = ?, accepts_points = ?, budget = ?, version = version + 1
		WHERE id = ? AND version = ?`,
		c.Name, c.StartsAt, c.EndsAt, c.Zone, c.ProgramID, c.PayerID, c.RulesText, c.RulesDigest,
		c.AudienceRaw, c.PayWithinS, c.LoginURL, c.PayURL, c.AcceptsCoupons, c.AcceptsPoints, c.Budget, c.ID, c.Version-1)
	if err := database.One(res, fault.Stale); err != nil {
		return err
	}
	if err := writeFace(tx, c); err != nil {
		return err
	}
	for _, e := range items {
		item := c.Items[itemAt(c.Items, e.ID)]
		res := tx.Exec(`UPDATE items SET stock = stock + ?, left_qty = left_qty + ?, price = ?, per_member = ?, per_order = ?, session_stock = ?, version = version + 1
			WHERE id = ? AND campaign_id = ?`+tx.Only("left_qty + ? >= 0 AND stock + ? <= ?"),
			e.AddStock, e.AddStock, item.Price, item.PerMember, item.PerOrder, item.SessionStock, item.ID, c.ID, e.AddStock, e.AddStock, stockMax)
		if err := database.One(res, errTaken); err != nil {
			return err
		}
		if e.TeamPrices != nil {
			if err := writeTeamPrices(tx, item.ID, *e.TeamPrices); err != nil {
				return err
			}
		}
		if e.Price == nil && e.TeamPrices == nil {
			continue
		}
		if err := voidPrices(tx, item); err != nil {
			return err
		}
	}
	return nil
}

var errTaken = fault.Invalid.Field("items.add_stock", "range", "剩余库存不足以减少", "less is left than this takes away")

func itemAt(items []Item, of id.Item) int {
	return slices.IndexFunc(items, func(i Item) bool { return i.ID == of })
}

// edited is the campaign as the edit leaves it, or everything that is wrong
// with the edit.
func (s *Service) edited(tx *database.Tx, c Campaign, in CampaignEdit) (Campaign, error) {
	phase, was := c.stage(tx.Now), c.Audience
	if phase == StatusEnded || phase == StatusCancelled {
		return c, ErrTransition.With("state", phase)
	}
	var check fault.Check
	in.freeze(&check, phase)
	in.keepsAccepting(&check, c, phase)
	in.FaceEdit.apply(&check, &c, phase)
	if err := s.apply(tx, &check, &c, in); err != nil {
		return c, err
	}
	check.That(phase == StatusDraft || widens(was, c.Audience), "audience", "tighter",
		"发布后参与范围只能放宽；要收紧请复制活动", "can only be widened once published; copy the campaign to tighten it")
	past := phase != StatusDraft && in.EndsAt != nil && *in.EndsAt <= tx.Now
	check.That(!past, "ends_at", "past", "不能早于现在；要立即结束请用“结束”", "must not lie in the past; to end it now use end")
	products, err := productsOf(tx.DB, c)
	if err != nil {
		return c, err
	}
	sizes, err := s.kinds[c.Kind].sizes(c)
	if err != nil {
		return c, err
	}
	approved, err := approvalsOf(tx.DB, c.ID)
	if err != nil {
		return c, err
	}
	c.Items = slices.Clone(c.Items)
	for i, e := range in.Items {
		at := fmt.Sprintf("items[%d].", i)
		k := itemAt(c.Items, e.ID)
		check.That(k >= 0, at+"id", "not_found", "活动中没有这个商品，请从活动详情取编号", "is no item of this campaign; take the id from the campaign")
		again := slices.ContainsFunc(in.Items[:i], func(x ItemEdit) bool { return x.ID == e.ID })
		check.That(!again, at+"id", "repeated", "同一商品只能出现一次，请合并", "names an item twice; put its changes together")
		if k >= 0 && !again {
			e.apply(&check, at, &c.Items[k], phase, products[c.Items[k].ProductID], approved)
			if phase == StatusDraft {
				priced(&check, at, sizes, c.Items[k], products[c.Items[k].ProductID], approved)
			}
		}
	}
	c.Version++
	c.RulesDigest = digest(c)
	return c, check.Err()
}

// freeze names what the edit may not touch.
func (in CampaignEdit) freeze(check *fault.Check, phase Status) {
	for _, f := range []struct {
		name  string
		asked bool
	}{
		{"starts_at", in.StartsAt != nil}, {"zone", in.Zone != nil}, {"program_id", in.ProgramID != nil},
		{"payer_id", in.PayerID != nil}, {"rules", in.Rules != nil}, {"pay_within_s", in.PayWithinS != nil},
	} {
		check.That(phase == StatusDraft || !f.asked, f.name, "frozen",
			"活动已发布，承诺不可修改；请复制活动，在新草稿中修改", "is frozen since the campaign was published; copy it and change the new draft")
	}
	check.That(in.Kind == nil, "kind", "frozen", "活动类型不可修改；请新建活动", "never changes; make a new campaign")
	check.That(in.UnitID == nil, "unit_id", "frozen", "所属组织不可修改；请在该组织新建活动", "never changes; make a new campaign in that unit")
}

// apply sets the fields beside the items.
func (s *Service) apply(tx *database.Tx, check *fault.Check, c *Campaign, in CampaignEdit) error {
	set(&c.Name, in.Name)
	set(&c.StartsAt, in.StartsAt)
	set(&c.EndsAt, in.EndsAt)
	set(&c.Zone, in.Zone)
	set(&c.PayWithinS, in.PayWithinS)
	set(&c.LoginURL, in.LoginURL)
	set(&c.PayURL, in.PayURL)
	set(&c.AcceptsCoupons, in.AcceptsCoupons)
	set(&c.AcceptsPoints, in.AcceptsPoints)
	set(&c.Budget, in.Budget)
	set(&c.ProgramID, in.ProgramID)
	set(&c.PayerID, in.PayerID)
	set(&c.Audience, in.Audience)
	check.That(c.Zone != "", "zone", "required", "必填", "is required")
	check.That(c.PayWithinS != 0, "pay_within_s", "required", "必填", "is required")
	c.input().check(check)
	if in.ProgramID != nil && c.ProgramID != 0 {
		if err := programVisible(tx, c.ProgramID); err != nil {
			return err
		}
	}
	if c.Status == StatusDraft && (in.ProgramID != nil || in.PayerID != nil) {
		if err := referral.CampaignPayerTx(tx, c.UnitID, c.ProgramID, c.PayerID); err != nil {
			return err
		}
	}
	if in.Audience != nil {
		if err := audienceVisible(tx, c.Audience); err != nil {
			return err
		}
		raw, err := json.Marshal(c.Audience)
		if err != nil {
			return err
		}
		c.AudienceRaw = string(raw)
	}
	if in.Rules == nil || c.Status != StatusDraft {
		return nil
	}
	kind, ok := s.kinds[c.Kind]
	if !ok {
		return ErrKind.With("kind", c.Kind)
	}
	rules, err := kind.Rules(in.Rules)
	c.Rules, c.RulesText = rules, string(rules)
	return err
}

func set[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}

// apply sets the item as the edit leaves it. Published, an item only becomes
// better for members: limits looser, and the price lower once it can be had.
func (e ItemEdit) apply(check *fault.Check, at string, item *Item, phase Status, p Product, approved approvals) {
	was := *item
	item.Stock, item.Left = item.Stock+e.AddStock, item.Left+e.AddStock
	set(&item.Price, e.Price)
	set(&item.PerMember, e.PerMember)
	set(&item.PerOrder, e.PerOrder)
	set(&item.SessionStock, e.SessionStock)
	set(&item.TeamPrices, e.TeamPrices)
	item.Version++
	check.That(e.TeamPrices == nil || phase == StatusDraft, at+"team_prices", "frozen",
		"活动已发布，各人数的价格不可修改；可下调 price_fen", "are frozen since the campaign was published; price_fen may be lowered")
	check.That(len(item.TeamPrices) <= teamPricesMax, at+"team_prices", "range", fmt.Sprintf("最多 %d 档", teamPricesMax), fmt.Sprintf("at most %d sizes", teamPricesMax))

	check.That(item.Left >= 0, at+"add_stock", "range",
		fmt.Sprintf("最多减 %d 件，其余已被占用或售出", was.Left), fmt.Sprintf("takes more than the %d left; the rest is held or sold", was.Left))
	check.That(item.Stock <= stockMax, at+"add_stock", "range",
		fmt.Sprintf("库存最多 %d 件", stockMax), fmt.Sprintf("stock is at most %d", stockMax))
	limits(check, at, item.PerMember, item.PerOrder)
	check.That(item.PerOrder >= 1, at+"per_order", "range", "至少 1 件", "must be at least 1")
	if e.Price != nil {
		check.Range(int64(item.Price), at+"price_fen", 1, priceMax)
		sellable(check, at, p, item.Price, approved.allow(item.ID, item.Price, p))
	}
	sessionStock(check, at, item.SessionStock, item.Stock)
	if phase == StatusDraft {
		return
	}
	check.That(item.SessionStock == 0 || was.SessionStock > 0 && item.SessionStock >= was.SessionStock, at+"session_stock", "tighter",
		"发布后每场库存只能增加（0 为不限）", "can only be raised once published, 0 being no limit")
	check.That(phase == StatusScheduled || item.Price <= was.Price, at+"price_fen", "higher",
		"活动开始后只能降价；要涨价请复制活动", "can only be lowered once the campaign has started; copy it for a higher price")
	check.That(item.PerMember == 0 || was.PerMember > 0 && item.PerMember >= was.PerMember, at+"per_member", "tighter",
		"发布后限购只能放宽（0 为不限）；要收紧请复制活动", "can only be raised once published, 0 being no limit; copy the campaign to tighten it")
	check.That(item.PerOrder >= was.PerOrder, at+"per_order", "tighter",
		"发布后每单件数只能放宽；要收紧请复制活动", "can only be raised once published; copy the campaign to tighten it")
}
