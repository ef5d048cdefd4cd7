package access

import (
	"context"
	"fmt"
	"strings"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// UnitKind is a unit's level: the brand has regions, a region has stores.
type UnitKind string

// The kinds of unit.
const (
	UnitBrand  UnitKind = "brand"
	UnitRegion UnitKind = "region"
	UnitStore  UnitKind = "store"
)

// Unit is the brand, one of its regions or one of its stores. Path is the ids
// from the root down to the unit, each followed by a slash, so that a subtree
// is a prefix.
type Unit struct {
	ID        id.Unit     `json:"id"`
	ParentID  id.Unit     `json:"parent_id"`
	Kind      UnitKind    `json:"kind"`
	Name      string      `json:"name"`
	Path      string      `json:"-"`
	Version   int         `json:"version"`
	CreatedAt clock.Milli `json:"created_at"`
}

// TableName is gorm's.
func (Unit) TableName() string { return "units" }

// UnitIn is a new unit below its parent.
type UnitIn struct {
	ParentID id.Unit `json:"parent_id"`
	Name     string  `json:"name"`
}

// Validate checks the input alone.
func (in *UnitIn) Validate() error {
	var c fault.Check
	checkName(&c, in.Name)
	c.That(in.ParentID != 0, "parent_id", "required", "必填", "is required")
	return c.Err()
}

// CreateUnit adds a region below the brand or a store below a region.
func (s *Service) CreateUnit(ctx context.Context, in UnitIn) (id.Unit, error) {
	var made id.Unit
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		parent, err := findUnit(tx.DB, tx.Actor, in.ParentID)
		if err != nil {
			return err
		}
		kind := UnitRegion
		switch parent.Kind {
		case UnitRegion:
			kind = UnitStore
		case UnitStore:
			return ErrUnitDepth
		}
		made, err = createUnitTx(tx, Unit{ParentID: parent.ID, Kind: kind, Name: in.Name, Path: parent.Path})
		if err != nil {
			return err
		}
		tx.SetResult("unit", int64(made), 201)
		tx.AfterCommit(s.cache.clear)
		return nil
	})
	return made, err
}

// createUnitTx inserts the unit below the path it carries.
func createUnitTx(tx *database.Tx, u Unit) (id.Unit, error) {
	u.ID = id.Unit(tx.Next())
	u.Path += u.ID.String() + "/"
	u.Version, u.CreatedAt = 1, tx.Now
	err := tx.Create(&u).Error
	if database.IsDuplicate(err) {
		return 0, ErrNameTaken.With("name", u.Name)
	}
	if err != nil {
		return 0, fmt.Errorf("access: create unit %q: %w", u.Name, err)
	}
	return u.ID, database.AuditTx(tx, "unit.create", u.ID, nil, u)
}

// RenameUnit gives the unit another name if it still has the version.
func (s *Service) RenameUnit(ctx context.Context, unit id.Unit, version int, name string) error {
	var c fault.Check
	checkName(&c, name)
	if err := c.Err(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		before, err := findUnit(tx.DB, tx.Actor, unit)
		if err != nil {
			return err
		}
		err = database.One(tx.Exec("UPDATE units SET name = ?, version = version + 1 WHERE id = ?"+tx.Only("version = ?"), name, unit, version), fault.Stale)
		if database.IsDuplicate(err) {
			return ErrNameTaken.With("name", name)
		}
		if err != nil {
			return err
		}
		return database.AuditTx(tx, "unit.rename", unit, map[string]string{"name": before.Name}, map[string]string{"name": name})
	})
}

// FindUnit is the unit, if the actor sees it.
func (s *Service) FindUnit(ctx context.Context, unit id.Unit) (Unit, error) {
	return findUnit(s.DB.Read(ctx), database.ActorOf(ctx), unit)
}

// findUnit goes by the path rather than by the actor's list of units, which
// was made before a unit that he has just created.
func findUnit(q *database.Query, actor database.Actor, unit id.Unit) (Unit, error) {
	var u Unit
	err := q.Raw("SELECT * FROM units WHERE id = ?", unit).Take(&u).Error
	if err == nil && !actor.Sees(unit) && !strings.Contains(u.Path, actor.Unit.String()+"/") {
		return Unit{}, fault.NotFound
	}
	return u, database.Absent(err)
}

// ListUnits are the units the actor sees, newest first.
func (s *Service) ListUnits(ctx context.Context, page database.Page) (database.Paged[Unit], error) {
	cond, args := database.ActorOf(ctx).Within("id")
	var rows []Unit
	err := s.DB.Read(ctx).Raw("SELECT * FROM units WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	return database.Cut(page, rows, func(u Unit) int64 { return int64(u.ID) }), err
}

// UnitsUnder are the unit, which the actor must see, and all below it; nil, for
// all, at the root.
func (s *Service) UnitsUnder(ctx context.Context, unit id.Unit) ([]id.Unit, error) {
	u, err := s.FindUnit(ctx, unit)
	if err != nil {
		return nil, err
	}
	return subtree(s.DB.Read(ctx), u)
}

// subtree are the units at and below u, or nil, which is all, at the root.
func subtree(q *database.Query, u Unit) ([]id.Unit, error) {
	if u.ParentID == 0 {
		return nil, nil
	}
	var units []id.Unit
	// Ids and slashes only, and '0' follows '/': a range, where LIKE would
	// take the underscore of an id for a wildcard.
	err := q.Raw("SELECT id FROM units WHERE path >= ? AND path < ?", u.Path, strings.TrimSuffix(u.Path, "/")+"0").Scan(&units).Error
	if err == nil && len(units) == 0 {
		err = fmt.Errorf("access: unit %s has no subtree", u.ID)
	}
	return units, err
}
