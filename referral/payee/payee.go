// Package payee knows who pays rewards in money, who receives them, and what
// was withheld for the tax office on the way.
//
// A payer is the legal entity that pays, with its tax strategy; a program,
// a campaign and a settlement each may name one, so that a document never mixes
// two. A payee is what one member is paid as: natural person,
// staff, sole trader or company, in versions that are added and decided but
// never edited; what identifies him is sealed, shown masked, and opened only
// for a payout file, with an audit row. Tax is withheld when it is paid: a
// line per payment, in the month of its agent (the entity the tax office
// knows), its taxpayer (one person, whoever's member ids) and its kind of
// income, whose row is locked and is the fold of its lines.
//
// Tables: payers, payees, payee_versions, payee_invoices, taxpayers,
// tax_agents, tax_months, tax_lines, tax_closes. It reads units and members.
// Invariant: V15. Callers: referral (a program's payer), referral/settlement,
// api, web.
package payee

import (
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/secret"
)

// Service is the room's use cases.
type Service struct {
	DB      *database.DB
	Secrets *secret.Set
}

// Type is what a member is paid as.
type Type string

// The types. Staff are paid by the payroll file, whose tax is payroll's; sole traders and
// companies send an invoice first and nothing is withheld from them.
const (
	TypeNatural    Type = "natural"
	TypeStaff      Type = "staff"
	TypeSoleTrader Type = "sole_trader"
	TypeCompany    Type = "company"
)

func (t Type) invoices() bool { return t == TypeSoleTrader || t == TypeCompany }

// AccountKind is where money is sent.
type AccountKind string

// The kinds of account.
const (
	AccountWechat AccountKind = "wechat"
	AccountBank   AccountKind = "bank"
	AccountAlipay AccountKind = "alipay"
)

// Status is where a version of a payee stands.
type Status string

// The states: a version is active at once or pending first; a later one
// replaces it.
const (
	StatusActive   Status = "active"
	StatusPending  Status = "pending"
	StatusReplaced Status = "replaced"
	StatusRejected Status = "rejected"
	StatusErased   Status = "erased"
)

// Details are what a member is paid by: personal data, sealed at rest.
type Details struct {
	Type     Type        `json:"payee_type"`
	Name     string      `json:"name"`  // as on the identity card, or the firm's
	IDNo     string      `json:"id_no"` // resident id, or the firm's tax number
	Phone    string      `json:"phone"`
	Kind     AccountKind `json:"account_kind"`
	AppID    string      `json:"app_id"`  // wechat
	OpenID   string      `json:"open_id"` // wechat
	CardNo   string      `json:"card_no"` // bank
	BankName string      `json:"bank_name"`
	Branch   string      `json:"branch"`
	CNAPS    string      `json:"cnaps"`
	Alipay   string      `json:"alipay"` // the login name
}

// Version is one version of a payee, masked.
type Version struct {
	No          int         `json:"no"`
	Status      Status      `json:"status"`
	Type        Type        `json:"payee_type" gorm:"column:payee_type"`
	Kind        AccountKind `json:"account_kind" gorm:"column:account_kind"`
	AppID       string      `json:"app_id"` // wechat
	TaxpayerID  int64       `json:"-"`
	NameMask    string      `json:"name"`
	IDMask      string      `json:"id_no"`
	AccountMask string      `json:"account"`
	PhoneMask   string      `json:"phone"`
	NameHash    string      `json:"-"`
	AccountHash string      `json:"-"`
	Consent     string      `json:"consent_version" gorm:"column:consent_version"`
	EnteredBy   id.Staff    `json:"entered_by"` // none: the member himself
	EnteredAt   clock.Milli `json:"entered_at"`
	DecidedBy   id.Staff    `json:"decided_by"`
	DecidedAt   clock.Milli `json:"decided_at"`
	Reason      string      `json:"reason"`
}

