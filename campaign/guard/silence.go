package guard

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// Scope is how far a silence reaches.
type Scope string

// The scopes.
const (
	ScopeHouse    Scope = "house"
	ScopeUnit     Scope = "unit"
	ScopeCampaign Scope = "campaign"
	ScopeGroup    Scope = "group"
)

// silenceMost is the longest silence, and how far ahead one may be set.
const silenceMost = 366 * day

// The refusals of silences.
var (
	ErrHouse     = fault.New(fault.KindForbidden, "guard.house_scope", "只有总部同事可以让全店静默", "only colleagues of the brand itself can silence the whole house")
	ErrLifted    = fault.New(fault.KindConflict, "guard.silence_over", "该静默已结束", "the silence is over")
	ErrNoSilence = fault.New(fault.KindUnprocessable, "guard.silence_scope", "按 scope 只填写对应的一个编号", "name the one thing that the scope says, and nothing else")
)

// Silence is a stop of all ads within its scope. It lifts itself at Until, or
// earlier when somebody lifts it, which moves Until.
type Silence struct {
	ID         id.Silence  `json:"id" gorm:"column:id;primaryKey;autoIncrement:false"`
	Scope      Scope       `json:"scope" gorm:"column:scope"`
	UnitID     id.Unit     `json:"unit_id" gorm:"column:unit_id"` // where it belongs
	GroupID    id.Group    `json:"group_id" gorm:"column:group_id"`
	CampaignID id.Campaign `json:"campaign_id" gorm:"column:campaign_id"`
	Reason     string      `json:"reason" gorm:"column:reason"`
	From       clock.Milli `json:"from_at" gorm:"column:from_at"`
	Until      clock.Milli `json:"until_at" gorm:"column:until_at"`
	CreatedBy  id.Staff    `json:"created_by" gorm:"column:created_by"`
	CreatedAt  clock.Milli `json:"created_at" gorm:"column:created_at;autoCreateTime:false"`
	LiftedBy   id.Staff    `json:"lifted_by" gorm:"column:lifted_by"`
	LiftedAt   clock.Milli `json:"lifted_at" gorm:"column:lifted_at"`
}

// TableName is the table's.
func (Silence) TableName() string { return "guard_silences" }

const silenceColumns = "id, scope, unit_id, group_id, campaign_id, reason, from_at, until_at, created_by, created_at, lifted_by, lifted_at"

// SilenceIn stops all ads within a scope. Units are the unit and all below it,
// for those of a unit; UnitID is where a campaign's belongs.
type SilenceIn struct {
	Scope      Scope       `json:"scope"`
	UnitID     id.Unit     `json:"unit_id"`
	GroupID    id.Group    `json:"group_id"`
	CampaignID id.Campaign `json:"campaign_id"`
	Reason     string      `json:"reason"`
	From       clock.Milli `json:"from_at"` // left out: now
	Until      clock.Milli `json:"until_at"`
	Units      []id.Unit   `json:"-"`
}

// Validate checks the form.
func (in SilenceIn) Validate() error {
	var c fault.Check
	c.OneOf(string(in.Scope), "scope", string(ScopeHouse), string(ScopeUnit), string(ScopeCampaign), string(ScopeGroup))
	c.Required(in.Reason, "reason")
	c.Length(in.Reason, "reason", 200)
	c.That(in.Until != 0, "until_at", "required", "必填", "is required")
	c.That(in.Until == 0 || in.Until > in.From && in.From >= 0, "until_at", "range", "须晚于开始", "must lie after the beginning")
	if err := c.Err(); err != nil {
		return err
	}
	named := SilenceIn{UnitID: in.UnitID, GroupID: in.GroupID, CampaignID: in.CampaignID}
	fits := map[Scope]bool{
		ScopeHouse: in.UnitID == 0 && in.GroupID == 0 && in.CampaignID == 0,
		ScopeUnit:  in.UnitID != 0 && in.GroupID == 0 && in.CampaignID == 0,
		// Whoever asks for a campaign's or a group's has found its unit out.
		ScopeCampaign: named.CampaignID != 0 && named.GroupID == 0,
		ScopeGroup:    named.GroupID != 0 && named.CampaignID == 0 && in.UnitID == 0,
	}
	if !fits[in.Scope] {
		return ErrNoSilence
	}
	return nil
}

