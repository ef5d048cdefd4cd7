package intake

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/sheet"
)

// What a line of each kind says.
type (
	groupIn = community.GroupIn
	humanIn = community.MemberIn

	stayIn struct {
		Group  string             `json:"group"`
		Member id.Member          `json:"member_id"`
		By     community.Identity `json:"by"`
		Role   community.Role     `json:"role"`
		Joined clock.Milli        `json:"joined_at"`
		Left   clock.Milli        `json:"left_at"`
	}

	sendIn struct {
		Group string      `json:"group"`
		At    clock.Milli `json:"at"`
		N     int         `json:"n"`
	}
)

// format is a kind's columns and how a line is read. seen are the names that
// lines before had, where a name may come once.
type format struct {
	columns map[string]string
	must    []string
	read    func(row sheet.Row, zone *time.Location, seen map[string]int, l *line)
}

var formats = map[Kind]format{
	KindGroups: {columns: names("external_id 群id chat_id", "name 群名 群名称", "preset 群类型", "unit_id 组织", "owner_id 群主",
		"zone 时区", "born_at 建群时间 创建时间 created_at"),
		must: []string{"external_id", "name"}, read: readGroup},
	KindMembers: {columns: names(mallID, unionID, wecomID, phoneNo, "name 姓名 昵称", "unit_id 组织"),
		read: readHuman},
	KindMemberships: {columns: names(mallID, unionID, wecomID, phoneNo, "member_id 会员",
		"group 群 群名 群名称 群id external_id group_id chat_id", "role 角色", "joined_at 入群时间 join_time", "left_at 退群时间"),
		must: []string{"group"}, read: readStay},
	KindSends: {columns: names( // as a checkup reads them
		"group 群 群名 群名称 group_id group_name", "time at 时间 日期 date", "event 事件 类型 kind", "n count 数量 人数", "preset 群类型"),
		must: []string{"group", "time", "event"}, read: readSend},
}

// The columns that say who somebody is.
const (
	mallID  = "mall_id 商城号 会员号"
	unionID = "unionid"
	wecomID = "wecom_external external_userid 外部联系人"
	phoneNo = "phone 手机号 手机 电话"
)

// names are what columns may be called: of each list the first is the column.
func names(lists ...string) map[string]string {
	out := map[string]string{}
	for _, list := range lists {
		words := strings.Fields(list)
		for _, w := range words {
			out[w] = words[0]
		}
	}
	return out
}

func readGroup(row sheet.Row, zone *time.Location, seen map[string]int, l *line) {
	in := groupIn{ExternalID: row.Field("external_id"), Name: row.Field("name"), Preset: community.Preset(strings.ToLower(row.Field("preset"))), Zone: row.Field("zone")}
	if in.ExternalID == "" {
		*l = l.bad("external_id", "required", "必填：群在企业微信等处的编号", "is required: what the group is called where it lives")
		return
	}
	if first := seen[in.ExternalID]; first != 0 {
		*l = l.bad("external_id", "repeated", fmt.Sprintf("与第 %d 行重复", first), fmt.Sprintf("stands in line %d already", first))
		return
	}
	seen[in.ExternalID] = l.No
	if !optionalID(row.Field("unit_id"), &in.UnitID) {
		*l = l.bad("unit_id", "format", "应为 unt_ 开头的组织编号，或留空", "must be a unit's id like unt_…, or empty")
		return
	}
	if !optionalID(row.Field("owner_id"), &in.OwnerID) {
		*l = l.bad("owner_id", "format", "应为 stf_ 开头的员工编号，或留空", "must be a colleague's id like stf_…, or empty")
		return
	}
	if !moment(row, "born_at", zone, &in.BornAt, l) {
		return
	}
	if err := in.Validate(); err != nil {
		*l = l.badBy(err)
		return
	}
	l.G = &in
}

func readHuman(row sheet.Row, _ *time.Location, _ map[string]int, l *line) {
	in := humanIn{Name: row.Field("name"), Identities: identities(row)}
	if len(in.Identities) == 0 {
		*l = l.bad("mall_id", "required", "至少要有一种身份：商城号、unionid、外部联系人或手机号", "one of mall_id, unionid, wecom_external and phone is required")
		return
	}
	if !optionalID(row.Field("unit_id"), &in.UnitID) {
		*l = l.bad("unit_id", "format", "应为 unt_ 开头的组织编号，或留空", "must be a unit's id like unt_…, or empty")
		return
	}
	if err := (community.MemberBatch{Members: []humanIn{in}}).Validate(); err != nil {
		*l = l.badBy(err, in.Identities...)
		return
	}
	l.M = &in
}

