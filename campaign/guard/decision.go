package guard

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// record is a decision that is kept: every allow, every ad shown late or
// posted by hand over a cap, and the first refusal of a (promotion, group,
// rule), with how often it was repeated.
type record struct {
	ID             id.Decision  `gorm:"column:id;primaryKey;autoIncrement:false"`
	GroupID        id.Group     `gorm:"column:group_id"`
	UnitID         id.Unit      `gorm:"column:unit_id"`
	CampaignID     id.Campaign  `gorm:"column:campaign_id"`
	PromotionID    id.Promotion `gorm:"column:promotion_id"`
	WindowNo       int          `gorm:"column:window_no"`
	SlotID         id.Slot      `gorm:"column:slot_id"`
	Outcome        Outcome      `gorm:"column:outcome"`
	RuleName       Rule         `gorm:"column:rule_name"`
	Kept           id.Decision  `gorm:"column:kept"` // 0 for a refusal, which is kept once; else the id
	Reasons        string       `gorm:"column:reasons"`
	Advice         string       `gorm:"column:advice"`
	AskedFrom      clock.Milli  `gorm:"column:asked_from"`
	AskedTo        clock.Milli  `gorm:"column:asked_to"`
	FromAt         clock.Milli  `gorm:"column:from_at"`
	ToAt           clock.Milli  `gorm:"column:to_at"`
	NotBefore      clock.Milli  `gorm:"column:not_before"`
	Preset         Preset       `gorm:"column:preset"`
	Mode           Mode         `gorm:"column:mode"`
	PolicyVersion  int          `gorm:"column:policy_version"`
	CharterVersion int          `gorm:"column:charter_version"`
	Zone           string       `gorm:"column:zone"`
	Times          int          `gorm:"column:times"`
	DecidedAt      clock.Milli  `gorm:"column:decided_at"`
	LastAt         clock.Milli  `gorm:"column:last_at"`
	PermitID       id.Permit    `gorm:"column:permit_id"`
	PermitKind     PermitKind   `gorm:"column:permit_kind"`
}

// TableName is the table's.
func (record) TableName() string { return "decisions" }

const recordColumns = `id, group_id, unit_id, campaign_id, promotion_id, window_no, slot_id, outcome, rule_name, kept, reasons, advice,
	asked_from, asked_to, from_at, to_at, not_before, preset, mode, policy_version, charter_version, zone, times, decided_at, last_at, permit_id, permit_kind`

func recordOf(tx *database.Tx, k *known, ask Ask, a Answer) record {
	r := record{
		ID: id.Decision(tx.Next()), GroupID: a.GroupID, UnitID: k.group.UnitID, CampaignID: ask.Campaign,
		PromotionID: ask.Promotion, WindowNo: ask.WindowNo, SlotID: a.SlotID, Outcome: a.Outcome, RuleName: a.Rule,
		Reasons: encode(a.Reasons), Advice: encode(a.Advice), AskedFrom: ask.Window.From, AskedTo: ask.Window.To,
		FromAt: a.Window.From, ToAt: a.Window.To, NotBefore: a.NotBefore, Preset: k.policy.Preset, Mode: k.policy.Mode,
		PolicyVersion: k.policy.Version, CharterVersion: k.state.Charter.Version, Zone: k.state.Zone.String(),
		Times: 1, DecidedAt: tx.Now, LastAt: tx.Now, PermitID: a.Permit, PermitKind: a.By,
	}
	if a.Outcome != OutcomeDefer && a.Outcome != OutcomeDeny {
		r.Kept = r.ID
	}
	return r
}

// keepDecisions inserts the records; of a refusal that is known already only
// the counter moves. The groups' rows are locked, so nobody else counts the
// same refusal. It returns those it inserted.
func keepDecisions(tx *database.Tx, records []record, known map[refusal]id.Decision) (fresh []record, err error) {
	fresh = records[:0]
	var again []id.Decision
	for _, r := range records {
		if old, ok := known[refusal{r.GroupID, r.RuleName}]; ok && r.Kept == 0 {
			again = append(again, old)
			continue
		}
		fresh = append(fresh, r)
	}
	if err := writeRecords(tx, fresh); err != nil {
		return nil, fmt.Errorf("guard: keep decisions: %w", err)
	}
	if len(again) == 0 {
		return fresh, nil
	}
	if err := tx.Defer("UPDATE decisions SET times = times + 1, last_at = ? WHERE id IN ?", tx.Now, again); err != nil {
		return nil, fmt.Errorf("guard: count refusals: %w", err)
	}
	return fresh, nil
}

