package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"siyu/internal/id"
)

// bareBatch is how many groups one bare transaction takes, as many as a chunk
// of the house; bareAtOnce how many are under way.
const (
	bareBatch  = 300
	bareAtOnce = 2
	bareNo     = 2000 // its promotion
)

// bare writes what a wave writes with nothing decided: the groups' rows are
// locked, a slot for every other group and a decision for each are inserted,
// and the commit travels with them. The texts are made beforehand. It is the
// ceiling of this engine on this machine: what is missing to it is what
// reading and deciding cost.
func (w *wave) bare(ctx context.Context, groups []id.Group) (p pace, err error) {
	name, dsn, err := driver(w.store.url)
	if err != nil {
		return p, err
	}
	pool, err := sql.Open(name, dsn+"&multiStatements=true")
	if err != nil {
		return p, err
	}
	defer pool.Close()
	var texts []string
	for part := range slices.Chunk(groups, bareBatch) {
		texts = append(texts, w.bareText(part))
	}
	next := make(chan string, len(texts))
	for _, t := range texts {
		next <- t
	}
	close(next)
	var work sync.WaitGroup
	errs := make([]error, bareAtOnce)
	began, spent := time.Now(), w.spent()
	for i := range errs {
		work.Go(func() {
			for t := range next {
				if _, errs[i] = pool.ExecContext(ctx, t); errs[i] != nil {
					return
				}
			}
		})
	}
	work.Wait()
	return pace{len(groups), time.Since(began), w.spent() - spent}, errors.Join(errs...)
}

// bareText is the transaction of some groups in one message.
func (w *wave) bareText(groups []id.Group) string {
	const hours = 3_600_000
	now, to := int64(w.now), int64(w.now)+10*hours
	var list, slots, decisions, of []string
	for i, g := range groups {
		list = append(list, strconv.FormatInt(int64(g), 10))
		slot, decision, outcome := serial.Add(2)+process0, serial.Add(2)+process0, "'defer'"
		if i%2 == 0 {
			outcome = "'allow'"
			of = append(of, list[i])
			slots = append(slots, values(singleSlot, slot, int64(g), -slot, bareNo, now, to, now, to-1, now))
		}
		decisions = append(decisions, values(singleDecision, decision, int64(g), bareNo, slot, outcome, "''", decision, "''", now, to, now, to, 0, now, now))
	}
	return strings.Join([]string{
		"START TRANSACTION", "SELECT last_seq FROM group_guards WHERE group_id IN (" + strings.Join(list, ",") + ") ORDER BY group_id FOR UPDATE",
		insertOf(singleSlot) + strings.Join(slots, ","), "UPDATE group_guards SET last_seq = last_seq + 1 WHERE group_id IN (" + strings.Join(of, ",") + ")",
		insertOf(singleDecision) + strings.Join(decisions, ","), "COMMIT",
	}, ";")
}

// insertOf is a statement of one row up to its values.
func insertOf(statement string) string {
	head, _, _ := strings.Cut(statement, "(?")
	return head
}

// values are a statement's values with the places filled.
func values(statement string, args ...any) string {
	_, row, _ := strings.Cut(statement, "VALUES ")
	for _, a := range args {
		row = strings.Replace(row, "?", fmt.Sprint(a), 1)
	}
	return row
}
