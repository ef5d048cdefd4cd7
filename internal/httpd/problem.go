package httpd

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"siyu/internal/fault"
)

// Problem is a fault as RFC 9457 shows it. Type is a URN, not an address: it
// names the problem and leads nowhere.
type Problem struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail"`
	Code      string         `json:"code"`
	Fields    []ProblemField `json:"fields,omitempty"`
	Params    map[string]any `json:"params,omitempty"`
	RequestID string         `json:"request_id"`
}

// ProblemField is one input field that was refused and how to mend it.
type ProblemField struct {
	Name    string `json:"name"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// FieldsOf are the fields that a fault names, in a language.
func FieldsOf(f *fault.Fault, lang string) []ProblemField {
	var list []ProblemField
	for _, x := range f.Fields {
		list = append(list, ProblemField{x.Name, x.Code, x.Text(lang)})
	}
	return list
}

// titles are the short summaries, one per status: Chinese, English.
var titles = map[int][2]string{
	http.StatusBadRequest:            {"请求格式有误", "The request is malformed"},
	http.StatusUnauthorized:          {"需要身份凭证", "Credentials are required"},
	http.StatusForbidden:             {"没有权限", "Not allowed"},
	http.StatusNotFound:              {"没有找到", "Not found"},
	http.StatusMethodNotAllowed:      {"方法不支持", "Method not allowed"},
	http.StatusConflict:              {"与当前状态冲突", "In conflict with the current state"},
	http.StatusPreconditionFailed:    {"版本已变化", "The version has changed"},
	http.StatusRequestEntityTooLarge: {"请求体过大", "The body is too large"},
	http.StatusUnsupportedMediaType:  {"内容类型不支持", "The content type is not supported"},
	http.StatusUnprocessableEntity:   {"输入不被接受", "The input is not accepted"},
	http.StatusPreconditionRequired:  {"缺少版本号", "A version is required"},
	http.StatusTooManyRequests:       {"请求过于频繁", "Too many requests"},
	http.StatusServiceUnavailable:    {"服务暂不可用", "Temporarily unavailable"},
	http.StatusInternalServerError:   {"系统错误", "Internal error"},
}

// Refuse answers with the problem of err and ends the request. It is the only
// place where an error becomes an answer, and where an internal one is logged.
func Refuse(c *gin.Context, err error) {
	f := Seen(c, err)
	lang := Lang(c)
	title := titles[int(f.Kind)]
	p := Problem{
		Type: "urn:siyu:problem:" + f.Code, Status: int(f.Kind), Code: f.Code,
		Title: title[0], Detail: f.Text(lang), Params: f.Params, RequestID: RequestID(c),
	}
	if lang == "en" {
		p.Title = title[1]
	}
	p.Fields = FieldsOf(f, lang)
	if f.RetryAfter > 0 {
		c.Header("Retry-After", strconv.FormatInt(int64((f.RetryAfter+time.Second-1)/time.Second), 10))
	}
	if f.Kind == fault.KindUnauthorized {
		c.Header("WWW-Authenticate", `Bearer realm="siyu"`)
	}
	c.Header("Content-Language", lang)
	c.Abort()
	c.Data(p.Status, "application/problem+json", p.appendJSON(make([]byte, 0, 512)))
}

// appendJSON appends the problem as encoding/json writes it; in a rush most
// answers are refusals. A parameter that JSON cannot hold is left out with the
// others.
func (p Problem) appendJSON(b []byte) []byte {
	b = appendText(append(b, `{"type":`...), p.Type)
	b = appendText(append(b, `,"title":`...), p.Title)
	b = strconv.AppendInt(append(b, `,"status":`...), int64(p.Status), 10)
	b = appendText(append(b, `,"detail":`...), p.Detail)
	b = appendText(append(b, `,"code":`...), p.Code)
	if len(p.Fields) > 0 {
		text, _ := json.Marshal(p.Fields) // texts alone
		b = append(append(b, `,"fields":`...), text...)
	}
	if len(p.Params) > 0 {
		if text, err := json.Marshal(p.Params); err == nil {
			b = append(append(b, `,"params":`...), text...)
		}
	}
	return append(appendText(append(b, `,"request_id":`...), p.RequestID), '}')
}

// appendText appends a text as encoding/json writes it.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		// What is escaped or may be ill-formed: controls, quotes, what HTML
		// would read, and the first byte of the line separators.
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c == 0xe2 {
			text, _ := json.Marshal(s)
			return append(b, text...)
		}
	}
	if !utf8.ValidString(s) {
		text, _ := json.Marshal(s)
		return append(b, text...)
	}
	return append(append(append(b, '"'), s...), '"')
}

// Seen is the fault the caller may see, by a page as well. What is not one is
// logged here, as loudly as it asks for somebody: a defect is an error; that
// something was away or overtaken, so that trying again helps, is a warning;
// and a refusal that a room answers with because it is busy is neither.
func Seen(c *gin.Context, err error) *fault.Fault {
	f, ok := fault.As(err)
	switch {
	case ok && f.Kind < 500:
		return f
	case c.Request.Context().Err() != nil && errors.Is(err, context.Canceled):
		return fault.Unavailable // the caller has gone; nobody reads this
	case errors.Is(err, context.DeadlineExceeded) && !ok:
		f = fault.Unavailable.After(time.Second).Wrap(err)
	case !ok:
		f = fault.Internal
	}
	level, text := slog.LevelError, "request failed"
	switch {
	case f.Kind != fault.KindUnavailable:
	case errors.Unwrap(f) != nil:
		level = slog.LevelWarn
	default:
		level, text = slog.LevelInfo, "request put off"
	}
	slog.Log(c.Request.Context(), level, text, "request_id", RequestID(c), "method", c.Request.Method, "route", c.FullPath(), "error", err)
	return f
}

// Lang is the language of the answer: "en" when the caller prefers English to
// Chinese, else "zh-CN".
func Lang(c *gin.Context) string { return preferred(c.GetHeader("Accept-Language")) }

func preferred(accept string) string {
	best, quality := "zh-CN", 0.0
	if accept == "" || len(accept) > 256 {
		return best
	}
	for part := range strings.SplitSeq(accept, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		lang := map[string]string{"zh": "zh-CN", "en": "en"}[strings.ToLower(primary(tag))]
		if lang == "" {
			continue
		}
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			n, err := strconv.ParseFloat(v, 64)
			if err != nil {
				continue
			}
			q = n
		}
		if q > quality {
			best, quality = lang, q
		}
	}
	return best
}

func primary(tag string) string {
	p, _, _ := strings.Cut(tag, "-")
	return p
}
