// Package access is who may come in: units, staff, their roles and API keys,
// the tokens of members and guests, and reading the audit.
//
// Tables: units, staff, api_keys, work_links; it reads audit, which belongs to
// internal/database. A key is stored as its SHA-256 and shown once; a token is
// an HMAC over who, for what and until when, and is stored nowhere.
//
// Invariants: a staff member has one role and works in one unit; he sees that
// unit's subtree and no more, and only the brand's root sees everything; no
// one creates a colleague, a key or a unit outside his own subtree. A revoked
// key or suspended colleague is refused at once by the process that did it and
// within 5 seconds by every other. A work link opens once, and works for a
// group owner's page alone until it ends or is revoked.
//
// Called by api and web (authentication, handlers) and by `siyu access add`.
package access

import (
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/secret"
)

// Role is what a staff member may do; admin may do everything inside his
// unit's subtree.
type Role string

// The roles.
const (
	Admin      Role = "admin"
	Marketer   Role = "marketer"
	Finance    Role = "finance"
	Cashier    Role = "cashier"
	GroupOwner Role = "group_owner"
	Mall       Role = "mall"
)

// Roles lists every role.
func Roles() []Role { return []Role{Admin, Marketer, Finance, Cashier, GroupOwner, Mall} }

// Known says whether there is such a role.
func (r Role) Known() bool {
	for _, x := range Roles() {
		if r == x {
			return true
		}
	}
	return false
}

// The refusals of access.
var (
	ErrCredentials = fault.New(fault.KindUnauthorized, "access.credentials", "凭证缺失、无效或已过期", "the credentials are missing, wrong or expired")
	ErrNameTaken   = fault.New(fault.KindConflict, "access.name_taken", "同一上级下已有名为 {name} 的组织", "there is already a unit named {name} under this parent")
	ErrUnitDepth   = fault.New(fault.KindUnprocessable, "access.unit_depth", "门店之下不能再建组织", "a store has no units below it")
	ErrSelf        = fault.New(fault.KindConflict, "access.self", "不能停用自己或更改自己的角色与组织", "you cannot suspend yourself or change your own role or unit")
)

// Service is access over one store.
type Service struct {
	DB      *database.DB
	Secrets *secret.Set

	cache keyCache
}

// check refuses the texts no name may have.
func checkName(c *fault.Check, name string) {
	c.Required(name, "name")
	c.Length(name, "name", 100)
	for _, r := range name {
		if r < ' ' || r == 0x7f || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 {
			c.That(false, "name", "format", "不能含控制字符", "must have no control characters")
			return
		}
	}
}
