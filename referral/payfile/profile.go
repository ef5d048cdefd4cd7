// Package payfile writes the files that banks and agents pay by, and reads
// what they answer.
//
// It is pure: rows in, bytes out, bytes in, results out; no store, no clock.
// A form is data (profiles.json): which columns in which order, in fen or
// yuan, in which encoding, and by which words a result is told. They are
// generic forms of their kind and were not tried with any bank; a house adds
// its own beside them.
//
// What must stay true: an amount is written and read without a float; what an
// encoding cannot hold is refused by the line's number, never replaced; free
// text never begins a formula. Caller: referral/settlement.
package payfile

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"

	"siyu/internal/fault"
)

// Profile is one form of file.
type Profile struct {
	Name        string   `json:"name"`
	TitleZH     string   `json:"title_zh"`
	TitleEN     string   `json:"title_en"`
	AccountKind string   `json:"account_kind"` // whom it can pay; none: everybody
	PayeeType   string   `json:"payee_type"`   // staff: payroll, which pays nobody else; none: everybody but staff
	Encoding    Encoding `json:"encoding"`
	Comma       string   `json:"comma"`
	Bare        bool     `json:"bare"`     // no line of heads
	MaxRows     int      `json:"max_rows"` // of one file; more go into a next part
	Before      []Cell   `json:"before"`   // a line of totals in front
	Columns     []Cell   `json:"columns"`
	After       []Cell   `json:"after"` // a line of totals behind
	Result      Answer   `json:"result"`
}

// Encoding is how text is written.
type Encoding string

// The encodings.
const (
	UTF8    Encoding = "utf-8"
	UTF8BOM Encoding = "utf-8-bom"
	GBK     Encoding = "gbk"
)

// Cell is one column, or one cell of a line of totals.
type Cell struct {
	Head  string `json:"head"`
	Field Field  `json:"field"`
	Form  Form   `json:"form"`
	Const string `json:"const"`
	Lead  string `json:"lead"` // a tab keeps spreadsheets from rounding long numbers
}

// Form is how an amount is written.
type Form string

// The forms: fen as an integer, unless it says yuan with two decimals.
const (
	FormFen  Form = "fen"
	FormYuan Form = "yuan"
)

// Answer says how a result file of the form is read: the heads a column may
// have, and the words for what became of a payment.
type Answer struct {
	Line    []string `json:"line"`
	BillNo  []string `json:"bill_no"`
	Amount  []string `json:"amount"`
	Form    Form     `json:"form"`
	State   []string `json:"state"`
	Reason  []string `json:"reason"`
	Success []string `json:"success"`
	Fail    []string `json:"fail"`
	Unknown []string `json:"unknown"`
}

//go:embed profiles.json
var data []byte

// profiles are read once; the file is part of the program, so an error in it
// is one of the programmer.
var profiles = func() (list []Profile) {
	if err := json.Unmarshal(data, &list); err != nil {
		panic("payfile: profiles.json: " + err.Error())
	}
	return list
}()

// ErrProfile refuses a form that is not there.
var ErrProfile = fault.New(fault.KindUnprocessable, "payfile.profile", "没有文件格式 {profile}；有：{known}", "there is no file form {profile}; there are {known}")

// Profiles lists the forms.
func Profiles() []Profile { return slices.Clone(profiles) }

// Find is the form of that name.
func Find(name string) (Profile, error) {
	for _, p := range profiles {
		if p.Name == name {
			return p, nil
		}
	}
	var known []string
	for _, p := range profiles {
		known = append(known, p.Name)
	}
	return Profile{}, ErrProfile.With("profile", name).With("known", strings.Join(known, ", "))
}
