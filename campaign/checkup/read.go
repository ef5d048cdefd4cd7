package checkup

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/sheet"
)

// The bounds of a file.
const (
	BytesMax = 64 << 20
	LinesMax = 1_000_000
	// badMax is how many bad lines are told; all are counted.
	badMax = 50
)

// Lines say what became of the file.
type Lines struct {
	Read int       `json:"read"`
	Bad  int       `json:"bad"`
	Why  []BadLine `json:"why"` // the first of them
}

// BadLine is a line that says nothing, and the remedy.
type BadLine struct {
	Line  int    `json:"line"`
	Field string `json:"field"`
	Words
}

// The refusals of a whole file.
var (
	ErrHeader = fault.New(fault.KindUnprocessable, "checkup.header",
		"第一行须是表头，至少含 group（群）、time（时间）、event（事件）三列；缺 {missing}",
		"the first line must name the columns group, time and event at least; {missing} is missing")
	ErrTooLarge = fault.New(fault.KindUnprocessable, "checkup.too_large",
		"文件最多 64 MB、100 万行，请按时间拆分", "a file has at most 64 MB and 1,000,000 lines; split it by time")
)

// columns are the names a column may have.
var columns = map[string]string{
	"group": "group", "群": "group", "群名": "group", "群名称": "group", "group_id": "group", "group_name": "group",
	"time": "time", "at": "time", "时间": "time", "日期": "time", "date": "time",
	"event": "event", "事件": "event", "类型": "event", "kind": "event",
	"n": "n", "count": "n", "数量": "n", "人数": "n",
	"preset": "preset", "群类型": "preset",
}

// kinds are the names an event may have.
var kinds = map[string]Kind{
	"send": KindSend, "ad": KindSend, "推广": KindSend, "发送": KindSend, "广告": KindSend, "群发": KindSend,
	"join": KindJoin, "入群": KindJoin, "加入": KindJoin, "进群": KindJoin,
	"leave": KindLeave, "退群": KindLeave, "离开": KindLeave, "quit": KindLeave,
	"size": KindSize, "人数": KindSize, "members": KindSize,
	"created": KindCreated, "建群": KindCreated, "创建": KindCreated,
}

// Read reads a file of events: CSV in UTF-8 or GBK, separated by commas,
// semicolons or tabs, its first line naming the columns in any order. A line
// that says nothing is counted and told; the others stand.
func Read(r io.Reader, zone *time.Location) ([]Event, Lines, error) {
	lines := Lines{Why: []BadLine{}}
	body, err := io.ReadAll(io.LimitReader(r, BytesMax+1))
	switch {
	case err != nil:
		return nil, lines, err
	case len(body) > BytesMax:
		return nil, lines, ErrTooLarge
	}
	file, err := sheet.Open(body, columns)
	if err != nil {
		return nil, lines, err
	}
	for _, must := range []string{"group", "time", "event"} {
		if !file.Has(must) {
			return nil, lines, ErrHeader.With("missing", must)
		}
	}
	var out []Event
	for {
		row, err := file.Next()
		if errors.Is(err, io.EOF) {
			return out, lines, nil
		}
		if err != nil {
			return nil, lines, err
		}
		if lines.Read++; lines.Read > LinesMax {
			return nil, lines, ErrTooLarge
		}
		e, bad := event(row, zone)
		if bad == nil {
			out = append(out, e)
			continue
		}
		if lines.Bad++; len(lines.Why) < badMax {
			bad.Line = row.Line
			lines.Why = append(lines.Why, *bad)
		}
	}
}

func event(row sheet.Row, zone *time.Location) (Event, *BadLine) {
	field := row.Field
	bad := func(name, zh, en string) *BadLine { return &BadLine{Field: name, Words: Words{zh, en}} }
	e := Event{Group: field("group"), N: 1, Preset: guard.Preset(field("preset"))}
	if e.Group == "" {
		return e, bad("group", "群名为空", "the group is empty")
	}
	var ok bool
	if e.Kind, ok = kinds[strings.ToLower(field("event"))]; !ok {
		return e, bad("event", fmt.Sprintf("不认识的事件 %q，应为 send、join、leave、size、created", field("event")),
			fmt.Sprintf("%q is not one of send, join, leave, size, created", field("event")))
	}
	at, ok := sheet.Moment(field("time"), zone)
	if e.At = clock.MilliOf(at); !ok {
		return e, bad("time", fmt.Sprintf("看不懂的时间 %q，例如 2026-03-02 10:00", field("time")),
			fmt.Sprintf("%q is no time; write it like 2026-03-02 10:00", field("time")))
	}
	if s := field("n"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 || n > 1_000_000 || e.Kind == KindSend && n > 1000 {
			return e, bad("n", fmt.Sprintf("数量 %q 应为 0 到 1000000 的整数（推广最多 1000）", s), fmt.Sprintf("%q must be a whole number from 0 to 1000000, of sends at most 1000", s))
		}
		e.N = n
	}
	if p := string(e.Preset); p != "" && !known(p) {
		return e, bad("preset", fmt.Sprintf("没有预设 %q", p), fmt.Sprintf("there is no preset %q", p))
	}
	return e, nil
}

func known(preset string) bool {
	for _, p := range guard.PresetNames {
		if p == preset {
			return true
		}
	}
	return false
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
