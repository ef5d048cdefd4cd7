// Package exposure counts how many ads a member sees across all the groups he
// is in, and says which groups an ad had better leave out. A group's own
// policy cannot: who sits in five groups of a brand sees an ad five times, and
// each of them keeps its caps.
//
// Every hour all memberships are walked by member, and each is held against
// the slots of his groups that were or will be shown within the window. Of a
// member only the number is kept, in blocks; of a group how many of its
// members saw how many. Judge weighs groups by the newest count and by what
// was reserved in them since.
//
// It is a planning rule and proves nothing: between two counts it lags, what
// it does not know refuses nothing, and the caps of a group never rest on it.
//
// Tables: exposure_policies, exposure_unit_policies, exposure_counts,
// exposure_unit_counts, exposure_members, exposure_groups. Called by promotion,
// api and web; its task runs in worker.
package exposure

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/task"
)

// Service is the room's use cases.
type Service struct {
	DB *database.DB
}

// Register tells the worker what this room does in the background.
func (s *Service) Register(r *task.Registry) {
	task.Every(r, "exposure:count", time.Hour, func(ctx context.Context, _ clock.Milli) error { return s.Count(ctx) })
}

// staleAfter is how old a count may be before nothing is said by it.
const staleAfter = 6 * time.Hour

// Counted is one count: of which ads and memberships, and when.
type Counted struct {
	ID         int64       `json:"-" gorm:"column:id;primaryKey;autoIncrement:false"`
	AsOf       clock.Milli `json:"as_of" gorm:"column:as_of"`
	From       clock.Milli `json:"from_at" gorm:"column:from_at"`
	WindowDays int         `json:"window_days" gorm:"column:window_days"`
	Groups     int         `json:"groups" gorm:"column:group_n"`
	Ads        int         `json:"ads" gorm:"column:ad_n"`
	Stays      int64       `json:"memberships" gorm:"column:stay_n"`
	Members    int64       `json:"members" gorm:"column:member_n"` // who saw or will see any
	People     int64       `json:"people" gorm:"column:people_n"`  // in a group now, each once, hosts left out
	Known      int64       `json:"known" gorm:"column:known_n"`    // of them: all of whose groups Siyu knew during the whole window
	Spread     string      `json:"-" gorm:"column:spread"`         // how many of them saw how many
	Seen       []Seen      `json:"seen" gorm:"-"`                  // the same, where it is shown: those who saw none too; the last number stands for more
	Units      int         `json:"-" gorm:"column:unit_n"`         // that have a count of their own; −1: made before units were counted
	DoneAt     clock.Milli `json:"-" gorm:"column:done_at"`
}

// TableName is the table's.
func (Counted) TableName() string { return "exposure_counts" }

const countedColumns = "id, as_of, from_at, window_days, group_n, ad_n, stay_n, member_n, people_n, known_n, spread, unit_n, done_at"

// newest is the last count that was brought to its end; one with ID 0 if there
// is none.
func newest(q *database.Query) (Counted, error) {
	var c Counted
	err := q.Raw("SELECT " + countedColumns + " FROM exposure_counts WHERE done_at <> 0 ORDER BY id DESC LIMIT 1").Scan(&c).Error
	if err != nil {
		return c, fmt.Errorf("exposure: newest count: %w", err)
	}
	return c, nil
}

// stands says whether something can be said by the count.
func (c Counted) stands(now clock.Milli) bool { return c.ID != 0 && now < c.AsOf.Add(staleAfter) }

func (s *Service) now() clock.Milli { return clock.MilliOf(s.DB.Clock.Now()) }
