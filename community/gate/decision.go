package gate

import (
	"context"
	"errors"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// DecideIn is a person's word on an application in review.
type DecideIn struct {
	Admit  bool   `json:"admit"`
	Reason string `json:"reason"` // why not
}

// Validate checks the decision's form.
func (in DecideIn) Validate() error {
	var c fault.Check
	c.That(in.Admit || in.Reason != "", "reason", "required", "请写明不通过的原因", "say why not")
	c.Length(in.Reason, "reason", 200)
	return c.Err()
}

// DecideApplication lets an applicant in review in, or into the line, or
// refuses him.
func (s *Service) DecideApplication(ctx context.Context, application id.Application, in DecideIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.change(ctx, application, "application.decide", func(tx *database.Tx, g Gate, a Application) error {
		switch {
		case a.Status != StatusReview:
			return ErrState.With("status", a.Status)
		case !in.Admit:
			return turn(tx, a, StatusRefused, in.Reason)
		}
		return advance(tx, g, a)
	})
}

// Withdraw ends the member's own application.
func (s *Service) Withdraw(ctx context.Context, application id.Application) error {
	return s.change(ctx, application, "application.withdraw", func(tx *database.Tx, _ Gate, a Application) error {
		if !a.Status.open() {
			return ErrState.With("status", a.Status)
		}
		return turn(tx, a, StatusWithdrawn, "")
	})
}

// FeeIn is a fee as the mall reports it paid.
type FeeIn struct {
	PaymentNo string       `json:"payment_no"`
	Amount    money.Amount `json:"amount_fen"`
}

// Validate checks the report's form.
func (in FeeIn) Validate() error {
	var c fault.Check
	c.Required(in.PaymentNo, "payment_no")
	c.Length(in.PaymentNo, "payment_no", 64)
	c.Range(int64(in.Amount), "amount_fen", 1, 1_000_000_00)
	return c.Err()
}

// PayFee notes that an application's fee was paid; its number counts once.
func (s *Service) PayFee(ctx context.Context, application id.Application, in FeeIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.change(ctx, application, "application.fee", func(tx *database.Tx, g Gate, a Application) error {
		var of id.Application
		if err := tx.Raw("SELECT application_id FROM application_fees WHERE payment_no = ?", in.PaymentNo).Scan(&of).Error; err != nil {
			return fmt.Errorf("gate: fee: %w", err)
		}
		switch {
		case of == a.ID:
			return nil // reported before
		case a.Status != StatusFee:
			return ErrState.With("status", a.Status)
		case of != 0 || in.Amount != a.Fee:
			return ErrFee.With("fee", int64(a.Fee))
		}
		err := tx.Exec("INSERT INTO application_fees (payment_no, application_id, amount, at) VALUES (?, ?, ?, ?)", in.PaymentNo, a.ID, in.Amount, tx.Now).Error
		if err != nil {
			return fmt.Errorf("gate: fee of %s: %w", a.ID, err)
		}
		a.Paid = in.Amount
		return advance(tx, g, a)
	})
}

// change runs one step of an application under the locks of its member and its
// gate.
func (s *Service) change(ctx context.Context, application id.Application, action string, step func(tx *database.Tx, g Gate, a Application) error) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		a, err := one(tx.DB, application, "")
		if err != nil {
			return err
		}
		if err := may(tx.Context(), tx.DB, a); err != nil {
			return err
		}
		if a.MemberID, err = community.LockLiveTx(tx, a.MemberID); err != nil {
			return err
		}
		g, err := find(tx.DB, a.GroupID, tx.Dialect.ForUpdate)
		if err != nil {
			return err
		}
		who := a.MemberID
		if a, err = one(tx.DB, application, tx.Dialect.ForUpdate); err != nil {
			return err
		}
		a.MemberID = who
		if err := step(tx, g, a); err != nil {
			return err
		}
		tx.SetResult("application", int64(a.ID), 200)
		return database.AuditTx(tx, action, a.ID, map[string]any{"status": a.Status}, nil)
	})
}

// waitingAtOnce bounds one look at the groups where somebody waits.
const waitingAtOnce = 200

// admitWaiting lets the heads of the lines in where a place came free.
func (s *Service) admitWaiting(ctx context.Context, _ clock.Milli) error {
	for after := id.Group(0); ; {
		var groups []id.Group
		err := s.DB.Read(ctx).Raw("SELECT DISTINCT group_id FROM applications WHERE status = ? AND group_id > ? ORDER BY group_id LIMIT ?", StatusWaiting, after, waitingAtOnce).Scan(&groups).Error
		if err != nil || len(groups) == 0 {
			return err
		}
		for _, g := range groups {
			for more := true; more; {
				if more, err = s.admitNext(ctx, g); err != nil {
					return err
				}
			}
			after = g
		}
	}
}

// admitNext lets the head of a group's line in, if there is a place.
func (s *Service) admitNext(ctx context.Context, group id.Group) (admitted bool, err error) {
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		admitted = false
		head, err := read(tx.DB, "group_id = ? AND status = ? ORDER BY waited_at, id LIMIT 1", group, StatusWaiting)
		if err != nil || len(head) == 0 {
			return err
		}
		a := head[0]
		who, err := community.LockLiveTx(tx, a.MemberID)
		if errors.Is(err, community.ErrMemberErased) {
			admitted = true
			return turn(tx, a, StatusWithdrawn, "")
		}
		if err != nil {
			return err
		}
		known, err := community.GroupsIn(tx.DB, []id.Group{group})
		if err != nil || known[group].Status != community.GroupActive {
			return err
		}
		g, err := find(tx.DB, group, tx.Dialect.ForUpdate)
		if err != nil {
			return err
		}
		free, err := freePlaces(tx, g)
		if err != nil || free <= 0 {
			return err
		}
		if a, err = one(tx.DB, a.ID, tx.Dialect.ForUpdate); err != nil || a.Status != StatusWaiting {
			admitted = err == nil // somebody else took this step
			return err
		}
		a.MemberID, admitted = who, true
		return letIn(tx, a)
	})
	return admitted, err
}
