package payee

import (
	"context"
	"encoding/json"
	"fmt"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
)

// row is a version as it lies in the table.
type row struct {
	PayeeID id.Payee
	Version `gorm:"embedded"`
	Sealed  []byte
}

// TableName is the table of versions.
func (row) TableName() string { return "payee_versions" }

// Enter adds a version of a member's payee. What the member gives before his
// first payment is in force at once; what he gives later, and all that staff
// enter for him, waits for a second person and holds his payments until then.
// A change that waits is replaced by the next one.
func (s *Service) Enter(ctx context.Context, member id.Member, in Entry) (id.Payee, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var pid id.Payee
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		m, err := community.LiveTx(tx, member)
		switch {
		case err != nil:
			return err
		case m.Guest:
			return ErrGuest
		}
		in := in // the transaction may run again
		if err := ownOpenID(tx, m.ID, &in); err != nil {
			return err
		}
		granted := true
		err = community.ConsentTx(tx, m.ID, community.ConsentIn{Purpose: community.PurposePayoutIdentity, Granted: &granted, TextVersion: in.ConsentVersion})
		if err != nil {
			return err
		}
		p, err := lockOf(tx, m.ID)
		if err != nil {
			return err
		}
		pid = p.ID
		v, err := s.addVersion(tx, p, in)
		if err != nil {
			return err
		}
		tx.SetResult("payee", int64(pid), 200)
		// The audit outlives erasure, so it holds no mask either.
		return database.AuditTx(tx, "payee.enter", pid, nil, map[string]any{"no": v.No, "status": v.Status, "payee_type": v.Type, "account_kind": v.Kind})
	})
	return pid, err
}

// ownOpenID fills in, or checks, the openid of a member who is paid by WeChat:
// a member can name no other than his own.
func ownOpenID(tx *database.Tx, m id.Member, in *Entry) error {
	if in.Kind != AccountWechat || in.OpenID != "" && tx.Actor.Kind == database.ActorStaff {
		return nil
	}
	var own struct{ App, Value string }
	err := tx.Raw(`SELECT app, value FROM identities WHERE member_id = ? AND kind = 'openid' AND (app = ? OR ? = '') AND (value = ? OR ? = '')
		ORDER BY id LIMIT 1`, m, in.AppID, in.AppID, in.OpenID, in.OpenID).Scan(&own).Error
	switch {
	case err != nil:
		return err
	case own.Value == "":
		return fault.Invalid.Field("open_id", "unknown_value", "没有您在该公众号或小程序的身份，请先在其中打开一次本页", "the member is not known in this app; open this page from within it once")
	}
	in.AppID, in.OpenID = own.App, own.Value
	return nil
}

// lockOf locks the member's payee and makes it on first use; the member's row
// is locked already.
func lockOf(tx *database.Tx, m id.Member) (Payee, error) {
	var p Payee
	err := tx.Raw("SELECT * FROM payees WHERE member_id = ?"+tx.Dialect.ForUpdate, m).Scan(&p).Error
	if err != nil || p.ID != 0 {
		return p, err
	}
	p = Payee{ID: id.Payee(tx.Next()), MemberID: m, CreatedAt: tx.Now}
	return p, tx.Create(&p).Error
}

// addVersion writes the version and says on the payee where it stands.
func (s *Service) addVersion(tx *database.Tx, p Payee, in Entry) (Version, error) {
	taxpayer, err := s.taxpayerTx(tx, in.IDNo)
	if err != nil {
		return Version{}, err
	}
	r := row{PayeeID: p.ID, Version: Version{No: p.LastNo + 1, Status: StatusPending, Type: in.Type, Kind: in.Kind, AppID: in.AppID, TaxpayerID: taxpayer,
		NameMask: maskName(in.Name, in.Type), IDMask: maskTail(in.IDNo, 4), AccountMask: maskTail(in.account(), 4), PhoneMask: maskPhone(in.Phone),
		NameHash: s.hashes("name", in.Name)[0], AccountHash: s.hashes("account", string(in.Kind)+" "+in.account())[0],
		Consent: in.ConsentVersion, EnteredBy: tx.Actor.Staff, EnteredAt: tx.Now}}
	if tx.Actor.Kind != database.ActorStaff && p.PaidAt == 0 {
		r.Status = StatusActive
	}
	text, err := json.Marshal(in.Details)
	if err != nil {
		return r.Version, err
	}
	r.Sealed = s.Secrets.Seal(secret.PII, text, belongs(p.ID, r.No))
	if err := tx.Create(&r).Error; err != nil {
		return r.Version, fmt.Errorf("payee: %s: %w", p.ID, err)
	}
	old := p.PendingNo // a change that waited is replaced in any case
	active, pending := p.ActiveNo, r.No
	if r.Status == StatusActive {
		active, pending = r.No, 0
		if err := retire(tx, p.ID, p.ActiveNo); err != nil {
			return r.Version, err
		}
	}
	if err := retire(tx, p.ID, old); err != nil {
		return r.Version, err
	}
	return r.Version, tx.Exec("UPDATE payees SET active_no = ?, pending_no = ?, last_no = ? WHERE id = ?", active, pending, r.No, p.ID).Error
}

