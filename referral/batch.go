package referral

import (
	"context"
	"encoding/binary"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
)

// Bounds of a batch.
const (
	batchPlaces = 100_000
	batchGroups = 2_000
	partPlaces  = 500
	costMax     = 1_000_000_00
)

// BatchStatus is where a batch stands.
type BatchStatus string

// The states of a batch.
const (
	BatchRunning BatchStatus = "running"
	BatchDone    BatchStatus = "done"
)

// Batch is a job that makes many codes. Total places are asked for; of those
// done, made got a new code, refused none, and the others had one already.
type Batch struct {
	ID         id.Job       `json:"id"`
	UnitID     id.Unit      `json:"unit_id"`
	ProgramID  id.Program   `json:"program_id"`
	CampaignID id.Campaign  `json:"campaign_id"`
	Channel    string       `json:"channel"`
	Cost       money.Amount `json:"cost_fen"`
	ExpiresAt  clock.Milli  `json:"expires_at"`
	Status     BatchStatus  `json:"status"`
	Total      int          `json:"total"`
	Done       int          `json:"done"`
	Made       int          `json:"made"`
	Refused    int          `json:"refused"`
	CreatedBy  id.Staff     `json:"created_by"`
	CreatedAt  clock.Milli  `json:"created_at"`
	FinishedAt clock.Milli  `json:"finished_at"`
	NextPart   int          `json:"-"`
}

const batchColumns = `id, unit_id, program_id, campaign_id, channel, cost, expires_at, status, total, next_part, done, made, refused,
	created_by, created_at, finished_at`

// BatchIn asks for a code of every member in every group; without groups, of
// every member; without members, of everybody who is in the groups now.
type BatchIn struct {
	ProgramID  id.Program   `json:"program_id"`
	CampaignID id.Campaign  `json:"campaign_id"`
	Channel    string       `json:"channel"`
	Cost       money.Amount `json:"cost_fen"`
	ExpiresAt  clock.Milli  `json:"expires_at"`
	Members    []id.Member  `json:"members"`
	Groups     []id.Group   `json:"groups"`
}

// Validate names everything wrong with the input.
func (in BatchIn) Validate() error {
	var c fault.Check
	c.That(in.ProgramID != 0, "program_id", "required", "请填写奖励方案", "name the program")
	c.That(channelName.MatchString(in.Channel), "channel", "format", "最多 32 个小写字母、数字、- 或 _", "at most 32 lower case letters, digits, - or _")
	c.Range(int64(in.Cost), "cost_fen", 0, costMax)
	c.Range(int64(len(in.Groups)), "groups", 0, batchGroups)
	c.That(len(in.Members)+len(in.Groups) > 0, "members", "required", "请填写会员或群", "name members, groups, or both")
	c.That(len(in.Members)*max(1, len(in.Groups)) <= batchPlaces, "members", "too_many",
		fmt.Sprintf("一次最多 %d 个邀请码", batchPlaces), fmt.Sprintf("at most %d codes at once", batchPlaces))
	return c.Err()
}

// spot is one place of a batch: who invites into which group.
type spot struct {
	inviter id.Member
	group   id.Group
}

// CreateBatch notes which codes are wanted and starts the job that makes them.
func (s *Service) CreateBatch(ctx context.Context, in BatchIn) (id.Job, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	q := s.DB.Read(ctx)
	if err := batchGroupsSeen(q, database.ActorOf(ctx), in.Groups); err != nil {
		return 0, err
	}
	spots, err := spotsOf(q, in)
	if err != nil {
		return 0, err
	}
	var made id.Job
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		if err := future(tx, in.ExpiresAt, "expires_at"); err != nil {
			return err
		}
		unit, err := programUnit(tx, in.ProgramID)
		if err != nil {
			return err
		}
		made = id.Job(tx.Next())
		err = tx.Exec("INSERT INTO code_batches ("+batchColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, ?, ?, 0)",
			made, unit, in.ProgramID, in.CampaignID, in.Channel, in.Cost, in.ExpiresAt, BatchRunning, len(spots), tx.Actor.Staff, tx.Now).Error
		if err != nil {
			return fmt.Errorf("referral: batch: %w", err)
		}
		if err := partsTx(tx, made, spots); err != nil {
			return err
		}
		if err := task.EnqueueTx(tx, makeBatch{made}, 0); err != nil {
			return err
		}
		tx.SetResult("job", int64(made), 202)
		return database.AuditTx(tx, "code.batch", made, nil, map[string]any{
			"program_id": in.ProgramID, "campaign_id": in.CampaignID, "channel": in.Channel, "cost_fen": in.Cost, "total": len(spots),
		})
	})
	return made, err
}

