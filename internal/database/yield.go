package database

import (
	"context"
	"sync"
	"time"

	"gorm.io/gorm"
)

// A handle that gives way looks this often whether others are at work, and
// takes more commits a second than a house at rest makes for work.
const (
	lookEvery   = 200 * time.Millisecond
	restCommits = 25
)

// yielding makes a handle's snapshots rest. Two processes on two cores that
// both have work get one each; one that only reads and is in no hurry should
// not be one of the two all the time.
type yielding struct {
	count string // asks how much was committed

	mu      sync.Mutex
	looked  time.Time
	commits int64
	busy    bool
}

// GiveWay makes each snapshot of this handle rest three quarters as long as it
// worked, as long as others commit more than a house at rest does. Only servers
// say how much is committed; SQLite's readers hold up no writer.
func (db *DB) GiveWay() {
	if db.Dialect.commits != "" {
		db.yields = &yielding{count: db.Dialect.commits}
	}
}

// rest waits three quarters as long as the work took, if others are busy.
func (y *yielding) rest(ctx context.Context, q *gorm.DB, took time.Duration) {
	if y == nil || !y.look(q) {
		return
	}
	select {
	case <-time.After(took * 3 / 4):
	case <-ctx.Done():
	}
}

// look says whether others are busy. A look that fails says what the last one
// did: to rest or not is no reason to end a proof.
func (y *yielding) look(q *gorm.DB) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	since := time.Since(y.looked)
	if since < lookEvery {
		return y.busy
	}
	var said struct {
		Name  string `gorm:"column:Variable_name"`
		Value int64  `gorm:"column:Value"`
	}
	if err := q.Raw(y.count).Scan(&said).Error; err != nil {
		return y.busy
	}
	y.busy = !y.looked.IsZero() && busy(said.Value-y.commits, since)
	y.looked, y.commits = time.Now(), said.Value
	return y.busy
}

// busy says whether so many commits in so long are work.
func busy(commits int64, since time.Duration) bool {
	return commits*1000 > restCommits*since.Milliseconds()
}
