package database

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm"

	"siyu/internal/id"
)

// leaseFor is how long a node number is held without renewal. It is renewed
// every third of that, and given to somebody else only after twice of it, so
// that a process that stood still finds out before its number is used again.
const leaseFor = 60 * time.Second

// Lease takes a free node number and keeps renewing it until Close.
func (db *DB) Lease(ctx context.Context) error {
	holder := rand.Text()
	node, until, err := db.takeNode(ctx, holder)
	if err != nil {
		return err
	}
	db.IDs = id.NewGenerator(node, until)
	run, stop := context.WithCancel(context.Background())
	db.stop = stop
	db.done.Go(func() { db.renew(run, node, holder) })
	return nil
}

func (db *DB) takeNode(ctx context.Context, holder string) (int, time.Time, error) {
	for range 20 {
		var taken []int
		now := time.Now()
		free := now.Add(-leaseFor).UnixMilli() // ended a whole lease ago
		err := db.write.WithContext(ctx).Raw("SELECT node FROM node_leases WHERE until_at > ? ORDER BY node", free).Scan(&taken).Error
		if err != nil {
			return 0, time.Time{}, fmt.Errorf("database: node lease: %w", err)
		}
		node := firstFree(taken)
		if node < 0 {
			return 0, time.Time{}, fmt.Errorf("database: all %d node numbers are leased", id.Nodes)
		}
		until := now.Add(leaseFor)
		ok, err := claimNode(db.write.WithContext(ctx), node, holder, free, until.UnixMilli())
		if err != nil {
			return 0, time.Time{}, fmt.Errorf("database: node lease: %w", err)
		}
		if ok {
			return node, until, nil
		}
	}
	return 0, time.Time{}, errors.New("database: no node number could be leased; try again")
}

func firstFree(taken []int) int {
	next := 0
	for _, n := range taken {
		if n > next {
			break
		}
		next = n + 1
	}
	if next >= id.Nodes {
		return -1
	}
	return next
}

func claimNode(q *gorm.DB, node int, holder string, free, until int64) (bool, error) {
	res := q.Exec("UPDATE node_leases SET holder = ?, until_at = ? WHERE node = ? AND until_at <= ?", holder, until, node, free)
	if res.Error != nil || res.RowsAffected == 1 {
		return res.Error == nil, res.Error
	}
	err := q.Exec("INSERT INTO node_leases (node, holder, until_at) VALUES (?, ?, ?)", node, holder, until).Error
	if IsDuplicate(err) {
		return false, nil
	}
	return err == nil, err
}

// renew extends the lease until the run ends, then gives the number back.
func (db *DB) renew(ctx context.Context, node int, holder string) {
	tick := time.NewTicker(leaseFor / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			db.giveBack(node, holder)
			return
		case <-tick.C:
			db.extend(ctx, node, holder)
		}
	}
}

// extend moves the deadline in the store first and in the generator only then.
func (db *DB) extend(ctx context.Context, node int, holder string) {
	until := time.Now().Add(leaseFor)
	res := db.write.WithContext(ctx).Exec("UPDATE node_leases SET until_at = ? WHERE node = ? AND holder = ?", until.UnixMilli(), node, holder)
	switch {
	case res.Error != nil:
		slog.Warn("node lease not renewed", "node", node, "error", res.Error)
	case res.RowsAffected == 1:
		db.IDs.Extend(until)
	default:
		slog.Error("node lease lost to another process", "node", node)
	}
}

// giveBack frees the number at once, for this process makes no more ids. The
// row says a lease before now, and no earlier: should the clock go back before
// the next start, the number stays taken until the clock has passed this
// moment again, and no id is made twice.
func (db *DB) giveBack(node int, holder string) {
	db.IDs.Extend(time.Time{})
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	freed := time.Now().Add(time.Millisecond - leaseFor)
	db.write.WithContext(ctx).Exec("UPDATE node_leases SET until_at = ? WHERE node = ? AND holder = ?", freed.UnixMilli(), node, holder)
}

// LiveNodes is how many processes hold a node number now.
func (db *DB) LiveNodes(ctx context.Context) (int, error) {
	var n int
	err := db.Read(ctx).Raw("SELECT COUNT(*) FROM node_leases WHERE until_at > ?", time.Now().UnixMilli()).Scan(&n).Error
	return n, err
}
