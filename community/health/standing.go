package health

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Standing is the newest judgement of a group, for those who ask about many.
// Figures are Unknown where inputs are missing, and say nothing then.
type Standing struct {
	GroupID  id.Group    `json:"group_id" gorm:"column:group_id"`
	Day      int         `json:"day" gorm:"column:day"` // the last day that was over
	State    State       `json:"state" gorm:"column:state"`
	Since    int         `json:"since" gorm:"column:since"`       // the first day of the unbroken run of the state
	Coverage int         `json:"coverage" gorm:"column:coverage"` // basis points of the last 14 days
	DAR      Figure      `json:"dar" gorm:"column:dar"`           // basis points, mean of 7 days
	Fatigue  Figure      `json:"fatigue" gorm:"column:fatigue"`   // basis points
	Content  Figure      `json:"content" gorm:"column:content"`   // of the last 7 days
	Ads      int         `json:"ads" gorm:"column:ads"`           // of the last 7 days
	Held     int         `json:"held" gorm:"column:held"`         // the last day an interaction drew enough people; 0: none is known of 14 days
	Redo     int         `json:"-" gorm:"column:redo"`            // the first day whose judgement no longer stands; 0: all stand
	JudgedAt clock.Milli `json:"judged_at" gorm:"column:judged_at"`
	NextAt   clock.Milli `json:"-" gorm:"column:next_at"`
}

// TableName is the table's.
func (Standing) TableName() string { return "group_standings" }

const standingColumns = "group_id, day, state, since, coverage, dar, fatigue, content, ads, held, redo, judged_at, next_at"

func lastStanding(q *database.Query, group id.Group) (Standing, error) {
	var s Standing
	err := q.Raw("SELECT "+standingColumns+" FROM group_standings WHERE group_id = ?", group).Scan(&s).Error
	if err != nil {
		return s, fmt.Errorf("health: standing of %s: %w", group, err)
	}
	return s, nil
}