// refusal is what makes a refusal the same as an earlier one of a promotion.
type refusal struct {
	group id.Group
	rule  Rule
}

// refusalsRead reads the refusals that the promotion was already given.
func (ask Ask) refusalsRead(groups database.Keys[id.Group], into map[refusal]id.Decision) database.Read {
	return database.Read{
		SQL:  "SELECT id, group_id, rule_name FROM decisions WHERE promotion_id = ? AND kept = 0 AND " + groups.Of("group_id"),
		Args: []any{ask.Promotion},
		Row: func(rows database.Row) error {
			var of id.Decision
			var r refusal
			err := rows.Scan(&of, &r.group, &r.rule)
			into[r] = of
			return err
		},
	}
}

// Kept is a decision as it is shown, its reasons put into words.
type Kept struct {
	ID             id.Decision  `json:"id"`
	GroupID        id.Group     `json:"group_id"`
	CampaignID     id.Campaign  `json:"campaign_id"`
	PromotionID    id.Promotion `json:"promotion_id"`
	WindowNo       int          `json:"window_no"`
	SlotID         id.Slot      `json:"slot_id"`
	Asked          Window       `json:"asked"`
	Decision                    // as decided
	Preset         Preset       `json:"preset"`
	Mode           Mode         `json:"mode"`
	PolicyVersion  int          `json:"policy_version"`
	CharterVersion int          `json:"charter_version"`
	Zone           string       `json:"zone"`
	Times          int          `json:"times"`
	DecidedAt      clock.Milli  `json:"decided_at"`
	LastAt         clock.Milli  `json:"last_at"`
}

func (r record) shown() Kept {
	return Kept{
		ID: r.ID, GroupID: r.GroupID, CampaignID: r.CampaignID, PromotionID: r.PromotionID, WindowNo: r.WindowNo, SlotID: r.SlotID,
		Asked: Window{r.AskedFrom, r.AskedTo},
		Decision: Decision{Outcome: r.Outcome, Rule: r.RuleName, Window: Window{r.FromAt, r.ToAt}, NotBefore: r.NotBefore,
			Reasons: decode(r.Reasons), Advice: decode(r.Advice), Permit: r.PermitID, By: r.PermitKind},
		Preset: r.Preset, Mode: r.Mode, PolicyVersion: r.PolicyVersion, CharterVersion: r.CharterVersion, Zone: r.Zone,
		Times: r.Times, DecidedAt: r.DecidedAt, LastAt: r.LastAt,
	}
}

// FindDecision reads a decision of a group the actor may see.
func (s *Service) FindDecision(ctx context.Context, decision id.Decision) (Kept, error) {
	var row record
	cond, args := seenBy(database.ActorOf(ctx))
	err := s.DB.Read(ctx).Raw("SELECT "+recordColumns+" FROM decisions WHERE id = ?"+cond, append([]any{decision}, args...)...).Scan(&row).Error
	if err != nil {
		return Kept{}, fmt.Errorf("guard: decision %s: %w", decision, err)
	}
	if row.ID == 0 {
		return Kept{}, fault.NotFound
	}
	return row.shown(), nil
}

// ListDecisions lists decisions, newest first.
func (s *Service) ListDecisions(ctx context.Context, f SlotFilter, page database.Page) (database.Paged[Kept], error) {
	cond, args := f.narrow(seenBy(database.ActorOf(ctx)))
	args = append(append([]any{page.Bound()}, args...), page.Fetch())
	var rows []record
	err := s.DB.Read(ctx).Raw("SELECT "+recordColumns+" FROM decisions WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?", args...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Kept]{}, fmt.Errorf("guard: decisions: %w", err)
	}
	shown := make([]Kept, len(rows))
	for i, r := range rows {
		shown[i] = r.shown()
	}
	return database.Cut(page, shown, func(k Kept) int64 { return int64(k.ID) }), nil
}
