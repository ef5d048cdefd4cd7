package settlement

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
	"siyu/referral/payee"
)

// Objection 异议 is a member's word that a line of his statement is wrong. He
// has three days from its sealing; until finance answers, he gets no payment
// of that settlement. The line itself is sealed: what was wrong is corrected
// by a fact of its own, which a later settlement carries.
type Objection struct {
	ID           id.Objection    `json:"id"`
	SettlementID id.Settlement   `json:"settlement_id"`
	LineNo       int             `json:"line"`
	Kind         Kind            `json:"kind" gorm:"->"`      // of the line, as the next
	Gross        money.Amount    `json:"gross_fen" gorm:"->"` //
	MemberID     id.Member       `json:"member_id"`
	Status       ObjectionStatus `json:"status"`
	Reason       string          `json:"reason"`
	RaisedBy     id.Staff        `json:"raised_by"` // none: the member himself
	RaisedAt     clock.Milli     `json:"raised_at"`
	Answer       string          `json:"answer"`
	AnsweredBy   id.Staff        `json:"answered_by"`
	AnsweredAt   clock.Milli     `json:"answered_at"`
}

// ObjectionStatus says whether it was answered.
type ObjectionStatus string

// An open objection holds a payment, an answered one does not.
const (
	ObjectionOpen     ObjectionStatus = "open"
	ObjectionAnswered ObjectionStatus = "answered"
)

// reasonObjected holds a member who objects to a line. He is not carried into
// the next settlement: this one waits for the answer.
const reasonObjected payee.Reason = "objected"

// WhyObjected is the same in what a member sees.
const WhyObjected Why = Why(reasonObjected)

// The refusals of objecting.
var (
	ErrObjectLate = fault.New(fault.KindConflict, "settlement.object_late", "异议期已过，封存后 3 天内可以提出", "the time to object is over; it is three days from the sealing")
	ErrObjected   = fault.New(fault.KindConflict, "settlement.objected", "这一行已经提出过异议", "there is an objection to this line already")
	ErrAnswered   = fault.New(fault.KindConflict, "settlement.answered", "该异议已经答复", "the objection is answered already")
)

// ObjectIn names the line and says what is wrong.
type ObjectIn struct {
	SettlementID id.Settlement `json:"settlement_id"`
	LineNo       int           `json:"line"`
	Reason       string        `json:"reason"`
}

// Validate checks the form of the input.
func (in *ObjectIn) Validate() error {
	var c fault.Check
	c.That(in.SettlementID != 0, "settlement_id", "required", "请指定结算单", "name the settlement")
	c.That(in.LineNo > 0, "line", "required", "请指定行号", "name the line")
	c.Required(in.Reason, "reason")
	c.Length(in.Reason, "reason", 400)
	return c.Err()
}

// Object raises a member's objection, by himself or by finance for him. It
// locks the settlement as paying does, so an objection that stands before a
// payment holds it, and one that comes after holds nothing.
func (s *Service) Object(ctx context.Context, m id.Member, in ObjectIn) (id.Objection, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var oid id.Objection
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		st, err := lock(tx, in.SettlementID)
		if err != nil {
			return err
		}
		who, err := selves(tx.DB, m)
		if err != nil {
			return err
		}
		var line struct {
			MemberID id.Member
			SealedAt clock.Milli
		}
		err = tx.Raw(`SELECT l.member_id, c.sealed_at FROM settlement_lines l JOIN settlement_chain c ON c.settlement_id = l.settlement_id
			WHERE l.settlement_id = ? AND l.line_no = ?`, st.ID, in.LineNo).Scan(&line).Error
		switch {
		case err != nil:
			return err
		case line.SealedAt == 0 || !slices.Contains(who, line.MemberID):
			return fault.NotFound
		case st.Status == StatusRejected:
			return ErrState.With("state", st.Status)
		case tx.Now >= line.SealedAt.Add(objectFor):
			return ErrObjectLate
		}
		o := Objection{ID: id.Objection(tx.Next()), SettlementID: st.ID, LineNo: in.LineNo, MemberID: line.MemberID, Status: ObjectionOpen,
			Reason: in.Reason, RaisedBy: tx.Actor.Staff, RaisedAt: tx.Now}
		err = tx.Create(&o).Error
		if database.IsDuplicate(err) {
			return ErrObjected
		}
		if err != nil {
			return fmt.Errorf("settlement: objection: %w", err)
		}
		oid = o.ID
		tx.SetResult("objection", int64(oid), 201)
		if err := database.AuditTx(tx, "objection.raise", oid, nil, map[string]any{"settlement_id": st.ID, "line": in.LineNo}); err != nil {
			return err
		}
		return publishObjection(tx, eventObjected, o)
	})
	return oid, err
}

// AnswerIn is what finance says to an objection.
type AnswerIn struct {
	Answer string `json:"answer"`
}

// Validate wants an answer.
func (in *AnswerIn) Validate() error {
	var c fault.Check
	c.Required(in.Answer, "answer")
	c.Length(in.Answer, "answer", 400)
	return c.Err()
}

