package campaign

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Template is a campaign without its days: one that somebody saved, with an
// id, or one the house brings along, with a code.
type Template struct {
	ID        id.Template `json:"id"`
	Code      string      `json:"code"` // of one the house brings along
	UnitID    id.Unit     `json:"unit_id"`
	Kind      string      `json:"kind"`
	Name      string      `json:"name"`
	NameEN    string      `json:"name_en"`
	Plan      Plan        `json:"plan" gorm:"-"`
	Body      string      `json:"-"`
	CreatedAt clock.Milli `json:"created_at" gorm:"autoCreateTime:false"`
}

// TableName is campaign_templates.
func (Template) TableName() string { return "campaign_templates" }

// Plan is what a template makes a campaign of; its times are relative to a
// local start day.
type Plan struct {
	StartMinute int             `json:"start_minute"` // of the start day
	Days        int             `json:"days"`         // from the start day to the day it ends
	EndMinute   int             `json:"end_minute"`   // of that day
	Zone        string          `json:"zone"`
	Rules       json.RawMessage `json:"rules"`
	ProgramID   id.Program      `json:"program_id"`
	PayerID     id.Payer        `json:"payer_id"`
	Audience    Audience        `json:"audience"`
	PayWithinS  int             `json:"pay_within_s"`
	LoginURL    string          `json:"login_url"`
	PayURL      string          `json:"pay_url"`
	Items       []ItemIn        `json:"items"`
	Face
}

// TemplateIn saves a campaign as a template.
type TemplateIn struct {
	CampaignID id.Campaign `json:"campaign_id"`
	Name       string      `json:"name"` // default the campaign's
}

// Validate checks what needs no database.
func (in TemplateIn) Validate() error {
	var c fault.Check
	c.That(in.CampaignID != 0, "campaign_id", "required", "请指定要保存的活动", "name the campaign to save")
	c.Length(in.Name, "name", 100)
	return c.Err()
}

// SaveTemplate keeps a campaign's kind, rules, items, texts and relative times.
func (s *Service) SaveTemplate(ctx context.Context, in TemplateIn) (id.Template, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	c, err := s.FindCampaign(ctx, in.CampaignID)
	if err != nil {
		return 0, err
	}
	var made id.Template
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		plan, err := planOf(tx.DB, c)
		if err != nil {
			return err
		}
		body, err := json.Marshal(plan)
		if err != nil {
			return err
		}
		if in.Name == "" {
			in.Name = c.Name
		}
		made = id.Template(tx.Next())
		err = tx.Exec("INSERT INTO campaign_templates (id, unit_id, kind, name, body, created_at) VALUES (?, ?, ?, ?, ?, ?)",
			made, c.UnitID, c.Kind, in.Name, string(body), tx.Now).Error
		if err != nil {
			return err
		}
		tx.SetResult("template", int64(made), 201)
		return database.AuditTx(tx, "template.save", made, map[string]any{"from": c.ID}, map[string]any{"kind": c.Kind, "name": in.Name})
	})
	return made, err
}

// planOf is the campaign without its days.
func planOf(q *database.Query, c Campaign) (Plan, error) {
	loc, err := time.LoadLocation(c.Zone)
	if err != nil {
		return Plan{}, err
	}
	start, end := c.StartsAt.Time().In(loc), c.EndsAt.Time().In(loc)
	plan := Plan{
		StartMinute: start.Hour()*60 + start.Minute(), Days: daysBetween(start, end), EndMinute: end.Hour()*60 + end.Minute(),
		Zone: c.Zone, Rules: c.Rules, ProgramID: c.ProgramID, PayerID: c.PayerID, Audience: c.Audience, PayWithinS: c.PayWithinS,
		LoginURL: c.LoginURL, PayURL: c.PayURL, Items: make([]ItemIn, len(c.Items)), Face: c.Face,
	}
	products, err := productsOf(q, c)
	if err != nil {
		return plan, err
	}
	for i, x := range c.Items {
		plan.Items[i] = ItemIn{SKU: products[x.ProductID].SKU, Price: x.Price, Stock: x.Stock, PerMember: x.PerMember, PerOrder: x.PerOrder}
	}
	return plan, nil
}

// FindTemplate is a template by its id or, of those the house brings along, by
// its code.
func (s *Service) FindTemplate(ctx context.Context, name string) (Template, error) {
	if !strings.HasPrefix(name, "tpl_") {
		return preset(name)
	}
	var t Template
	if t.ID.UnmarshalText([]byte(name)) != nil {
		return t, fault.NotFound
	}
	err := s.DB.Read(ctx).Raw("SELECT * FROM campaign_templates WHERE id = ?", t.ID).Scan(&t).Error
	if err != nil {
		return t, err
	}
	if t.Body == "" || !database.ActorOf(ctx).Sees(t.UnitID) {
		return Template{}, fault.NotFound
	}
	return t, json.Unmarshal([]byte(t.Body), &t.Plan)
}