// batchGroupsSeen refuses groups that the actor may not name.
func batchGroupsSeen(q *database.Query, a database.Actor, groups []id.Group) error {
	for from := 0; from < len(groups); from += inAtOnce {
		part := groups[from:min(from+inAtOnce, len(groups))]
		known, err := community.GroupsIn(q, part)
		if err != nil {
			return err
		}
		for _, x := range part {
			if g := known[x]; g.ID == 0 || g.Status == community.GroupDissolved || !a.Sees(g.UnitID) {
				return fault.Invalid.Field("groups", "unknown", "没有这个群："+x.String(), "there is no such group: "+x.String())
			}
		}
	}
	return nil
}

// spotsOf are the places asked for, each once, group by group.
func spotsOf(q *database.Query, in BatchIn) ([]spot, error) {
	groups := in.Groups
	if len(groups) == 0 {
		groups = []id.Group{0}
	}
	var spots []spot
	seen := map[spot]bool{}
	for _, g := range groups {
		members := in.Members
		if len(members) == 0 {
			var err error
			if members, err = community.MembersIn(q, g, batchPlaces+1); err != nil {
				return nil, err
			}
		}
		for _, m := range members {
			if x := (spot{m, g}); !seen[x] {
				seen[x] = true
				spots = append(spots, x)
			}
		}
		if len(spots) > batchPlaces {
			return nil, fault.Invalid.Field("groups", "too_many", fmt.Sprintf("一次最多 %d 个邀请码", batchPlaces), fmt.Sprintf("at most %d codes at once", batchPlaces))
		}
	}
	if len(spots) == 0 {
		return nil, fault.Invalid.Field("groups", "empty", "这些群里没有会员", "nobody is in these groups")
	}
	return spots, nil
}

// partsAtOnce is how many parts one statement writes: 160 kB.
const partsAtOnce = 20

func partsTx(tx *database.Tx, b id.Job, spots []spot) error {
	var rows []any
	for part := 0; part*partPlaces < len(spots); part++ {
		rows = append(rows, []any{b, part, packSpots(spots[part*partPlaces : min((part+1)*partPlaces, len(spots))]), []byte{}})
	}
	for from := 0; from < len(rows); from += partsAtOnce {
		some := rows[from:min(from+partsAtOnce, len(rows))]
		if err := tx.Exec("INSERT INTO code_batch_parts (batch_id, part, places, made) VALUES "+marks(len(some)), some...).Error; err != nil {
			return fmt.Errorf("referral: parts of %s: %w", b, err)
		}
	}
	return nil
}

func packSpots(spots []spot) []byte {
	b := make([]byte, 0, 16*len(spots))
	for _, x := range spots {
		b = binary.BigEndian.AppendUint64(b, uint64(x.inviter))
		b = binary.BigEndian.AppendUint64(b, uint64(x.group))
	}
	return b
}

func unpackSpots(b []byte) []spot {
	out := make([]spot, len(b)/16)
	for i := range out {
		out[i] = spot{id.Member(binary.BigEndian.Uint64(b[16*i:])), id.Group(binary.BigEndian.Uint64(b[16*i+8:]))}
	}
	return out
}

// FindBatch shows how far a batch is to staff of its unit.
func (s *Service) FindBatch(ctx context.Context, b id.Job) (Batch, error) {
	found, err := findBatch(s.DB.Read(ctx), b, "")
	if err != nil {
		return found, err
	}
	if !database.ActorOf(ctx).Sees(found.UnitID) {
		return Batch{}, fault.NotFound
	}
	return found, nil
}

func findBatch(q *database.Query, b id.Job, lock string) (Batch, error) {
	var found Batch
	if err := q.Raw("SELECT "+batchColumns+" FROM code_batches WHERE id = ?"+lock, b).Scan(&found).Error; err != nil {
		return found, fmt.Errorf("referral: batch %s: %w", b, err)
	}
	if found.ID == 0 {
		return found, fault.NotFound
	}
	return found, nil
}