// Answer ends an objection; the next payout of the settlement pays the member
// unless he has another.
func (s *Service) Answer(ctx context.Context, oid id.Objection, in AnswerIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	found, err := s.FindObjection(ctx, oid)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		if _, err := lock(tx, found.SettlementID); err != nil {
			return err
		}
		err = database.One(tx.Exec("UPDATE objections SET status = ?, answer = ?, answered_by = ?, answered_at = ? WHERE id = ?"+tx.Only("status = ?"),
			ObjectionAnswered, in.Answer, who, tx.Now, oid, ObjectionOpen), ErrAnswered)
		if err != nil {
			return err
		}
		if err := database.AuditTx(tx, "objection.answer", oid, ObjectionOpen, ObjectionAnswered); err != nil {
			return err
		}
		return publishObjection(tx, eventAnswered, found)
	})
}

func publishObjection(tx *database.Tx, event webhook.Type, o Objection) error {
	return webhook.PublishTx(tx, event, map[string]any{"id": o.ID, "settlement_id": o.SettlementID, "line": o.LineNo, "member_id": o.MemberID})
}

const objectionColumns = "o.id, o.settlement_id, o.line_no, o.member_id, o.status, o.reason, o.raised_by, o.raised_at, o.answer, o.answered_by, o.answered_at, l.kind, l.gross"

const fromObjections = " FROM objections o JOIN settlement_lines l ON l.settlement_id = o.settlement_id AND l.line_no = o.line_no "

// FindObjection is one objection.
func (s *Service) FindObjection(ctx context.Context, oid id.Objection) (Objection, error) {
	var row struct {
		Objection
		UnitID id.Unit
	}
	err := s.DB.Read(ctx).Raw("SELECT "+objectionColumns+", s.unit_id"+fromObjections+"JOIN settlements s ON s.id = o.settlement_id WHERE o.id = ?", oid).Scan(&row).Error
	if err != nil {
		return Objection{}, fmt.Errorf("settlement: %s: %w", oid, err)
	}
	if row.ID == 0 || !database.ActorOf(ctx).Sees(row.UnitID) {
		return Objection{}, fault.NotFound
	}
	return row.Objection, nil
}

// ListObjections pages objections, newest first; without a status, all.
func (s *Service) ListObjections(ctx context.Context, status ObjectionStatus, page database.Page) (database.Paged[Objection], error) {
	sql, args := "SELECT "+objectionColumns+fromObjections+"JOIN settlements s ON s.id = o.settlement_id WHERE o.id < ?", []any{page.Bound()}
	switch status {
	case "":
	case ObjectionOpen, ObjectionAnswered:
		sql, args = sql+" AND o.status = ?", append(args, status)
	default:
		return database.Paged[Objection]{}, fault.Invalid.Field("status", "unknown_value", "应为 open 或 answered", "must be open or answered")
	}
	cond, units := database.ActorOf(ctx).Within("s.unit_id")
	var list []Objection
	err := s.DB.Read(ctx).Raw(sql+cond+" ORDER BY o.id DESC LIMIT ?", append(append(args, units...), page.Fetch())...).Scan(&list).Error
	if err != nil {
		return database.Paged[Objection]{}, fmt.Errorf("settlement: objections: %w", err)
	}
	return database.Cut(page, list, func(o Objection) int64 { return int64(o.ID) }), nil
}

// objecting are those of the members who object to a line of the settlement,
// whose row is locked.
func objecting(tx *database.Tx, sid id.Settlement, owed []payee.Owed) (map[id.Member]bool, error) {
	members := make([]id.Member, len(owed))
	for i, o := range owed {
		members[i] = o.Member
	}
	out := map[id.Member]bool{}
	for part := range slices.Chunk(members, 200) {
		var found []id.Member
		err := tx.Raw("SELECT DISTINCT member_id FROM objections WHERE settlement_id = ? AND status = ? AND member_id IN ?", sid, ObjectionOpen, part).Scan(&found).Error
		if err != nil {
			return nil, fmt.Errorf("settlement: objections to %s: %w", sid, err)
		}
		for _, m := range found {
			out[m] = true
		}
	}
	return out, nil
}

// ObjectionsOf pages what a member, also under his merged names, objected to.
func (s *Service) ObjectionsOf(ctx context.Context, m id.Member, page database.Page) (database.Paged[Objection], error) {
	q := s.DB.Read(ctx)
	who, err := selves(q, m)
	if err != nil {
		return database.Paged[Objection]{}, err
	}
	var list []Objection
	err = q.Raw("SELECT "+objectionColumns+fromObjections+"WHERE o.member_id IN ? AND o.id < ? ORDER BY o.id DESC LIMIT ?", who, page.Bound(), page.Fetch()).Scan(&list).Error
	return database.Cut(page, list, func(o Objection) int64 { return int64(o.ID) }), err
}

// EraseMember empties what a member wrote and was answered, and why a request
// of his was refused: free text may name him. The rows stay, because they held
// and made payments. It may be repeated.
func (s *Service) EraseMember(ctx context.Context, m id.Member) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := selves(tx.DB, m)
		if err != nil {
			return err
		}
		if err := tx.Exec("UPDATE objections SET reason = '', answer = '' WHERE member_id IN ?", who).Error; err != nil {
			return fmt.Errorf("settlement: erase %s: %w", m, err)
		}
		if err := tx.Exec("UPDATE withdrawals SET reason = '' WHERE member_id IN ? AND ended_by <> 0", who).Error; err != nil {
			return fmt.Errorf("settlement: erase %s: %w", m, err)
		}
		return database.AuditTx(tx, "objection.erase", m, nil, nil)
	})
}