// ListTemplates are the templates of the caller's units, newest first; those
// the house brings along are Presets.
func (s *Service) ListTemplates(ctx context.Context, page database.Page) (database.Paged[Template], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	var rows []Template
	err := s.DB.Read(ctx).Raw("SELECT * FROM campaign_templates WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Template]{}, err
	}
	for i := range rows {
		if err := json.Unmarshal([]byte(rows[i].Body), &rows[i].Plan); err != nil {
			return database.Paged[Template]{}, err
		}
	}
	return database.Cut(page, rows, func(t Template) int64 { return int64(t.ID) }), nil
}

// DropTemplate takes a saved template away; campaigns made of it stay.
func (s *Service) DropTemplate(ctx context.Context, name string) error {
	t, err := s.FindTemplate(ctx, name)
	if err != nil {
		return err
	}
	if t.ID == 0 {
		return ErrPreset
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if err := database.One(tx.Exec("DELETE FROM campaign_templates WHERE id = ?", t.ID), fault.NotFound); err != nil {
			return err
		}
		return database.AuditTx(tx, "template.drop", t.ID, map[string]any{"kind": t.Kind, "name": t.Name}, nil)
	})
}

// DraftIn makes a campaign of a template.
type DraftIn struct {
	StartDay int      `json:"start_day"` // yyyymmdd in the template's zone
	Name     string   `json:"name"`      // default the template's
	UnitID   id.Unit  `json:"unit_id"`   // default the caller's unit
	Items    []ItemIn `json:"items"`     // default the template's
}

// Validate checks what needs no database; the campaign's own checks follow.
func (in DraftIn) Validate() error {
	var c fault.Check
	c.That(dayOf(in.StartDay, time.UTC) != 0, "start_day", "format", "请写成 20260618 这样的日期", "write a day like 20260618")
	return c.Err()
}

// DraftFrom makes a draft of the template that starts on the day.
func (s *Service) DraftFrom(ctx context.Context, name string, in DraftIn) (id.Campaign, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	t, missing := s.FindTemplate(ctx, name)
	var cid id.Campaign
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		if missing != nil {
			return missing // only here: a repeated call is answered as before, the template gone or not
		}
		next, err := t.campaign(in)
		if err != nil {
			return err
		}
		if next.EndsAt <= tx.Now {
			return fault.Invalid.Field("start_day", "past", "活动会在现在之前结束，请选以后的日期", "the campaign would be over by now; choose a later day")
		}
		cid, err = s.CreateTx(tx, next)
		return err
	})
	return cid, err
}

// campaign is the input the template makes for the start day.
func (t Template) campaign(in DraftIn) (CampaignIn, error) {
	p := t.Plan
	loc, err := time.LoadLocation(p.Zone)
	if err != nil {
		return CampaignIn{}, fmt.Errorf("campaign: template %s: %w", t.Name, err)
	}
	y, m, d := in.StartDay/10000, time.Month(in.StartDay/100%100), in.StartDay%100
	next := CampaignIn{
		UnitID: in.UnitID, Kind: t.Kind, Name: t.Name, Zone: p.Zone,
		StartsAt:  clock.MilliOf(time.Date(y, m, d, 0, p.StartMinute, 0, 0, loc)),
		EndsAt:    clock.MilliOf(time.Date(y, m, d+p.Days, 0, p.EndMinute, 0, 0, loc)),
		ProgramID: p.ProgramID, PayerID: p.PayerID, Rules: p.Rules, Audience: p.Audience, PayWithinS: p.PayWithinS,
		LoginURL: p.LoginURL, PayURL: p.PayURL, Items: p.Items, Face: p.Face,
	}
	if in.Name != "" {
		next.Name = in.Name
	}
	if len(in.Items) > 0 {
		next.Items = in.Items
	}
	return next, nil
}

// dayOf is the beginning of a day written yyyymmdd; zero is no such day.
func dayOf(day int, loc *time.Location) clock.Milli {
	t := time.Date(day/10000, time.Month(day/100%100), day%100, 0, 0, 0, 0, loc)
	if day < 20000101 || day > 21001231 || clock.Day(t, loc) != day {
		return 0
	}
	return clock.MilliOf(t)
}
