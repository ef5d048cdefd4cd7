// Package split proposes how a large group becomes sub-groups, and invites its
// members into them.
//
// Up to 50 people a group runs by itself, beyond 150 nobody knows everybody.
// Divide, a pure function, lays the members of such a group into parts of about
// 50 so that who has to do with whom stays together. What it says is kept as a
// proposal, with the share of ties it keeps beside what chance would keep, and
// for each person with how many of his part he has what to do with.
//
// Tables: group_splits, group_split_parts, group_split_seats. What holds
// always: a group has one proposal at a time; it expires; only once the owner
// or a marketer approved it there are sub-groups, which name their parent; then
// each member is invited into his, once, and joins by an act of his own. Nobody
// is moved, and nobody leaves the large group by it. api and web call it; the
// worker proposes, expires, invites and ends.
package split

import (
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// Service is the room's use cases.
type Service struct {
	DB *database.DB
}

// Register takes the room's work. It looks for large groups twice a day and
// for what is under way each minute.
func (s *Service) Register(r *task.Registry) {
	task.Every(r, "split:propose", 12*time.Hour, s.proposeAll)
	task.Every(r, "split:expire", time.Minute, s.expireAll)
	task.Every(r, "split:invite", time.Minute, s.inviteAll)
	task.Every(r, "split:finish", time.Minute, s.finishAll)
}

// Status is where a proposal stands.
type Status string

// The statuses; the last four are ends.
const (
	StatusProposed  Status = "proposed"
	StatusApproved  Status = "approved" // its members are being invited
	StatusDone      Status = "done"
	StatusRejected  Status = "rejected"
	StatusExpired   Status = "expired"
	StatusCancelled Status = "cancelled"
)

// Words name the state.
func (s Status) Words() (zh, en string) {
	return map[Status]string{StatusProposed: "待决定", StatusApproved: "邀请中", StatusDone: "已完成", StatusRejected: "已驳回", StatusExpired: "已过期", StatusCancelled: "已取消"}[s], string(s)
}

// Split is a proposal to split a group. Rules is the version of the function
// that made it; Ties, Kept and Chance are its Division's. ProposedBy is nobody
// for one that the house made by itself.
type Split struct {
	ID         id.Split    `json:"id"`
	GroupID    id.Group    `json:"group_id"`
	Version    int         `json:"version"`
	Rules      int         `json:"rules_version" gorm:"column:rules"`
	Status     Status      `json:"status"`
	Size       int         `json:"size"`
	People     int         `json:"people"`
	Ties       int         `json:"ties"`
	Kept       int         `json:"kept"`
	Chance     int         `json:"chance"`
	Reason     string      `json:"reason"` // of a rejection or an early end
	ExpiresAt  clock.Milli `json:"expires_at"`
	ByAt       clock.Milli `json:"by_at"` // until then members are invited, once approved
	ProposedBy id.Staff    `json:"proposed_by"`
	DecidedBy  id.Staff    `json:"decided_by"`
	DecidedAt  clock.Milli `json:"decided_at"`
	CreatedAt  clock.Milli `json:"created_at"`
	EndedAt    clock.Milli `json:"ended_at"`
	Parts      []Part      `json:"parts" gorm:"-"`
}

const columns = "id, group_id, version, rules, status, size, people, ties, kept, chance, reason, expires_at, by_at, proposed_by, decided_by, decided_at, created_at, ended_at"

// Part is one of the sub-groups: before the approval a number of people, then
// a group with who was invited, is in it, or said no.
type Part struct {
	SplitID  id.Split `json:"-"`
	Part     int      `json:"part"` // from 1
	People   int      `json:"people"`
	GroupID  id.Group `json:"group_id"`
	Invited  int      `json:"invited"`
	Joined   int      `json:"joined"`
	Declined int      `json:"declined"`
}

// Seat is one person's place in a proposal and why: with how many of his part
// he talked, met, was in a team, asked for the same or came by the same code,
// and how many people he has to do with are elsewhere.
type Seat struct {
	Member     id.Member   `json:"member_id" gorm:"column:member_id"`
	Part       int         `json:"part"`
	Talked     int         `json:"talked"`
	Met        int         `json:"met"`
	Team       int         `json:"team"`
	Asked      int         `json:"asked"`
	Came       int         `json:"came"`
	Elsewhere  int         `json:"elsewhere"`
	InvitedAt  clock.Milli `json:"invited_at"`
	DeclinedAt clock.Milli `json:"declined_at"`
}

const seatColumns = "member_id, part, talked, met, team, asked, came, elsewhere, invited_at, declined_at"

// How long a proposal waits for a word, and its invitations for an answer.
const (
	proposedFor = 14 * 24 * time.Hour
	invitedFor  = 14 * 24 * time.Hour
	restFor     = 90 * 24 * time.Hour // before the house proposes again
)

// atOnce is how many groups or proposals one look reads.
const atOnce = 200

// The refusals.
var (
	ErrUnderWay = fault.New(fault.KindConflict, "split.under_way", "这个群已有一份分组方案，请先处理它", "the group has a proposal already; decide on it first")
	ErrSmall    = fault.New(fault.KindUnprocessable, "split.too_small", "群友 {people} 人，超过 {size} 人才能分组", "there are {people} members; a split takes more than {size}")
	ErrLarge    = fault.New(fault.KindUnprocessable, "split.too_large", "群友 {people} 人，一次最多给 {max} 人分组", "there are {people} members; at most {max} are split at once")
	ErrOver     = fault.New(fault.KindConflict, "split.over", "方案已处理（{status}）", "the proposal was decided on ({status})")
)

// What this room tells webhooks; docs/events.md says when.
const (
	eventProposed webhook.Type = "group.split_proposed"
	eventSplit    webhook.Type = "group.split_approved"
	eventEnded    webhook.Type = "group.split_ended"
)

func (s Split) tell(tx *database.Tx, event webhook.Type, g community.Group) error {
	return webhook.PublishTx(tx, event, map[string]any{"id": s.ID, "group_id": s.GroupID, "owner_id": g.OwnerID, "status": s.Status,
		"people": s.People, "parts": len(s.Parts), "kept": s.Kept, "chance": s.Chance, "expires_at": s.ExpiresAt, "by_at": s.ByAt})
}

// changeTx writes a step of an open proposal, whose group is locked, as a new
// version.
func (s Split) changeTx(tx *database.Tx, now Split) (Split, error) {
	closed := id.Split(0)
	if now.Status != StatusProposed && now.Status != StatusApproved {
		closed, now.EndedAt = now.ID, tx.Now
	}
	now.Version = s.Version + 1
	err := database.One(tx.Exec("UPDATE group_splits SET status = ?, closed = ?, reason = ?, by_at = ?, decided_by = ?, decided_at = ?, ended_at = ?, version = ? WHERE id = ?"+
		tx.Only("version = ?"), now.Status, closed, now.Reason, now.ByAt, now.DecidedBy, now.DecidedAt, now.EndedAt, now.Version, now.ID, s.Version), fault.Stale)
	if err != nil {
		return s, fmt.Errorf("split: %s: %w", s.ID, err)
	}
	return now, nil
}
