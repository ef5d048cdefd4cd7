package access

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// StaffStatus says whether a staff member's keys are accepted.
type StaffStatus string

// The statuses of staff.
const (
	StaffActive    StaffStatus = "active"
	StaffSuspended StaffStatus = "suspended"
)

// Staff is a person, or the mall's server, that works for the brand.
type Staff struct {
	ID        id.Staff    `json:"id"`
	UnitID    id.Unit     `json:"unit_id"`
	Name      string      `json:"name"`
	Role      Role        `json:"role"`
	Status    StaffStatus `json:"status"`
	Version   int         `json:"version"`
	CreatedAt clock.Milli `json:"created_at"`
}

// TableName is gorm's.
func (Staff) TableName() string { return "staff" }

// audited is what the audit keeps of a colleague: no name.
func (p Staff) audited() map[string]any {
	return map[string]any{"unit_id": p.UnitID, "role": p.Role, "status": p.Status}
}

// StaffIn is a new colleague.
type StaffIn struct {
	UnitID id.Unit `json:"unit_id"`
	Name   string  `json:"name"`
	Role   Role    `json:"role"`
}

// Validate checks the input alone.
func (in *StaffIn) Validate() error {
	var c fault.Check
	checkName(&c, in.Name)
	c.That(in.UnitID != 0, "unit_id", "required", "必填", "is required")
	checkRole(&c, in.Role)
	return c.Err()
}

func checkRole(c *fault.Check, r Role) {
	c.That(r.Known(), "role", "unknown_value", fmt.Sprintf("应为 %v 之一", Roles()), fmt.Sprintf("must be one of %v", Roles()))
}

// AddStaff adds a colleague in a unit the actor sees.
func (s *Service) AddStaff(ctx context.Context, in StaffIn) (id.Staff, error) {
	var made id.Staff
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		if err := unitFor(tx, in.UnitID); err != nil {
			return err
		}
		var err error
		if made, err = addStaffTx(tx, in); err != nil {
			return err
		}
		tx.SetResult("staff", int64(made), 201)
		return nil
	})
	return made, err
}

// unitFor checks a unit named in an input: one the actor does not see does not
// exist, and the answer names the field.
func unitFor(tx *database.Tx, unit id.Unit) error {
	_, err := findUnit(tx.DB, tx.Actor, unit)
	if errors.Is(err, fault.NotFound) {
		return fault.Invalid.Field("unit_id", "unknown_value", "没有这个组织", "there is no such unit")
	}
	return err
}

func addStaffTx(tx *database.Tx, in StaffIn) (id.Staff, error) {
	p := Staff{
		ID: id.Staff(tx.Next()), UnitID: in.UnitID, Name: in.Name, Role: in.Role,
		Status: StaffActive, Version: 1, CreatedAt: tx.Now,
	}
	if err := tx.Create(&p).Error; err != nil {
		return 0, fmt.Errorf("access: add staff: %w", err)
	}
	return p.ID, database.AuditTx(tx, "staff.add", p.ID, nil, p.audited())
}

// StaffPatch changes what is not nil.
type StaffPatch struct {
	UnitID *id.Unit     `json:"unit_id"`
	Name   *string      `json:"name"`
	Role   *Role        `json:"role"`
	Status *StaffStatus `json:"status"`
}

// Validate checks the input alone.
func (in *StaffPatch) Validate() error {
	var c fault.Check
	if in.Name != nil {
		checkName(&c, *in.Name)
	}
	if in.Role != nil {
		checkRole(&c, *in.Role)
	}
	if in.Status != nil {
		c.OneOf(string(*in.Status), "status", string(StaffActive), string(StaffSuspended))
	}
	return c.Err()
}

// UpdateStaff changes a colleague who still has the version. Nobody changes
// his own rights: the last admin could lock the house and lose the key.
func (s *Service) UpdateStaff(ctx context.Context, staff id.Staff, version int, in StaffPatch) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		before, err := findStaff(tx.DB, tx.Actor, staff)
		if err != nil {
			return err
		}
		after := before
		if in.UnitID != nil {
			after.UnitID = *in.UnitID
		}
		if in.Name != nil {
			after.Name = *in.Name
		}
		if in.Role != nil {
			after.Role = *in.Role
		}
		if in.Status != nil {
			after.Status = *in.Status
		}
		rights := after.UnitID != before.UnitID || after.Role != before.Role || after.Status != before.Status
		if rights && tx.Actor.Staff == staff {
			return ErrSelf
		}
		if after.UnitID != before.UnitID {
			if err := unitFor(tx, after.UnitID); err != nil {
				return err
			}
		}
		res := tx.Exec("UPDATE staff SET unit_id = ?, name = ?, role = ?, status = ?, version = version + 1 WHERE id = ?"+tx.Only("version = ?"),
			after.UnitID, after.Name, after.Role, after.Status, staff, version)
		if err := database.One(res, fault.Stale); err != nil {
			return err
		}
		tx.AfterCommit(s.cache.clear)
		return database.AuditTx(tx, "staff.update", staff, before.audited(), after.audited())
	})
}

// FindStaff is the colleague, if the actor sees his unit.
func (s *Service) FindStaff(ctx context.Context, staff id.Staff) (Staff, error) {
	return findStaff(s.DB.Read(ctx), database.ActorOf(ctx), staff)
}

// NamesOf are the names of staff, of whatever unit: who reads that something was
// done reads by whom.
func NamesOf(q *database.Query, staff []id.Staff) (map[id.Staff]string, error) {
	out := make(map[id.Staff]string, len(staff))
	var rows []Staff
	for part := range slices.Chunk(staff, namesAtOnce) {
		if err := q.Raw("SELECT id, name FROM staff WHERE id IN ?", part).Scan(&rows).Error; err != nil {
			return nil, fmt.Errorf("access: names: %w", err)
		}
		for _, p := range rows {
			out[p.ID] = p.Name
		}
	}
	return out, nil
}

// namesAtOnce keeps the list of one statement short.
const namesAtOnce = 100

func findStaff(q *database.Query, actor database.Actor, staff id.Staff) (Staff, error) {
	cond, args := actor.Within("unit_id")
	var p Staff
	err := q.Raw("SELECT * FROM staff WHERE id = ?"+cond, append([]any{staff}, args...)...).Take(&p).Error
	return p, database.Absent(err)
}

// ListStaff are the colleagues of the units the actor sees, newest first.
func (s *Service) ListStaff(ctx context.Context, page database.Page) (database.Paged[Staff], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	var rows []Staff
	err := s.DB.Read(ctx).Raw("SELECT * FROM staff WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	return database.Cut(page, rows, func(p Staff) int64 { return int64(p.ID) }), err
}
