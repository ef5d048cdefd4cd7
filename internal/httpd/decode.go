package httpd

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"siyu/internal/fault"
)

// maxDepth bounds the nesting of a JSON body.
const maxDepth = 32

// The refusals of a body as a whole; what is wrong inside it is fault.Invalid
// with the fields.
var (
	errNotJSON   = fault.New(fault.Kind(415), "content_type", "请以 Content-Type: application/json 发送", "send it as Content-Type: application/json")
	errMalformed = fault.New(fault.KindMalformed, "json_malformed", "JSON 格式有误，位置 {offset}", "the JSON is malformed at byte {offset}")
	errTooDeep   = fault.New(fault.KindMalformed, "json_too_deep", "JSON 嵌套不能超过 {depth} 层", "JSON may be nested at most {depth} deep")
)

// DecodeBody reads the request's JSON body into v, strictly.
func DecodeBody(c *gin.Context, v any) error {
	if !isJSON(c.GetHeader("Content-Type")) {
		return errNotJSON
	}
	b, err := Body(c)
	if err != nil {
		return err
	}
	return Decode(b, v)
}

func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	kind, params, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/json" && (params["charset"] == "" || strings.EqualFold(params["charset"], "utf-8"))
}

// Decode reads JSON into v, a pointer to a struct or slice. Unlike
// encoding/json alone it refuses unknown and repeated names, names in another
// case, null where v cannot be absent, invalid UTF-8, deep nesting and
// trailing data, and it names every field that is wrong, at once.
func Decode(b []byte, v any) error {
	if !utf8.Valid(b) {
		return errMalformed.With("offset", firstInvalid(b))
	}
	if tooDeep(b) {
		return errTooDeep.With("depth", maxDepth)
	}
	if !json.Valid(b) {
		var at *json.SyntaxError
		offset := int64(len(b))
		if errors.As(json.Unmarshal(b, new(json.RawMessage)), &at) {
			offset = at.Offset
		}
		return errMalformed.With("offset", offset)
	}
	if err := checkShape(b, v); err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		// checkShape has seen every value; what is left is between several of
		// them, told by a type's own UnmarshalJSON.
		return fault.Invalid.Field("$", "type", "内容不符合格式", err.Error()).Wrap(err)
	}
	return nil
}

func firstInvalid(b []byte) int {
	at := 0
	for at < len(b) {
		r, n := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return at
}

// tooDeep looks at brackets outside strings only, so it is safe on any bytes
// and runs before anything recursive does.
func tooDeep(b []byte) bool {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i += stringEnd(b[i:]) - 1
		case '{', '[':
			if depth++; depth > maxDepth {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

// stringEnd is the length of the JSON string b begins with, quotes included.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); {
		n := bytes.IndexAny(b[i:], `"\`)
		if n < 0 {
			return len(b)
		}
		if b[i+n] == '"' {
			return i + n + 1
		}
		i += n + 2
	}
	return len(b)
}
