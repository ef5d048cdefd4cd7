package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// ApplyIn is what an applicant says. Charter is the version he was shown and
// agrees to.
type ApplyIn struct {
	Charter int               `json:"charter_version"`
	Region  string            `json:"region"`
	Answers map[string]string `json:"answers"`
	Vouch   id.Vouch          `json:"vouch_id"`
}

// Apply asks for a place in a group on behalf of the member. What the gate
// asks and he lacks is said at once and kept nowhere; else he is let in, or
// waits for his fee, for a look, or for a place.
func (s *Service) Apply(ctx context.Context, group id.Group, member id.Member, in ApplyIn) (id.Application, error) {
	var made id.Application
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := community.LockLiveTx(tx, member)
		if err != nil {
			return err
		}
		if strong, err := community.StrongIn(tx.DB, []id.Member{who}); err != nil || !strong[who] {
			return orElse(err, ErrIdentity)
		}
		g, err := s.enter(tx, group, who, in.Charter)
		if err != nil {
			return err
		}
		facts, err := factsTx(tx, g, who, in)
		if err != nil {
			return err
		}
		missing, review := Decide(g, facts)
		if len(missing) > 0 {
			refused := *ErrRefused
			refused.Fields = missing
			return &refused
		}
		a := Application{ID: id.Application(tx.Next()), GroupID: group, MemberID: who, CharterVersion: in.Charter, Region: in.Region,
			Answers: in.Answers, Fee: g.Fee, CreatedAt: tx.Now, review: review}
		if a.Answers == nil {
			a.Answers = map[string]string{}
		}
		made = a.ID
		if err := useVouch(tx, g, a, in.Vouch); err != nil {
			return err
		}
		if err := insert(tx, a); err != nil {
			return err
		}
		if err := advance(tx, g, a); err != nil {
			return err
		}
		tx.SetResult("application", int64(a.ID), 201)
		return nil
	})
	return made, err
}

