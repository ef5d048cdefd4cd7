package exposure

import (
	"context"
	"fmt"

	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// ErrHouse refuses a unit's colleague: a member's groups may lie in any unit.
var ErrHouse = fault.New(fault.KindForbidden, "exposure.house_policy", "只有总部同事可以改群友曝光的上限", "only colleagues of the brand itself can change how many ads a member may see")

// Policy is what members' exposure is held to: a group of which more than
// ShareBP of the members already saw or will see Ceiling ads within the window
// is left out. One policy is the whole brand's, because its members are.
type Policy struct {
	Version    int         `gorm:"column:version;primaryKey;autoIncrement:false"`
	Mode       guard.Mode  `gorm:"column:mode"`
	Ceiling    int         `gorm:"column:ceiling"`
	WindowDays int         `gorm:"column:window_days"`
	ShareBP    int         `gorm:"column:share_bp"`
	SetBy      id.Staff    `gorm:"column:set_by"`
	SetAt      clock.Milli `gorm:"column:set_at"`
}

// TableName is the table's.
func (Policy) TableName() string { return "exposure_policies" }

// shipped is the policy before anybody set one: it says what it would leave
// out and leaves out nothing.
var shipped = Policy{Mode: guard.ModeAdvise, Ceiling: 7, WindowDays: 7, ShareBP: 5_000}

// CeilingMost is the highest ceiling: counts do not tell more apart.
const CeilingMost = 60

// Bounds of the other numbers.
const (
	ceilingLeast = 2
	daysMost     = 28
	shareLeast   = 1_000
	shareMost    = 10_000
)

// Number is one of the policy's numbers, with what it is when nobody sets it,
// the bounds it may be moved in and where it comes from.
type Number struct {
	Name     string `json:"name"`
	Value    int    `json:"value"`
	Default  int    `json:"default"`
	Min      int    `json:"min"`
	Max      int    `json:"max"`
	SourceZH string `json:"source_zh"`
	SourceEN string `json:"source_en"`
}

func (p Policy) numbers() []Number {
	return []Number{
		{"ceiling", p.Ceiling, shipped.Ceiling, ceilingLeast, CeilingMost,
			"我们的选择：平台每周让一个群收到的条数（7 条），这里按一个人所在的所有群算", "ours: what the platform lets one group see in a week (7), asked of all groups of a person together"},
		{"window_days", p.WindowDays, shipped.WindowDays, 1, daysMost, "我们的选择：与群每周上限同长", "ours: as long as the caps per week of a group"},
		{"share_bp", p.ShareBP, shipped.ShareBP, shareLeast, shareMost, "我们的选择：群里过半的人已看够，才值得放过这个群", "ours: a group is passed over once most of it has seen enough"},
	}
}

// Shown is the policy as it is shown, with the newest count; that is null until
// there was one.
type Shown struct {
	Version int         `json:"version"` // 0: nothing was ever set
	Mode    guard.Mode  `json:"mode"`
	Numbers []Number    `json:"numbers"`
	SetBy   id.Staff    `json:"set_by"`
	SetAt   clock.Milli `json:"set_at"`
	Counted *Counted    `json:"counted"`
}

func (p Policy) shown(c Counted) Shown {
	out := Shown{Version: p.Version, Mode: p.Mode, Numbers: p.numbers(), SetBy: p.SetBy, SetAt: p.SetAt}
	if c.ID != 0 {
		out.Counted = &c
	}
	return out
}

// In sets the policy. What is left out is as shipped.
type In struct {
	Mode       guard.Mode `json:"mode"`
	Ceiling    *int       `json:"ceiling"`
	WindowDays *int       `json:"window_days"`
	ShareBP    *int       `json:"share_bp"`
}

// Validate keeps the numbers within their bounds.
func (in In) Validate() error {
	var c fault.Check
	c.OneOf(string(in.Mode), "mode", string(guard.ModeOff), string(guard.ModeAdvise), string(guard.ModeEnforce))
	for _, n := range in.policy().numbers() {
		c.Range(int64(n.Value), n.Name, int64(n.Min), int64(n.Max))
	}
	return c.Err()
}

func (in In) policy() Policy {
	p := shipped
	p.Mode = in.Mode
	for from, into := range map[*int]*int{in.Ceiling: &p.Ceiling, in.WindowDays: &p.WindowDays, in.ShareBP: &p.ShareBP} {
		if from != nil {
			*into = *from
		}
	}
	return p
}

// Find shows the policy in force and the newest count.
func (s *Service) Find(ctx context.Context) (Shown, error) {
	q := s.DB.Read(ctx)
	p, err := inForce(q)
	if err != nil {
		return Shown{}, err
	}
	c, err := newest(q)
	return p.shown(c), err
}

func inForce(q *database.Query) (Policy, error) {
	p := shipped
	err := q.Raw("SELECT version, mode, ceiling, window_days, share_bp, set_by, set_at FROM exposure_policies ORDER BY version DESC LIMIT 1").Scan(&p).Error
	if err != nil {
		return p, fmt.Errorf("exposure: policy: %w", err)
	}
	return p, nil
}

// Set replaces the policy when version is the one last read (0: none yet). It
// holds from the next plan on, a longer or shorter window from the next count.
func (s *Service) Set(ctx context.Context, in In, version int) (Shown, error) {
	if err := in.Validate(); err != nil {
		return Shown{}, err
	}
	var after Shown
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		if tx.Actor.Kind == database.ActorStaff && tx.Actor.Units != nil {
			return ErrHouse
		}
		before, err := inForce(tx.DB)
		if err != nil {
			return err
		}
		if before.Version != version {
			return fault.Stale
		}
		c, err := newest(tx.DB)
		if err != nil {
			return err
		}
		p := in.policy()
		p.Version, p.SetBy, p.SetAt = version+1, tx.Actor.Staff, tx.Now
		if err := tx.Create(&p).Error; err != nil {
			if database.IsDuplicate(err) { // somebody else set it meanwhile
				return fault.Stale
			}
			return fmt.Errorf("exposure: policy: %w", err)
		}
		after = p.shown(c)
		return database.AuditTx(tx, "exposure.policy", house{}, before.shown(Counted{}), p.shown(Counted{}))
	})
	return after, err
}

// house is what the policy is of, for the audit.
type house struct{}

// String is its name.
func (house) String() string { return "house" }