// SilenceTx begins a silence.
func (s *Service) SilenceTx(tx *database.Tx, in SilenceIn) (Silence, error) {
	if err := in.Validate(); err != nil {
		return Silence{}, err
	}
	if in.Scope == ScopeHouse && tx.Actor.Kind == database.ActorStaff && tx.Actor.Units != nil {
		return Silence{}, ErrHouse
	}
	row := Silence{
		ID: id.Silence(tx.Next()), Scope: in.Scope, UnitID: in.UnitID, GroupID: in.GroupID, CampaignID: in.CampaignID, Reason: in.Reason,
		From: max(in.From, tx.Now), Until: in.Until, CreatedBy: tx.Actor.Staff, CreatedAt: tx.Now,
	}
	if row.Until <= tx.Now || row.Until > tx.Now.Add(silenceMost) {
		return row, fault.Invalid.Field("until_at", "range", "须在今后 366 天内", "must lie within the next 366 days")
	}
	if in.Scope == ScopeGroup {
		groups, err := community.GroupsIn(tx.DB, []id.Group{in.GroupID})
		if err != nil {
			return row, err
		}
		g := groups[in.GroupID]
		if g.ID == 0 || !g.SeenBy(tx.Actor) {
			return row, fault.NotFound
		}
		row.UnitID = g.UnitID
	}
	if err := tx.Create(&row).Error; err != nil {
		return row, fmt.Errorf("guard: silence: %w", err)
	}
	for _, u := range in.Units {
		if err := tx.Exec("INSERT INTO guard_silence_units (silence_id, unit_id) VALUES (?, ?)", row.ID, u).Error; err != nil {
			return row, fmt.Errorf("guard: silence: %w", err)
		}
	}
	if err := task.EnqueueTx(tx, tellSilence{Silence: row.ID}, row.From); err != nil {
		return row, err
	}
	if err := task.EnqueueTx(tx, tellSilence{Silence: row.ID, Over: true}, row.Until); err != nil {
		return row, err
	}
	tx.SetResult("silence", int64(row.ID), 201)
	return row, database.AuditTx(tx, "guard.silence", row.ID, nil, row)
}

// LiftTx ends a silence before its time.
func (s *Service) LiftTx(tx *database.Tx, silence id.Silence) (Silence, error) {
	before, err := findSilence(tx.DB, tx.Actor, silence)
	switch {
	case err != nil:
		return before, err
	case before.Scope == ScopeHouse && tx.Actor.Kind == database.ActorStaff && tx.Actor.Units != nil:
		return before, ErrHouse
	}
	after := before
	after.Until, after.LiftedAt, after.LiftedBy = tx.Now, tx.Now, tx.Actor.Staff
	err = database.One(tx.Exec("UPDATE guard_silences SET until_at = ?, lifted_at = ?, lifted_by = ? WHERE id = ?"+tx.Only("until_at > ? AND lifted_at = 0"),
		tx.Now, tx.Now, tx.Actor.Staff, silence, tx.Now), ErrLifted)
	if err != nil {
		return before, err
	}
	if before.From < tx.Now {
		if err := webhook.PublishTx(tx, EventSilenceEnded, after.told()); err != nil {
			return before, err
		}
	}
	tx.SetResult("silence", int64(silence), 200)
	return after, database.AuditTx(tx, "guard.lift", silence, before, after)
}

// FindSilence reads a silence the actor may see; the house's concern everybody.
func (s *Service) FindSilence(ctx context.Context, silence id.Silence) (Silence, error) {
	return findSilence(s.DB.Read(ctx), database.ActorOf(ctx), silence)
}

func findSilence(q *database.Query, actor database.Actor, silence id.Silence) (Silence, error) {
	var row Silence
	cond, args := silencesOf(actor)
	if err := q.Raw("SELECT "+silenceColumns+" FROM guard_silences WHERE id = ?"+cond, append([]any{silence}, args...)...).Scan(&row).Error; err != nil {
		return row, fmt.Errorf("guard: silence %s: %w", silence, err)
	}
	if row.ID == 0 {
		return row, fault.NotFound
	}
	return row, nil
}

