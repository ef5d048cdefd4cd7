package tieout

import (
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/money"
	"siyu/internal/sheet"
)

// Form is how a provider's statement is read; it is data (statements.json).
// What a word of its column of kinds means is in Words, Rest is what a word
// means that is not there; without Rest such a line refuses the file.
type Form struct {
	Name       string            `json:"name"`
	TitleZH    string            `json:"title_zh"`
	TitleEN    string            `json:"title_en"`
	Ends       string            `json:"ends"` // begins the line of totals, whose next line tells the count
	Lead       string            `json:"lead"` // what each cell may begin with
	At         []string          `json:"at"`
	Kind       []string          `json:"kind"`
	Words      map[string]Kind   `json:"words"`
	Rest       Kind              `json:"rest"`
	No         map[Kind][]string `json:"no"`
	ProviderNo map[Kind][]string `json:"provider_no"`
	Amount     map[Kind][]string `json:"amount"` // in yuan
}

//go:embed statements.json
var data []byte

// forms are read once; the file is part of the program, so an error in it is
// one of the programmer.
var forms = func() (list []Form) {
	if err := json.Unmarshal(data, &list); err != nil {
		panic("tieout: statements.json: " + err.Error())
	}
	return list
}()

// The bounds of one file; a larger day comes in parts.
const (
	BytesMax = 32 << 20
	LinesMax = 200_000
	PartsMax = 50
)

// The refusals of a file.
var (
	ErrForm   = fault.New(fault.KindUnprocessable, "tieout.form", "没有账单格式 {form}；有：{known}", "there is no form of statement {form}; there are {known}")
	ErrText   = fault.New(fault.KindUnprocessable, "tieout.text", "文件无法读取：应为 UTF-8 或 GBK 的 CSV", "the file cannot be read; it must be CSV in UTF-8 or GBK")
	ErrHeads  = fault.New(fault.KindUnprocessable, "tieout.heads", "第一行须是表头，缺少列：{missing}", "the first line must name the columns; it lacks {missing}")
	ErrLine   = fault.New(fault.KindUnprocessable, "tieout.line", "第 {line} 行的 {field} 不成立：{hint_zh}", "{field} of line {line} cannot stand: {hint_en}")
	ErrLarge  = fault.New(fault.KindUnprocessable, "tieout.too_large", "一个文件最多 32 MB、20 万行，请分成几部分（part）", "a file has at most 32 MB and 200,000 lines; deliver it in parts")
	ErrCount  = fault.New(fault.KindUnprocessable, "tieout.count", "账单自称 {told} 笔，实际读到 {read} 笔，文件可能不完整", "the statement counts {told} lines and has {read}; it may have been cut off")
	ErrDay    = fault.New(fault.KindUnprocessable, "tieout.day", "第 {line} 行的时间不在 {day} 当天", "the time of line {line} is not of {day}")
	errNumber = [2]string{"最多 64 个字符，且不能为空", "1 to 64 characters"}
	errAmount = [2]string{"应为最多两位小数的金额，不能为负", "an amount in yuan with at most two decimals, not negative"}
	errAt     = [2]string{"应为时间，如 2026-03-01 10:00:00", "a time like 2026-03-01 10:00:00"}
	errKind   = [2]string{"未知的种类", "an unknown kind"}
	errOrder  = [2]string{"应为 ord_ 开头的订单编号，或留空", "an order's id like ord_…, or nothing"}
)

func bad(line int, field string, hint [2]string) error {
	return ErrLine.With("line", line).With("field", field).With("hint_zh", hint[0]).With("hint_en", hint[1])
}

// Forms lists the forms of statements.
func Forms() []Form { return slices.Clone(forms) }

// FindForm is the form of that name.
func FindForm(name string) (Form, error) {
	for _, f := range forms {
		if f.Name == name {
			return f, nil
		}
	}
	var known []string
	for _, f := range forms {
		known = append(known, f.Name)
	}
	return Form{}, ErrForm.With("form", name).With("known", strings.Join(known, ", "))
}

