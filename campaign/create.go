package campaign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// Bounds of a campaign.
const (
	itemsMax = 50
	stockMax = 100_000_000
	priceMax = 100_000_000 // 1,000,000 yuan

	budgetMax = 1_000_000_000_000 // 10 billion yuan

	audienceMax = 500
	windowMax   = 366 * day
)

// CampaignIn is the input of a new campaign.
type CampaignIn struct {
	UnitID     id.Unit         `json:"unit_id"` // default the caller's unit
	Kind       string          `json:"kind"`
	Name       string          `json:"name"`
	StartsAt   clock.Milli     `json:"starts_at"`
	EndsAt     clock.Milli     `json:"ends_at"`
	Zone       string          `json:"zone"` // default Asia/Shanghai
	ProgramID  id.Program      `json:"program_id"`
	PayerID    id.Payer        `json:"payer_id"` // pays what its orders earn by programs that name no payer
	Rules      json.RawMessage `json:"rules"`
	Audience   Audience        `json:"audience"`
	PayWithinS int             `json:"pay_within_s"` // default 900
	LoginURL   string          `json:"login_url"`
	PayURL     string          `json:"pay_url"`
	Items      []ItemIn        `json:"items"`

	AcceptsCoupons bool         `json:"accepts_coupons"`
	AcceptsPoints  money.Bps    `json:"accepts_points_bp"`
	Budget         money.Amount `json:"budget_fen"`

	Face
}

// ItemIn is one product's place in a campaign.
type ItemIn struct {
	SKU       string       `json:"sku"`
	Price     money.Amount `json:"price_fen"`
	Stock     int64        `json:"stock"`
	PerMember int          `json:"per_member"` // pieces per member; 0 is no limit
	PerOrder  int          `json:"per_order"`  // pieces per order; default 1

	SessionStock int64       `json:"session_stock"` // pieces per session; 0 is no limit
	TeamPrices   []TeamPrice `json:"team_prices"`   // of a campaign with teams
}

// Validate checks what needs no database.
func (in CampaignIn) Validate() error {
	var c fault.Check
	c.Required(in.Kind, "kind")
	in.check(&c)
	c.That(len(in.Items) <= itemsMax, "items", "range", fmt.Sprintf("最多 %d 个商品", itemsMax), fmt.Sprintf("at most %d items", itemsMax))
	first := map[string]int{}
	for i, item := range in.Items {
		at := fmt.Sprintf("items[%d].", i)
		item.check(&c, at)
		n, again := first[item.SKU]
		c.That(!again || item.SKU == "", at+"sku", "repeated", fmt.Sprintf("与 items[%d] 重复，同一商品请合并为一项", n), fmt.Sprintf("is that of items[%d]; name each product once", n))
		if !again {
			first[item.SKU] = i
		}
	}
	return c.Err()
}

// check checks everything but the kind and the items.
func (in CampaignIn) check(c *fault.Check) {
	c.Required(in.Name, "name")
	c.Length(in.Name, "name", 100)
	c.That(in.StartsAt > 0, "starts_at", "required", "请填写开始时间", "say when it starts")
	c.That(in.EndsAt > in.StartsAt, "ends_at", "range", "结束时间应晚于开始时间", "must be after starts_at")
	c.That(in.EndsAt-in.StartsAt <= clock.Milli(windowMax.Milliseconds()), "ends_at", "range", "活动最长 366 天", "a campaign lasts at most 366 days")
	if in.Zone != "" {
		_, err := time.LoadLocation(in.Zone)
		c.That(err == nil, "zone", "unknown_value", "请用 IANA 时区，如 Asia/Shanghai", "use an IANA zone like Asia/Shanghai")
	}
	if in.PayWithinS != 0 {
		c.Range(int64(in.PayWithinS), "pay_within_s", 60, int64(day.Seconds()))
	}
	c.That(webURL(in.LoginURL), "login_url", "format", "应为 https:// 开头的网址", "must be an http(s) address")
	c.That(webURL(in.PayURL), "pay_url", "format", "应为 https:// 开头的网址", "must be an http(s) address")
	c.Range(int64(in.AcceptsPoints), "accepts_points_bp", 0, int64(money.Whole))
	c.Range(int64(in.Budget), "budget_fen", 0, budgetMax)
	in.Face.check(c)
	in.Audience.check(c, in.StartsAt, in.ProgramID)
}

