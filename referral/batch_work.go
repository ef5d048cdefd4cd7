package referral

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/referral/promoter"
)

// makeBatch asks to make what is left of a batch.
type makeBatch struct {
	Batch id.Job `json:"batch"`
}

// Kind names the task.
func (makeBatch) Kind() string { return "referral:make_codes" }

// errBatchMoved says that another run of the job took the batch a step on.
var errBatchMoved = errors.New("referral: another run has moved the batch on")

// RunBatch makes the codes of a batch, a part per transaction with the place
// it got to, so it may be killed anywhere, run again, or run twice at once.
func (s *Service) RunBatch(ctx context.Context, b id.Job) error {
	for {
		at, err := findBatch(s.DB.Read(ctx), b, "")
		if err != nil || at.Status == BatchDone {
			return err
		}
		err = s.DB.Tx(ctx, func(tx *database.Tx) error { return s.partTx(tx, at) })
		if err != nil && !errors.Is(err, errBatchMoved) {
			return err
		}
		database.KillPoint("referral:part")
	}
}

func (s *Service) runBatch(ctx context.Context, _ task.Job, a makeBatch) error {
	return s.RunBatch(ctx, a.Batch)
}

// Why a place got no code, in place of the code's id.
const (
	noMember    = -1
	noIdentity  = -2
	notPromoter = -3
)

var refusals = map[int64]string{noMember: "unknown_member", noIdentity: "identity_required", notPromoter: "promoter_required"}

// partTx makes the codes of the next part.
func (s *Service) partTx(tx *database.Tx, at Batch) error {
	b, err := findBatch(tx.DB, at.ID, tx.Dialect.ForUpdate)
	switch {
	case err != nil:
		return err
	case b.NextPart != at.NextPart || b.Status != BatchRunning:
		return errBatchMoved
	}
	var packed []byte
	if err := tx.Raw("SELECT places FROM code_batch_parts WHERE batch_id = ? AND part = ?", b.ID, b.NextPart).Row().Scan(&packed); err != nil {
		return fmt.Errorf("referral: part %d of %s: %w", b.NextPart, b.ID, err)
	}
	spots := unpackSpots(packed)
	ids, made, err := s.spotsTx(tx, b, spots)
	if err != nil {
		return err
	}
	refused, packed := 0, packed[:0]
	for _, x := range ids {
		packed = binary.BigEndian.AppendUint64(packed, uint64(x))
		if x < 0 {
			refused++
		}
	}
	if err := tx.Exec("UPDATE code_batch_parts SET made = ? WHERE batch_id = ? AND part = ?", packed, b.ID, b.NextPart).Error; err != nil {
		return fmt.Errorf("referral: part %d of %s: %w", b.NextPart, b.ID, err)
	}
	if b.Done += len(spots); b.Done == b.Total {
		b.Status, b.FinishedAt = BatchDone, tx.Now
	}
	return database.One(tx.Exec(`UPDATE code_batches SET next_part = next_part + 1, done = ?, made = made + ?, refused = refused + ?, status = ?, finished_at = ?
		WHERE id = ?`+tx.Only("next_part = ?"), b.Done, made, refused, b.Status, b.FinishedAt, b.ID, b.NextPart), errBatchMoved)
}

// spotsTx gives the code of every place, or why there is none, and how many
// it made.
func (s *Service) spotsTx(tx *database.Tx, b Batch, spots []spot) (ids []int64, made int, err error) {
	people := make([]id.Member, len(spots))
	for i, x := range spots {
		people[i] = x.inviter
	}
	today, strong, err := todayIn(tx.DB, people)
	if err != nil {
		return nil, 0, err
	}
	rules, err := latestRules(tx.DB, b.ProgramID)
	if err != nil {
		return nil, 0, err
	}
	standing, err := promoter.StandingIn(tx.DB, slices.Collect(maps.Values(today)))
	if err != nil {
		return nil, 0, err
	}
	ids = make([]int64, len(spots))
	var places []Code
	var of []int
	for i, x := range spots {
		switch m := today[x.inviter]; {
		case m == 0:
			ids[i] = noMember
		case !strong[m]:
			ids[i] = noIdentity
		case rules.admits(standing[m]) != nil:
			ids[i] = notPromoter
		default:
			of = append(of, i)
			places = append(places, Code{UnitID: b.UnitID, InviterID: m, ProgramID: b.ProgramID, CampaignID: b.CampaignID,
				GroupID: x.group, Channel: b.Channel, Cost: b.Cost, ExpiresAt: b.ExpiresAt})
		}
	}
	codes, made, err := s.codesTx(tx, places)
	if err != nil {
		return nil, 0, err
	}
	for i, code := range codes {
		ids[of[i]] = int64(code)
	}
	return ids, made, nil
}

// inAtOnce is how long a list in a condition may be: from 200 on engines guess
// what it will find instead of looking into the index.
const inAtOnce = 190

// todayIn is who these members are today, and who of them has an identity to
// invite with.
func todayIn(q *database.Query, people []id.Member) (today map[id.Member]id.Member, strong map[id.Member]bool, err error) {
	today, strong = map[id.Member]id.Member{}, map[id.Member]bool{}
	for some := range slices.Chunk(people, inAtOnce) {
		now, able, err := community.TodayIn(q, some)
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(today, now)
		maps.Copy(strong, able)
	}
	return today, strong, nil
}
