// Package fault is an error the caller may see.
//
// A room declares its faults as package variables with a stable code and a
// sentence in Chinese and in English; what varies is filled in by With. Any
// other error is internal: it is logged and never shown. The HTTP form
// (problem+json) is made in one place, internal/httpd.
package fault

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"siyu/internal/english"
)

// Kind says what sort of refusal a fault is; it decides the HTTP status.
type Kind int

// The kinds, with the status they are answered with.
const (
	KindInternal      Kind = 500
	KindMalformed     Kind = 400
	KindUnauthorized  Kind = 401
	KindForbidden     Kind = 403
	KindNotFound      Kind = 404
	KindConflict      Kind = 409
	KindStale         Kind = 412
	KindTooLarge      Kind = 413
	KindUnprocessable Kind = 422
	KindNeedsVersion  Kind = 428
	KindTooMany       Kind = 429
	KindUnavailable   Kind = 503
)

// Fault is one refusal. Values are immutable: With, Field and Wrap return
// copies, so a declared fault is shared safely.
type Fault struct {
	Kind       Kind
	Code       string // stable, package.snake
	ZH, EN     string // sentences; {name} is replaced by the parameter
	Params     map[string]any
	Fields     []Field
	RetryAfter time.Duration
	cause      error
}

// Field is what is wrong with one input field and how to mend it.
type Field struct {
	Name string // JSON path, like items[0].price_fen
	Code string // required, range, format, unknown, not_yet, …
	ZH   string
	EN   string
}

// New declares a fault.
func New(kind Kind, code, zh, en string) *Fault {
	return &Fault{Kind: kind, Code: code, ZH: zh, EN: en}
}

// With fills the parameter name of the sentences.
func (f *Fault) With(name string, value any) *Fault {
	c := *f
	c.Params = maps.Clone(f.Params)
	if c.Params == nil {
		c.Params = map[string]any{}
	}
	c.Params[name] = value
	return &c
}

// Field adds a field with its remedy.
func (f *Fault) Field(name, code, zh, en string) *Fault {
	c := *f
	c.Fields = append(append([]Field(nil), f.Fields...), Field{name, code, zh, en})
	return &c
}

// After tells the caller when trying again may help.
func (f *Fault) After(d time.Duration) *Fault {
	c := *f
	c.RetryAfter = d
	return &c
}

// Wrap keeps the internal cause for the log.
func (f *Fault) Wrap(err error) *Fault {
	c := *f
	c.cause = err
	return &c
}

// Error is the English sentence with code and cause, for logs.
func (f *Fault) Error() string {
	s := f.Code + ": " + f.Text("en")
	for _, x := range f.Fields {
		s += "; " + x.Name + ": " + x.EN
	}
	if f.cause != nil {
		s += ": " + f.cause.Error()
	}
	return s
}

// Unwrap is the internal cause.
func (f *Fault) Unwrap() error { return f.cause }

// Is matches faults by code.
func (f *Fault) Is(target error) bool {
	t, ok := target.(*Fault)
	return ok && t.Code == f.Code
}

// Worded is a value with a name in each language, such as a state: a sentence
// says it in its own, while the params of the answer keep the value.
type Worded interface{ Words() (zh, en string) }

// Text is the sentence in the language: "en", else Chinese.
func (f *Fault) Text(lang string) string {
	s := f.ZH
	if lang == "en" {
		s = f.EN
	}
	for name, v := range f.Params {
		if w, ok := v.(Worded); ok {
			zh, en := w.Words()
			if v = zh; lang == "en" {
				v = en
			}
		}
		s = strings.ReplaceAll(s, "{"+name+"}", fmt.Sprint(v))
	}
	if lang == "en" {
		return english.One(s)
	}
	return s
}

// Text is the field's remedy in the language.
func (x Field) Text(lang string) string {
	if lang == "en" {
		return english.One(x.EN)
	}
	return x.ZH
}

// As finds the fault in err's chain.
func As(err error) (*Fault, bool) {
	var f *Fault
	ok := errors.As(err, &f)
	return f, ok
}

// Faults every room may need.
var (
	Internal    = New(KindInternal, "internal", "系统出错了，请稍后再试", "something went wrong on our side; try again later")
	NotFound    = New(KindNotFound, "not_found", "没有找到", "not found")
	Forbidden   = New(KindForbidden, "forbidden", "没有权限", "your role does not allow this")
	Invalid     = New(KindUnprocessable, "invalid", "输入有误，请按提示修改", "the input has errors; see the fields")
	NotYet      = New(KindUnprocessable, "not_yet", "暂不支持", "not supported yet")
	Stale       = New(KindStale, "stale", "内容已被别人修改，请刷新后再改", "somebody changed it meanwhile; read it again and repeat your change")
	Unavailable = New(KindUnavailable, "unavailable", "服务繁忙，请稍后再试", "the service is busy; try again shortly")
)