func (in ItemIn) check(c *fault.Check, at string) {
	c.Required(in.SKU, at+"sku")
	c.Range(int64(in.Price), at+"price_fen", 1, priceMax)
	c.Range(in.Stock, at+"stock", 1, stockMax)
	limits(c, at, in.PerMember, in.PerOrder)
	sessionStock(c, at, in.SessionStock, in.Stock)
	c.That(len(in.TeamPrices) <= teamPricesMax, at+"team_prices", "range", fmt.Sprintf("最多 %d 档", teamPricesMax), fmt.Sprintf("at most %d sizes", teamPricesMax))
}

func sessionStock(c *fault.Check, at string, each, stock int64) {
	c.That(each >= 0 && each <= stock, at+"session_stock", "range", "应在 0 到库存之间，0 为不限", "must be from 0, no limit, to the stock")
}

// limits checks an item's two limits; an order of 0 is the default of 1.
func limits(c *fault.Check, at string, perMember, perOrder int) {
	c.Range(int64(perMember), at+"per_member", 0, 1000)
	c.Range(int64(perOrder), at+"per_order", 0, 100)
	c.That(perMember == 0 || perOrder <= perMember, at+"per_order", "range", "不能大于每人限购", "must not exceed per_member")
}

// sellable checks that the product may be sold at the price: a campaign is no
// dearer than the shop, and no cheaper than the floor unless two people agreed.
func sellable(c *fault.Check, at string, p Product, price money.Amount, approved bool) {
	c.That(p.OnSale, at+"sku", "off_sale", "商品已下架，请先上架", "the product is off sale; put it on sale first")
	c.That(price <= p.ListPrice, at+"price_fen", "range", "活动价不能高于标价 "+p.ListPrice.String(), "must not exceed the list price "+p.ListPrice.String())
	aboveFloor(c, at+"price_fen", p, price, approved)
}

// aboveFloor checks a price against the product's floor.
func aboveFloor(c *fault.Check, field string, p Product, price money.Amount, approved bool) {
	c.That(price >= p.FloorPrice || approved, field, "below_floor", "低于底价 "+p.FloorPrice.String()+"；请提价，或先存草稿，再用 price-approvals 提交审批，由另一位同事批准", "is below the floor price "+p.FloorPrice.String()+"; raise it, or save the draft and ask with price-approvals for another person's approval")
}

func webURL(s string) bool {
	if s == "" {
		return true
	}
	if len(s) > 500 {
		return false
	}
	return len(s) > 8 && s[:8] == "https://" || len(s) > 7 && s[:7] == "http://"
}

// CreateCampaign makes a draft.
func (s *Service) CreateCampaign(ctx context.Context, in CampaignIn) (id.Campaign, error) {
	if err := in.Validate(); err != nil { // before a transaction is begun for it
		return 0, err
	}
	var cid id.Campaign
	err := s.DB.Tx(ctx, func(tx *database.Tx) (err error) {
		cid, err = s.CreateTx(tx, in)
		return err
	})
	return cid, err
}

// CreateTx makes a draft with what else its caller writes.
func (s *Service) CreateTx(tx *database.Tx, in CampaignIn) (id.Campaign, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	kind, ok := s.kinds[in.Kind]
	if !ok {
		return 0, ErrKind.With("kind", in.Kind).Field("kind", "unknown_value", "请选择支持的活动类型", "choose a kind this house runs")
	}
	rules, err := kind.Rules(in.Rules)
	if err != nil {
		return 0, err
	}
	if kind.Claimable && len(in.Items) == 0 {
		return 0, fault.Invalid.Field("items", "required", "至少一个商品", "at least one item")
	}
	row, err := newCampaign(tx, in, rules)
	if err != nil {
		return 0, err
	}
	if err := tx.Create(&row).Error; err != nil {
		return 0, err
	}
	if err := writeFace(tx, row); err != nil {
		return 0, err
	}
	sizes, err := kind.sizes(row)
	if err != nil {
		return 0, err
	}
	items, err := newItems(tx, row, sizes, in.Items, func(i int) string { return fmt.Sprintf("items[%d].", i) })
	if err != nil {
		return 0, err
	}
	var check fault.Check
	if err := s.checkSessionStock(&check, row, items); err != nil {
		return 0, err
	}
	if err := check.Err(); err != nil {
		return 0, err
	}
	if len(items) > 0 {
		if err := createItems(tx, items); err != nil {
			return 0, err
		}
	}
	row.Items = items
	if err := fundTx(tx, row.ID, row.Budget); err != nil {
		return 0, err
	}
	tx.SetResult("campaign", int64(row.ID), 201)
	return row.ID, database.AuditTx(tx, "campaign.create", row.ID, nil, row)
}