func readStay(row sheet.Row, zone *time.Location, _ map[string]int, l *line) {
	in := stayIn{Group: row.Field("group"), Role: community.Role(strings.ToLower(row.Field("role")))}
	if in.Group == "" {
		*l = l.bad("group", "required", "必填：群的编号或群名", "is required: the group's id or name")
		return
	}
	if !optionalID(row.Field("member_id"), &in.Member) {
		*l = l.bad("member_id", "format", "应为 mem_ 开头的会员编号，或留空并给出身份", "must be a member's id like mem_…, or empty beside an identity")
		return
	}
	if list := identities(row); in.Member == 0 && len(list) > 0 {
		in.By = list[0]
	}
	if in.Member == 0 && in.By.Value == "" {
		*l = l.bad("mall_id", "required", "至少要有会员编号或一种身份", "a member_id or an identity is required")
		return
	}
	if !moment(row, "joined_at", zone, &in.Joined, l) || !moment(row, "left_at", zone, &in.Left, l) {
		return
	}
	check := community.MembershipIn{MemberID: 1, Role: in.Role, JoinedAt: in.Joined, LeftAt: in.Left}
	if err := (community.MembershipBatch{Memberships: []community.MembershipIn{check}}).Validate(); err != nil {
		*l = l.badBy(err)
		return
	}
	if in.By.Value != "" {
		if err := (community.MemberBatch{Members: []humanIn{{Identities: []community.Identity{in.By}}}}).Validate(); err != nil {
			*l = l.badBy(err, in.By)
			return
		}
	}
	l.S = &in
}

// sends are the words of a line that tells of a send; others are a checkup's.
var sends = map[string]bool{"send": true, "ad": true, "推广": true, "发送": true, "广告": true, "群发": true}

var others = map[string]bool{
	"join": true, "入群": true, "加入": true, "进群": true, "leave": true, "退群": true, "离开": true, "quit": true,
	"size": true, "人数": true, "members": true, "created": true, "建群": true, "创建": true,
}

func readSend(row sheet.Row, zone *time.Location, _ map[string]int, l *line) {
	in := sendIn{Group: row.Field("group"), N: 1}
	event := strings.ToLower(row.Field("event"))
	switch {
	case in.Group == "":
		*l = l.bad("group", "required", "必填：群的编号或群名", "is required: the group's id or name")
		return
	case others[event]:
		l.Skip = &Remedy{"event", "skipped", "只导入推广；进退群请用 memberships 文件", "only sends are brought in; joins and leaves come by a file of memberships"}
		return
	case !sends[event]:
		*l = l.bad("event", "unknown_value", "应为 send（推广）、join、leave、size 或 created", "must be send, join, leave, size or created")
		return
	}
	if !moment(row, "time", zone, &in.At, l) {
		return
	}
	if in.At == 0 {
		*l = l.bad("time", "required", "必填，例如 2026-03-02 10:00", "is required; write it like 2026-03-02 10:00")
		return
	}
	if text := row.Field("n"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			*l = l.bad("n", "range", "应为 1 到 1000 的整数", "must be a whole number from 1 to 1000")
			return
		}
		in.N = n
	}
	l.A = &in
}

// sayWho are the columns that say who somebody is, the surest first.
var sayWho = []struct {
	column string
	kind   community.IdentityKind
}{
	{"mall_id", community.IdentityMall}, {"unionid", community.IdentityUnionID},
	{"wecom_external", community.IdentityWecomExternal}, {"phone", community.IdentityPhone},
}

// identities are who the line says somebody is, the surest first.
func identities(row sheet.Row) []community.Identity {
	var out []community.Identity
	for _, x := range sayWho {
		if v := row.Field(x.column); v != "" {
			out = append(out, community.Identity{Kind: x.kind, Value: v})
		}
	}
	return out
}

// moment reads an optional time; it says whether the line may go on.
func moment(row sheet.Row, column string, zone *time.Location, into *clock.Milli, l *line) bool {
	text := row.Field(column)
	if text == "" {
		return true
	}
	t, ok := sheet.Moment(text, zone)
	if !ok || t.Unix() <= 0 {
		*l = l.bad(column, "format", "看不懂的时间，请写成 2026-03-02 10:00", "is no time; write it like 2026-03-02 10:00")
		return false
	}
	*into = clock.MilliOf(t)
	return true
}

// optionalID reads an id that may be left out.
func optionalID[T interface{ UnmarshalText([]byte) error }](text string, into T) bool {
	return text == "" || into.UnmarshalText([]byte(text)) == nil
}