// Read reads a statement of a day. provider says that the numbers Siyu was told
// are the provider's and not the merchant's.
func (f Form) Read(body []byte, day int, provider bool) ([]Line, error) {
	numbers := f.No
	if provider {
		numbers = f.ProviderNo
	}
	s, err := opened(body, f.heads(numbers))
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(f.At, s.Has) || !slices.ContainsFunc(f.Kind, s.Has) {
		return nil, ErrHeads.With("missing", f.At[0]+"、"+f.Kind[0])
	}
	lines := []Line{}
	for {
		row, err := next(s)
		switch {
		case errors.Is(err, io.EOF):
			return lines, nil
		case err != nil:
			return nil, err
		case f.Ends != "" && f.cell(row, f.At) == f.Ends:
			return lines, f.counted(s, len(lines))
		case len(lines) == LinesMax:
			return nil, ErrLarge
		}
		l, err := f.line(row, day, numbers)
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
}

func (f Form) line(row sheet.Row, day int, numbers map[Kind][]string) (Line, error) {
	var l Line
	var ok bool
	if l.Kind, ok = f.Words[f.cell(row, f.Kind)]; !ok {
		if l.Kind = f.Rest; l.Kind == "" {
			return l, bad(row.Line, f.Kind[0], errKind)
		}
	}
	heads := f.Amount[l.Kind]
	var err error
	if l.Amount, err = yuan(f.cell(row, heads)); err != nil {
		return l, bad(row.Line, heads[0], errAmount)
	}
	if heads = numbers[l.Kind]; len(heads) > 0 {
		if l.No = f.cell(row, heads); !numbered(l.No) {
			return l, bad(row.Line, heads[0], errNumber)
		}
	}
	at, ok := sheet.Moment(f.cell(row, f.At), zone())
	if !ok {
		return l, bad(row.Line, f.At[0], errAt)
	}
	return l, l.of(at, row.Line, day)
}

// of sets the line's time, which must be of the day.
func (l *Line) of(at time.Time, line, day int) error {
	if clock.Day(at, zone()) != day {
		return ErrDay.With("line", line).With("day", day)
	}
	l.At = clock.MilliOf(at)
	return nil
}

func numbered(no string) bool { return no != "" && len(no) <= 64 }

// yuan reads an amount; a statement may write what went out with a sign.
func yuan(s string) (money.Amount, error) {
	a, err := money.Parse(strings.ReplaceAll(strings.TrimPrefix(s, "-"), ",", ""))
	if err == nil && a < 0 {
		err = errors.New("tieout: below zero")
	}
	return a, err
}

// counted compares the lines with what the statement says their number is.
func (f Form) counted(s *sheet.Sheet, read int) error {
	row, err := next(s)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	told, err := strconv.Atoi(strings.ReplaceAll(f.cell(row, f.At), ",", ""))
	if err != nil || told != read {
		return ErrCount.With("told", f.cell(row, f.At)).With("read", read)
	}
	return nil
}

// cell is the row's first column of these that says anything.
func (f Form) cell(row sheet.Row, heads []string) string {
	for _, h := range heads {
		if v := strings.TrimSpace(strings.TrimPrefix(row.Field(h), f.Lead)); v != "" {
			return v
		}
	}
	return ""
}

// heads are the names of all columns that the form reads.
func (f Form) heads(numbers map[Kind][]string) map[string]string {
	out := map[string]string{}
	add := func(names []string) {
		for _, n := range names {
			out[strings.ToLower(n)] = n
		}
	}
	add(f.At)
	add(f.Kind)
	for _, m := range []map[Kind][]string{numbers, f.Amount} {
		for _, names := range m {
			add(names)
		}
	}
	return out
}

func opened(body []byte, columns map[string]string) (*sheet.Sheet, error) {
	if len(body) > BytesMax {
		return nil, ErrLarge
	}
	s, err := sheet.Open(body, columns)
	if err != nil {
		return nil, ErrText.Wrap(err)
	}
	return s, nil
}

func next(s *sheet.Sheet) (sheet.Row, error) {
	row, err := s.Next()
	if err != nil && !errors.Is(err, io.EOF) {
		err = ErrText.Wrap(err)
	}
	return row, err
}
