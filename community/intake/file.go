package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"siyu/community"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/sheet"
)

// The bounds of a file.
const (
	BytesMax = 32 << 20
	LinesMax = 200_000
)

// The refusals of a whole file.
var (
	ErrHeader = fault.New(fault.KindUnprocessable, "intake.header",
		"第一行须是表头；{kind} 文件缺少列 {missing}", "the first line must name the columns; a file of {kind} lacks {missing}")
	ErrEmpty    = fault.New(fault.KindUnprocessable, "intake.empty", "文件里没有数据行", "the file has no line of data")
	ErrTooLarge = fault.New(fault.KindUnprocessable, "intake.too_large", "文件最多 32 MB、20 万行，请拆分", "a file has at most 32 MB and 200,000 lines; split it")
	ErrText     = fault.New(fault.KindUnprocessable, "intake.text",
		"文件不是 UTF-8 或 GBK 的 CSV；请另存为 CSV 再上传", "the file is no CSV in UTF-8 or GBK; save it as CSV and send it again")
)

// File is a file as it was read. Ignored are columns that mean nothing here.
type File struct {
	Kind    Kind
	Ignored []string
	SHA256  string

	lines []line
}

// Len is how many lines of data the file has.
func (f *File) Len() int { return len(f.lines) }

// line is a line of the file: what it says, or why it says nothing.
type line struct {
	No   int      `json:"no"`
	Bad  *Remedy  `json:"bad,omitempty"`
	Skip *Remedy  `json:"skip,omitempty"`
	G    *groupIn `json:"g,omitempty"`
	M    *humanIn `json:"m,omitempty"`
	S    *stayIn  `json:"s,omitempty"`
	A    *sendIn  `json:"a,omitempty"`
}

// Remedy is what is wrong with a line and how to mend it. It quotes nothing of
// a line that may name a person.
type Remedy struct {
	Field string `json:"field"`
	Code  string `json:"code"`
	ZH    string `json:"zh"`
	EN    string `json:"en"`
}

// Read reads a file of a kind. A line that says nothing is kept with its
// remedy; the others stand.
func Read(kind Kind, body []byte, zone *time.Location) (*File, error) {
	k, ok := formats[kind]
	switch {
	case !ok:
		return nil, fault.Invalid.Field("kind", "unknown_value", "应为 "+strings.Join(Kinds(), "、")+" 之一", "must be one of "+strings.Join(Kinds(), ", "))
	case len(body) > BytesMax:
		return nil, ErrTooLarge
	}
	s, err := sheet.Open(body, k.columns)
	if err != nil {
		return nil, ErrText.Wrap(err)
	}
	for _, must := range k.must {
		if !s.Has(must) {
			return nil, ErrHeader.With("kind", kind).With("missing", must)
		}
	}
	sum := sha256.Sum256(body)
	f := &File{Kind: kind, Ignored: s.Ignored, SHA256: hex.EncodeToString(sum[:])}
	seen := map[string]int{}
	for {
		row, err := s.Next()
		switch {
		case errors.Is(err, io.EOF) && len(f.lines) == 0:
			return nil, ErrEmpty
		case errors.Is(err, io.EOF):
			return f, nil
		case err != nil:
			return nil, ErrText.Wrap(err)
		case len(f.lines) == LinesMax:
			return nil, ErrTooLarge
		}
		l := line{No: row.Line}
		k.read(row, zone, seen, &l)
		f.lines = append(f.lines, l)
	}
}

// Places are the units and owners that the file names, for the caller to say
// which of them exist for him.
func (f *File) Places() (units map[id.Unit]bool, owners map[id.Staff]bool) {
	units, owners = map[id.Unit]bool{}, map[id.Staff]bool{}
	for _, l := range f.lines {
		if l.G != nil && l.G.UnitID != 0 {
			units[l.G.UnitID] = true
		}
		if l.G != nil && l.G.OwnerID != 0 {
			owners[l.G.OwnerID] = true
		}
		if l.M != nil && l.M.UnitID != 0 {
			units[l.M.UnitID] = true
		}
	}
	return units, owners
}

// Refuse refuses the lines that name a unit or owner the caller found not to
// exist.
func (f *File) Refuse(unknownUnit func(id.Unit) bool, unknownOwner func(id.Staff) bool) {
	for i := range f.lines {
		l := &f.lines[i]
		switch {
		case l.G != nil && l.G.UnitID != 0 && unknownUnit(l.G.UnitID), l.M != nil && l.M.UnitID != 0 && unknownUnit(l.M.UnitID):
			*l = l.bad("unit_id", "unknown", "没有这个组织，或不在您的范围内", "there is no such unit, or it lies outside yours")
		case l.G != nil && l.G.OwnerID != 0 && unknownOwner(l.G.OwnerID):
			*l = l.bad("owner_id", "unknown", "没有这位员工，或不在您的范围内", "there is no such colleague, or none in your units")
		}
	}
}

// bad is the line with nothing but a remedy.
func (l line) bad(field, code, zh, en string) line {
	return line{No: l.No, Bad: &Remedy{field, code, zh, en}}
}

// badBy is the line refused by the first field of a fault; said is who it says
// somebody is.
func (l line) badBy(err error, said ...community.Identity) line {
	f, ok := fault.As(err)
	if !ok || len(f.Fields) == 0 {
		return l.bad("", "invalid", "这一行不成立", "the line cannot stand")
	}
	x := f.Fields[0]
	return l.bad(column(x.Name, said), x.Code, x.ZH, x.EN)
}

// column is what the file calls the field that a batch of one row was refused
// by.
func column(field string, said []community.Identity) string {
	field = strings.TrimPrefix(strings.TrimPrefix(field, "members[0]."), "memberships[0].")
	var no int
	if _, err := fmt.Sscanf(field, "identities[%d]", &no); err != nil || no >= len(said) {
		return field
	}
	for _, c := range sayWho {
		if c.kind == said[no].Kind {
			return c.column
		}
	}
	return field
}