// Payee is what one member is paid as: the version in force, and a change
// that waits for a second person.
type Payee struct {
	ID        id.Payee    `json:"id"`
	MemberID  id.Member   `json:"member_id"`
	ActiveNo  int         `json:"-"`
	PendingNo int         `json:"-"`
	LastNo    int         `json:"-"`
	Active    *Version    `json:"active" gorm:"-"`
	Pending   *Version    `json:"pending" gorm:"-"`
	PaidAt    clock.Milli `json:"first_paid_at"`
	CreatedAt clock.Milli `json:"created_at"`
}

// Reason is why a member cannot be paid now.
type Reason string

// The reasons; none means that he can.
const (
	ReasonNoPayee   Reason = "no_payee"       // he has given no name and account yet
	ReasonPending   Reason = "pending_change" // a change waits for a second person
	ReasonNoInvoice Reason = "no_invoice"     // his invoices do not reach for the amount
	ReasonNoOpenID  Reason = "no_openid"      // his openid is of another app than the payer's
	ReasonPayroll   Reason = "payroll"        // staff are paid by the payroll file alone
	ReasonBlocked   Reason = "blocked"        // he is on the blocklist, or erased
)

// Words say the reason to the one who is not paid.
func (r Reason) Words() (zh, en string) {
	w := map[Reason][2]string{
		ReasonNoPayee: {"还没有填写收款信息", "it is not known yet how you are paid"}, ReasonPending: {"收款信息的变更还在复核", "a change of how you are paid waits for approval"},
		ReasonNoInvoice: {"发票金额不足", "your invoices do not reach"}, ReasonNoOpenID: {"微信收款账户不是本商家的", "your WeChat account is of another app"},
		ReasonPayroll: {"员工随工资发放", "staff are paid with their wages"}, ReasonBlocked: {"账户已被停用", "the account is stopped"},
	}[r]
	if w[0] == "" {
		return string(r), string(r)
	}
	return w[0], w[1]
}

// Owed is what a member is to get in one payment: gross, or net where the
// payer bears the tax.
type Owed struct {
	Member id.Member
	Amount money.Amount
}

// Ready is who receives a member's payment, or why nobody does. Where the
// payer needs no payee, all but Member may be empty.
type Ready struct {
	Member  id.Member // who he is today
	Payee   id.Payee
	No      int // the version, to be frozen on the payment
	Type    Type
	Kind    AccountKind
	Blocked Reason
}

// The refusals of this room.
var (
	ErrNotStaff   = fault.New(fault.KindForbidden, "payee.not_staff", "只有员工本人可以办理", "only a member of staff in person may do this")
	ErrSamePerson = fault.New(fault.KindForbidden, "payee.same_person", "收款信息的录入与审核必须由不同的人完成", "entering and approving a payee take different people")
	ErrNoPending  = fault.New(fault.KindConflict, "payee.no_pending", "没有待审核的变更，或已有更新的变更，请重新查看", "no such change is waiting; look at the payee again")
	ErrGuest      = fault.New(fault.KindUnprocessable, "identity_required", "请先登录会员，再填写收款信息", "sign in as a member before saying how you are paid")
	ErrConsent    = fault.New(fault.KindUnprocessable, "payee.consent", "请先同意收款信息告知书后再填写", "agree to the notice on payout data first")
	ErrTaxNo      = fault.New(fault.KindConflict, "payee.tax_no", "该付款主体已有扣缴记录，税号不能再改", "tax was withheld under this payer; its tax number stays")
	ErrMonthRuns  = fault.New(fault.KindConflict, "payee.month", "{month} 还没有过完，次月 1 日起才能关账", "{month} is not over; it can be closed from the first of the next month")
	ErrMonthShut  = fault.New(fault.KindConflict, "payee.month", "{month} 已经关账，不能再关；之后退回的款在开着的月份更正", "{month} is closed already; what came back since is corrected in the open month")
	ErrMonth      = fault.New(fault.KindConflict, "payee.month", "{month} 不是月份，应为 202611 这样的年月", "{month} is no month; it must be like 202611")
	ErrReversed   = fault.New(fault.KindConflict, "payee.not_withheld", "没有可冲回的扣缴记录 {key}", "there is no withholding {key} to take back")
)
