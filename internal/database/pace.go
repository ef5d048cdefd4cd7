package database

import (
	"context"
	"sync"
	"time"
)

// Work that gives way looks this often whether others are at work, and takes
// more commits a second than a house at rest makes for work.
const (
	lookEvery   = 200 * time.Millisecond
	restCommits = 25
)

// Pace makes long work rest while others have work too. Two processes on two
// cores get one each; one that is in no hurry should not be one of the two all
// the time. The zero pace, nil, never rests.
type Pace struct {
	db    *DB
	count string // asks how much was committed

	mu      sync.Mutex
	looked  time.Time
	commits int64
	own     int64 // commits of the work itself since the last look
	busy    bool
}

// Pace is a pace for one piece of work. Only servers say how much is committed,
// so on SQLite it never rests; readers hold up no writer there.
func (db *DB) Pace() *Pace {
	if db.Dialect.commits == "" {
		return nil
	}
	return &Pace{db: db, count: db.Dialect.commits}
}

// GiveWay makes each snapshot of this handle rest three quarters as long as it
// worked, as long as others commit more than a house at rest does.
func (db *DB) GiveWay() { db.yields = db.Pace() }

// Rest waits three quarters as long as the work took, if others are busy; the
// work itself has committed so often in that time.
func (p *Pace) Rest(ctx context.Context, took time.Duration, commits int) {
	if p == nil || !p.look(ctx, commits) {
		return
	}
	select {
	case <-time.After(took * 3 / 4):
	case <-ctx.Done():
	}
}

// look says whether others are busy. A look that fails says what the last one
// did: to rest or not is no reason to end the work.
func (p *Pace) look(ctx context.Context, commits int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.own += int64(commits)
	since := time.Since(p.looked)
	if since < lookEvery {
		return p.busy
	}
	var said struct {
		Name  string `gorm:"column:Variable_name"`
		Value int64  `gorm:"column:Value"`
	}
	if err := p.db.Read(ctx).Raw(p.count).Scan(&said).Error; err != nil {
		return p.busy
	}
	p.busy = !p.looked.IsZero() && busy(said.Value-p.commits-p.own, since)
	p.looked, p.commits, p.own = time.Now(), said.Value, 0
	return p.busy
}

// busy says whether so many commits in so long are work.
func busy(commits int64, since time.Duration) bool {
	return commits*1000 > restCommits*since.Milliseconds()
}