func orElse(err error, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// enter locks the gate and refuses who cannot apply at all.
func (s *Service) enter(tx *database.Tx, group id.Group, member id.Member, charter int) (Gate, error) {
	known, err := community.GroupsIn(tx.DB, []id.Group{group})
	if err != nil {
		return Gate{}, err
	}
	switch known[group].Status {
	case community.GroupActive:
	case "":
		return Gate{}, fault.NotFound
	default:
		return Gate{}, ErrClosed
	}
	g, err := find(tx.DB, group, tx.Dialect.ForUpdate)
	if err != nil {
		return g, err
	}
	if g.Version == 0 {
		return g, ErrNone
	}
	now, err := community.CharterOf(tx.DB, group, tx.Now)
	switch {
	case err != nil:
		return g, err
	case now.Version != charter:
		return g, ErrCharter.With("version", now.Version)
	}
	in, err := community.GroupsOf(tx.DB, []id.Member{member})
	if err != nil {
		return g, err
	}
	for _, x := range in[member] {
		if x == group {
			return g, ErrIn
		}
	}
	return g, nil
}

// violationsFor is how long a violation is held against an applicant.
const violationsFor = 180 * 24 * time.Hour

func factsTx(tx *database.Tx, g Gate, member id.Member, in ApplyIn) (Facts, error) {
	f := Facts{Region: in.Region, Answers: in.Answers, Vouched: in.Vouch != 0}
	var err error
	if g.PaidWithinDays > 0 {
		if f.Paid, err = community.HasFactSince(tx.DB, member, community.FactOrderPaid, g.after(tx.Now)); err != nil {
			return f, err
		}
	}
	if f.Blocked, err = community.BlockedAt(tx.DB, member, tx.Now); err != nil {
		return f, err
	}
	err = tx.Raw("SELECT COUNT(*) FROM violations WHERE member_id = ? AND at >= ?", member, tx.Now.Add(-violationsFor)).Scan(&f.Violations).Error
	if err != nil {
		return f, fmt.Errorf("gate: violations of %s: %w", member, err)
	}
	return f, nil
}

func insert(tx *database.Tx, a Application) error {
	answers, err := json.Marshal(a.Answers)
	if err != nil {
		return err
	}
	err = tx.Exec(`INSERT INTO applications (id, group_id, member_id, status, closed, charter_version, region, answers, reason, fee, paid, looked, waited_at, decided_by, created_at, decided_at)
		VALUES (?, ?, ?, ?, 0, ?, ?, ?, '', ?, 0, ?, 0, 0, ?, 0)`,
		a.ID, a.GroupID, a.MemberID, StatusFee, a.CharterVersion, a.Region, string(answers), a.Fee, a.review, tx.Now).Error
	if database.IsDuplicate(err) {
		return ErrOpen
	}
	return err
}

// advance takes an application as far as it goes now: to its fee, to a look,
// to the line, or in. Of a group that has closed it is over. The gate's row is
// locked.
func advance(tx *database.Tx, g Gate, a Application) error {
	known, err := community.GroupsIn(tx.DB, []id.Group{a.GroupID})
	switch {
	case err != nil:
		return err
	case known[a.GroupID].Status == community.GroupDissolved:
		return turn(tx, a, StatusRefused, reasonClosed)
	case a.Paid < a.Fee:
		return turn(tx, a, StatusFee, "")
	case a.review && a.Status != StatusReview:
		return turn(tx, a, StatusReview, "")
	}
	free, err := freePlaces(tx, g)
	if err != nil {
		return err
	}
	ahead, err := waitingFor(tx, g)
	if err != nil {
		return err
	}
	if free <= ahead {
		return turn(tx, a, StatusWaiting, "")
	}
	return letIn(tx, a)
}

// freePlaces is how many more people the group may hold, counted under the
// gate's lock from who is in it.
func freePlaces(tx *database.Tx, g Gate) (int, error) {
	if g.Capacity == 0 {
		return 1, nil
	}
	var in int
	if err := tx.Raw("SELECT COUNT(*) FROM memberships WHERE group_id = ? AND left_at = 0", g.GroupID).Scan(&in).Error; err != nil {
		return 0, fmt.Errorf("gate: places of %s: %w", g.GroupID, err)
	}
	return g.Capacity - in, nil
}

// waitingFor is how many wait for a place of the group, to whom those that came
// free belong.
func waitingFor(tx *database.Tx, g Gate) (n int, err error) {
	if g.Capacity == 0 {
		return 0, nil
	}
	if err := tx.Raw("SELECT COUNT(*) FROM applications WHERE group_id = ? AND status = ?", g.GroupID, StatusWaiting).Scan(&n).Error; err != nil {
		return 0, fmt.Errorf("gate: line of %s: %w", g.GroupID, err)
	}
	return n, nil
}

func letIn(tx *database.Tx, a Application) error {
	var inviter id.Member // who vouched for him, if anybody did
	if err := tx.Raw("SELECT COALESCE(MAX(member_id), 0) FROM vouches WHERE used_by = ?", a.ID).Scan(&inviter).Error; err != nil {
		return fmt.Errorf("gate: who vouched for %s: %w", a.ID, err)
	}
	if err := community.AdmitTx(tx, community.Join{Group: a.GroupID, Member: a.MemberID, Inviter: inviter, Charter: a.CharterVersion}); err != nil {
		return err
	}
	return turn(tx, a, StatusAdmitted, "")
}

// turn brings an application to a status and tells of it. What is over gives
// its place among the open ones free; a fee that bought nothing goes back.
func turn(tx *database.Tx, a Application, to Status, reason string) error {
	from := a.Status
	a.Status, a.Reason = to, reason
	var closed id.Application
	decided := clock.Milli(0)
	if !to.open() {
		closed, decided = a.ID, tx.Now
	}
	if to == StatusWaiting {
		a.WaitedAt = tx.Now
	}
	err := database.One(tx.Exec("UPDATE applications SET status = ?, closed = ?, reason = ?, paid = ?, waited_at = ?, decided_by = ?, decided_at = ? WHERE id = ?"+tx.Only("closed = 0"),
		to, closed, reason, a.Paid, a.WaitedAt, tx.Actor.Staff, decided, a.ID), ErrState.With("status", from))
	if err != nil {
		return err
	}
	if err := tell(tx, a); err != nil {
		return err
	}
	if (to == StatusRefused || to == StatusWithdrawn) && a.Paid > 0 {
		return webhook.PublishTx(tx, eventFeeReturn, a.fact())
	}
	return nil
}