// silencesOf keeps silences to the actor's units and, of a group owner, those of
// groups to his own.
func silencesOf(actor database.Actor) (cond string, args []any) {
	within, units := actor.Within("unit_id")
	own, groups := community.OwnGroups(actor, "group_id")
	return " AND (scope = 'house' OR 1 = 1" + within + ") AND (scope <> 'group' OR 1 = 1" + own + ")", append(units, groups...)
}

// ListSilences lists silences that are not over, or all, newest first.
func (s *Service) ListSilences(ctx context.Context, all bool, page database.Page) (database.Paged[Silence], error) {
	cond, args := silencesOf(database.ActorOf(ctx))
	if !all {
		cond, args = cond+" AND until_at > ?", append(args, s.now())
	}
	args = append(append([]any{page.Bound()}, args...), page.Fetch())
	var rows []Silence
	err := s.DB.Read(ctx).Raw("SELECT "+silenceColumns+" FROM guard_silences WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?", args...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Silence]{}, fmt.Errorf("guard: silences: %w", err)
	}
	return database.Cut(page, rows, func(r Silence) int64 { return int64(r.ID) }), nil
}

// hush is a silence as a decision reads it; unit 0 is all.
type hush struct {
	scope    Scope
	unit     id.Unit
	group    id.Group
	campaign id.Campaign
	during   Window
}

// of says whether it silences an ad of the campaign in a group of the unit.
func (h hush) of(unit id.Unit, group id.Group, campaign id.Campaign) bool {
	switch h.scope {
	case ScopeUnit:
		return h.unit == unit
	case ScopeGroup:
		return h.group == group
	case ScopeCampaign:
		return h.campaign == campaign
	}
	return true
}

// silencedUnits are the units of each silence of one: those that were below it
// when it was called, which is what the proof holds it to (V8), and those that
// are below it now, so that a shop opened in a silent region is silent.
const silencedUnits = `(SELECT s.id AS silence_id, u.unit_id FROM guard_silences s JOIN guard_silence_units u ON u.silence_id = s.id
	WHERE s.scope = 'unit' AND s.until_at > ?
	UNION SELECT s.id, u.id FROM guard_silences s JOIN units a ON a.id = s.unit_id JOIN units u ON SUBSTR(u.path, 1, LENGTH(a.path)) = a.path
	WHERE s.scope = 'unit' AND s.until_at > ?)`

// silencesRead reads the silences that touch the window. There are few.
func (ask question) silencesRead(into *loaded) database.Read {
	w := ask.window
	if w == (Window{}) {
		w = Window{ask.now, ask.now + 1}
	}
	return database.Read{
		SQL: `SELECT s.scope, COALESCE(u.unit_id, 0), s.group_id, s.campaign_id, s.from_at, s.until_at FROM guard_silences s
			LEFT JOIN ` + silencedUnits + ` u ON u.silence_id = s.id
			WHERE s.until_at > ? AND s.from_at < ? AND (s.group_id = 0 OR ` + ask.keys().Of("s.group_id") + ")",
		Args: []any{w.From, w.From, w.From, w.To},
		Row: func(rows database.Row) error {
			var h hush
			err := rows.Scan(&h.scope, &h.unit, &h.group, &h.campaign, &h.during.From, &h.during.To)
			into.silences = append(into.silences, h)
			return err
		},
	}
}

// Reach says of slots whether the silence reaches them: they may be shown in it
// and have not been.
func (s *Service) Reach(q *database.Query, of Silence) (func(Slot) bool, error) {
	units := map[id.Unit]bool{}
	var list []id.Unit
	if err := q.Raw("SELECT u.unit_id FROM "+silencedUnits+" u WHERE u.silence_id = ?", of.Until-1, of.Until-1, of.ID).Scan(&list).Error; err != nil {
		return nil, fmt.Errorf("guard: silence %s: %w", of.ID, err)
	}
	for _, u := range list {
		units[u] = true
	}
	return func(x Slot) bool {
		h := hush{of.Scope, x.UnitID, of.GroupID, of.CampaignID, Window{}}
		return x.ReleasedAt == 0 && x.ConfirmedAt == 0 && x.FromAt < of.Until && x.ToAt > of.From &&
			(of.Scope != ScopeUnit || units[x.UnitID]) && h.of(x.UnitID, x.GroupID, x.CampaignID)
	}, nil
}

// hushed is how long after a silence was called for a delivery that had begun
// may still be noted.
const hushed = 5 * time.Second