func newCampaign(tx *database.Tx, in CampaignIn, rules json.RawMessage) (Campaign, error) {
	if in.UnitID == 0 {
		in.UnitID = tx.Actor.Unit
	}
	if !tx.Actor.Sees(in.UnitID) {
		return Campaign{}, fault.NotFound.Field("unit_id", "not_found", "没有这个组织", "there is no such unit")
	}
	if in.ProgramID != 0 {
		if err := programVisible(tx, in.ProgramID); err != nil {
			return Campaign{}, err
		}
	}
	if err := referral.CampaignPayerTx(tx, in.UnitID, in.ProgramID, in.PayerID); err != nil {
		return Campaign{}, err
	}
	if err := audienceVisible(tx, in.Audience); err != nil {
		return Campaign{}, err
	}
	audience, err := json.Marshal(in.Audience)
	if err != nil {
		return Campaign{}, err
	}
	if in.Zone == "" {
		in.Zone = clock.Shanghai
	}
	if in.PayWithinS == 0 {
		in.PayWithinS = 900
	}
	row := Campaign{
		ID: id.Campaign(tx.Next()), UnitID: in.UnitID, Kind: in.Kind, Name: in.Name, Status: StatusDraft,
		StartsAt: in.StartsAt, EndsAt: in.EndsAt, Zone: in.Zone, ProgramID: in.ProgramID, PayerID: in.PayerID,
		Rules: rules, RulesText: string(rules), Audience: in.Audience, AudienceRaw: string(audience),
		PayWithinS: in.PayWithinS, LoginURL: in.LoginURL, PayURL: in.PayURL, Version: 1, CreatedAt: tx.Now, Face: in.Face,
		AcceptsCoupons: in.AcceptsCoupons, AcceptsPoints: in.AcceptsPoints, Budget: in.Budget,
	}
	row.RulesDigest = digest(row)
	return row, nil
}

// programVisible refuses a program outside the caller's units, and one that
// has ended.
func programVisible(tx *database.Tx, program id.Program) error {
	cond, args := tx.Actor.Within("unit_id")
	var n int
	err := tx.Raw("SELECT COUNT(*) FROM programs WHERE id = ? AND status <> ?"+cond, append([]any{program, referral.ProgramEnded}, args...)...).Scan(&n).Error
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.NotFound.Field("program_id", "not_found", "没有这个奖励方案", "there is no such program")
	}
	return nil
}

// digest fixes what was promised when the campaign is published.
func digest(c Campaign) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d\n%d\n%s\n%d%s", c.Kind, c.RulesText, c.StartsAt, c.ProgramID, c.AudienceRaw, c.PayWithinS, c.Texts.rules()))
	return hex.EncodeToString(sum[:])
}

// createItems inserts the items with their prices by team size.
func createItems(tx *database.Tx, items []Item) error {
	if err := tx.Create(&items).Error; err != nil {
		return err
	}
	for _, item := range items {
		if len(item.TeamPrices) == 0 {
			continue
		}
		if err := writeTeamPrices(tx, item.ID, item.TeamPrices); err != nil {
			return err
		}
	}
	return nil
}

// newItems turns the inputs into rows, with their products read in one query.
// field begins the names of each one's fields.
func newItems(tx *database.Tx, c Campaign, sizes []int, in []ItemIn, field func(int) string) ([]Item, error) {
	skus := make([]string, len(in))
	for i, x := range in {
		skus[i] = x.SKU
	}
	var products []Product
	if err := tx.Raw("SELECT * FROM products WHERE sku IN ?", append(skus, "")).Scan(&products).Error; err != nil {
		return nil, err
	}
	bySKU := map[string]Product{}
	for _, p := range products {
		if tx.Actor.Sees(p.UnitID) {
			bySKU[p.SKU] = p
		}
	}
	var check fault.Check
	items := make([]Item, len(in))
	for i, x := range in {
		at := field(i)
		p, ok := bySKU[x.SKU]
		check.That(ok, at+"sku", "not_found", "没有这个商品，请先导入", "there is no such product; put it first")
		if !ok {
			continue
		}
		sellable(&check, at, p, x.Price, false)
		if x.PerOrder == 0 {
			x.PerOrder = 1
		}
		items[i] = Item{
			ID: id.Item(tx.Next()), CampaignID: c.ID, ProductID: p.ID, Name: p.Name, Price: x.Price,
			Stock: x.Stock, Left: x.Stock, PerMember: x.PerMember, PerOrder: x.PerOrder, SessionStock: x.SessionStock, SortNo: i, Version: 1,
			TeamPrices: x.TeamPrices,
		}
		priced(&check, at, sizes, items[i], p, nil)
	}
	return items, check.Err()
}