func belongs(p id.Payee, no int) []byte { return fmt.Appendf(nil, "payee:%d:%d", p, no) }

// retire marks a version as replaced; 0 is none.
func retire(tx *database.Tx, p id.Payee, no int) error {
	return tx.Exec("UPDATE payee_versions SET status = ? WHERE payee_id = ? AND no = ?", StatusReplaced, p, no).Error
}

// taxpayerTx is who bears the identity or tax number, made on first use. Two
// members with one number are one taxpayer.
func (s *Service) taxpayerTx(tx *database.Tx, number string) (int64, error) {
	hashes := s.hashes("id", number)
	for {
		var there int64
		if err := tx.Raw("SELECT COALESCE(MIN(id), 0) FROM taxpayers WHERE hash IN ?", hashes).Scan(&there).Error; err != nil || there != 0 {
			return there, err
		}
		made := tx.Next()
		err := tx.Exec("INSERT INTO taxpayers (id, hash) VALUES (?, ?)", made, hashes[0]).Error
		if err == nil {
			return made, nil
		}
		if !database.IsDuplicate(err) {
			return 0, err
		}
	}
}

// DecideIn decides on the change that waits, by its number, so that nobody
// approves what he did not see.
type DecideIn struct {
	No     int    `json:"no"`
	Reason string `json:"reason"`
}

// Validate checks the form of the input.
func (in DecideIn) Validate() error {
	var c fault.Check
	c.That(in.No > 0, "no", "required", "请填写所审核的版本号", "name the version you decide on")
	c.Length(in.Reason, "reason", 200)
	c.That(plain(in.Reason), "reason", "format", "不能含控制字符", "must not hold control characters")
	return c.Err()
}

// Approve puts the waiting change in force; whoever entered it cannot.
func (s *Service) Approve(ctx context.Context, pid id.Payee, in DecideIn) error {
	return s.decide(ctx, pid, in, StatusActive)
}

// Reject drops the waiting change; what was in force stays.
func (s *Service) Reject(ctx context.Context, pid id.Payee, in DecideIn) error {
	var c fault.Check
	c.Required(in.Reason, "reason")
	if err := c.Err(); err != nil {
		return err
	}
	return s.decide(ctx, pid, in, StatusRejected)
}

func (s *Service) decide(ctx context.Context, pid id.Payee, in DecideIn, to Status) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		p, err := lockPayee(tx, pid)
		switch {
		case err != nil:
			return err
		case p.PendingNo == 0 || p.PendingNo != in.No:
			return ErrNoPending
		}
		var entered id.Staff
		err = tx.Raw("SELECT entered_by FROM payee_versions WHERE payee_id = ? AND no = ?", pid, in.No).Scan(&entered).Error
		switch {
		case err != nil:
			return err
		case entered == who && to == StatusActive:
			return ErrSamePerson
		}
		active := p.ActiveNo
		if to == StatusActive {
			if err := retire(tx, pid, p.ActiveNo); err != nil {
				return err
			}
			active = in.No
		}
		err = tx.Exec("UPDATE payee_versions SET status = ?, decided_by = ?, decided_at = ?, reason = ? WHERE payee_id = ? AND no = ?",
			to, who, tx.Now, in.Reason, pid, in.No).Error
		if err != nil {
			return err
		}
		if err := tx.Exec("UPDATE payees SET active_no = ?, pending_no = 0 WHERE id = ?", active, pid).Error; err != nil {
			return err
		}
		tx.SetResult("payee", int64(pid), 200)
		return database.AuditTx(tx, "payee.decide", pid, StatusPending, map[string]any{"no": in.No, "status": to})
	})
}

// lockPayee locks a payee whose member the actor sees.
func lockPayee(tx *database.Tx, pid id.Payee) (Payee, error) {
	var p Payee
	err := tx.Raw("SELECT * FROM payees WHERE id = ?"+tx.Dialect.ForUpdate, pid).Scan(&p).Error
	if err != nil {
		return p, err
	}
	return p, seen(tx.DB, tx.Actor, p)
}

// seen hides payees of members of units elsewhere.
func seen(q *database.Query, a database.Actor, p Payee) error {
	var unit struct {
		ID     id.Member
		UnitID id.Unit
	}
	if err := q.Raw("SELECT id, unit_id FROM members WHERE id = ?", p.MemberID).Scan(&unit).Error; err != nil {
		return err
	}
	if p.ID == 0 || unit.ID == 0 || !a.Sees(unit.UnitID) || a.Member != 0 && a.Member != p.MemberID {
		return fault.NotFound
	}
	return nil
}
