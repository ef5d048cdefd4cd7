package payfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"siyu/internal/fault"
	"siyu/internal/money"
)

// State is what a result says of a payment.
type State string

// The states. What a file says in words that the form does not know is
// unknown, never success.
const (
	Success State = "success"
	Fail    State = "fail"
	Unknown State = "unknown"
)

// Result is one line of a result file. Line or BillNo names the payment;
// Amount is Untold where the file tells none, and Unreadable where it tells one
// that is no amount: that is not the one that was paid.
type Result struct {
	Row    int // of the file, its heads being some row before
	Line   int
	BillNo string
	Amount money.Amount
	State  State
	Reason string
}

// What an amount may be instead of one.
const (
	Untold     money.Amount = -1
	Unreadable money.Amount = -2
)

// The bounds of a result file.
const (
	BytesMax = 8 << 20
	RowsMax  = 20_000
)

// The refusals of a whole file.
var (
	ErrHeads = fault.New(fault.KindUnprocessable, "payfile.heads", "没有找到表头：至少要有 {state} 与 {name} 两列",
		"no line of heads was found: the columns {state} and {name} at least")
	ErrEmpty = fault.New(fault.KindUnprocessable, "payfile.empty", "文件里没有一笔付款：每行须有序号或业务编号，以及处理结果", "the file names no payment: a line has its number or its bill, and a state")
	ErrLarge = fault.New(fault.KindUnprocessable, "payfile.too_large", "结果文件最多 8 MB、20000 行，请拆分", "a result file has at most 8 MB and 20,000 lines; split it")
	ErrText  = fault.New(fault.KindUnprocessable, "payfile.text", "文件无法读取：应为 UTF-8 或 GBK 的分隔文本", "the file cannot be read; it must be separated text in UTF-8 or GBK")
)

// Read reads a result file of the form. It may begin with lines of its own
// before the heads; lines that name no payment, like a line of totals, are
// passed over, but not all of them.
func Read(p Profile, body []byte) ([]Result, error) {
	if len(body) > BytesMax {
		return nil, ErrLarge
	}
	body = bytes.TrimPrefix(body, []byte("\uFEFF"))
	if !utf8.Valid(body) {
		var err error
		if body, err = simplifiedchinese.GB18030.NewDecoder().Bytes(body); err != nil {
			return nil, ErrText.Wrap(err)
		}
	}
	r := csv.NewReader(bytes.NewReader(body))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = rune(p.Comma[0]), -1, true, true
	var at places
	var out []Result
	for row := 1; ; row++ {
		cells, err := r.Read()
		switch {
		case errors.Is(err, io.EOF) && at.state == 0:
			return nil, ErrHeads.With("state", p.Result.State[0]).With("name", p.Result.Line[0])
		case errors.Is(err, io.EOF) && len(out) == 0:
			return nil, ErrEmpty
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, ErrText.Wrap(err)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if at.state == 0 {
			at = p.Result.find(cells)
			continue
		}
		if x, ok := p.Result.read(at, cells); ok {
			x.Row = row
			out = append(out, x)
		}
		if len(out) > RowsMax {
			return nil, ErrLarge
		}
	}
}

// places are where the columns lie, from 1; 0 is nowhere.
type places struct{ line, bill, amount, state, reason int }

func (a Answer) find(cells []string) places {
	place := func(names []string) int {
		for _, n := range names {
			if i := slices.Index(cells, n); i >= 0 {
				return i + 1
			}
		}
		return 0
	}
	at := places{place(a.Line), place(a.BillNo), place(a.Amount), place(a.State), place(a.Reason)}
	if at.line == 0 && at.bill == 0 {
		return places{}
	}
	return at
}

func (a Answer) read(at places, cells []string) (Result, bool) {
	cell := func(i int) string {
		if i == 0 || i > len(cells) {
			return ""
		}
		return cells[i-1]
	}
	x := Result{BillNo: cell(at.bill), Amount: a.amount(cell(at.amount)), Reason: short(cell(at.reason)), State: Unknown}
	x.Line, _ = strconv.Atoi(cell(at.line))
	if x.Line <= 0 && x.BillNo == "" || cell(at.state) == "" && x.BillNo == "" {
		return x, false
	}
	switch state := cell(at.state); {
	case slices.Contains(a.Success, state):
		x.State = Success
	case slices.Contains(a.Fail, state):
		x.State = Fail
	case x.Reason == "":
		x.Reason = short(state)
	}
	return x, true
}

func (a Answer) amount(text string) money.Amount {
	text = strings.TrimSpace(strings.NewReplacer(",", "", "¥", "", "￥", "", "元", "").Replace(text))
	if text == "" {
		return Untold
	}
	n, err := money.Parse(text)
	if a.Form != FormYuan {
		var fen int64
		fen, err = strconv.ParseInt(text, 10, 64)
		n = money.Amount(fen)
	}
	if err != nil || n < 0 {
		return Unreadable
	}
	return n
}

// short bounds what is kept of a reason, without control characters.
func short(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 100 {
		return string(r[:100])
	}
	return s
}
