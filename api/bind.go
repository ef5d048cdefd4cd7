package api

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/httpd"
)

// bind reads the JSON body into in, strictly, and lets it check itself.
func bind(c *gin.Context, in any) error {
	if err := httpd.DecodeBody(c, in); err != nil {
		return err
	}
	v, ok := in.(interface{ Validate() error })
	if !ok {
		return whole(c, nil)
	}
	err := v.Validate()
	f, ok := fault.As(err)
	if err == nil || ok && len(f.Fields) > 0 {
		return whole(c, f)
	}
	return err
}

// whole adds to what is wrong with a body the fields that the contract demands
// and it has not. Whoever checked it may have said so, or cannot tell them from
// a zero, like no ads or midnight.
func whole(c *gin.Context, wrong *fault.Fault) error {
	of, err := contractDemands()
	if err != nil {
		return err
	}
	if needs := of.needs[c.Request.Method+" "+c.FullPath()]; len(needs) > 0 {
		body, err := httpd.Body(c)
		if err != nil {
			return err
		}
		var has map[string]json.RawMessage
		if err := json.Unmarshal(body, &has); err != nil {
			return fault.Invalid.Wrap(err) // though it was read a moment ago
		}
		for _, name := range needs {
			if has[name] != nil || wrong != nil && slices.ContainsFunc(wrong.Fields, func(f fault.Field) bool { return f.Name == name }) {
				continue
			}
			if wrong == nil {
				wrong = fault.Invalid
			}
			wrong = wrong.Field(name, "required", "必填", "is required")
		}
	}
	if wrong == nil {
		return nil
	}
	return wrong
}

// readableID is a pointer to one of the id types, so that a handler writes
// pathID[id.Group](c, "id").
type readableID[T any] interface {
	*T
	UnmarshalText([]byte) error
	Prefix() string
}

// pathID is the id in the path under the name.
func pathID[T any, P readableID[T]](c *gin.Context, name string) (T, error) {
	return readID[T, P](name, c.Param(name))
}

// queryID is the id in the query under the name; zero when it is not given.
func queryID[T any, P readableID[T]](c *gin.Context, name string) (T, error) {
	if c.Query(name) == "" {
		var none T
		return none, nil
	}
	return readID[T, P](name, c.Query(name))
}

func readID[T any, P readableID[T]](name, text string) (T, error) {
	var v T
	if err := P(&v).UnmarshalText([]byte(text)); err != nil {
		prefix := P(&v).Prefix()
		return v, fault.Invalid.Field(name, "format", "应为 "+prefix+"_ 开头的编号", "must be an id that begins with "+prefix+"_")
	}
	return v, nil
}

// page reads limit and cursor.
func page(c *gin.Context) (database.Page, error) {
	var p database.Page
	if text := c.Query("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > database.PageMax {
			return p, fault.Invalid.Field("limit", "range", "应为 1 到 200 的整数", "must be an integer from 1 to 200")
		}
		p.Limit = n
	}
	var err error
	p.Before, err = database.ParseCursor(c.Query("cursor"))
	return p, err
}

var (
	errVersionRequired = fault.New(fault.KindNeedsVersion, "version_required", "修改前请读取最新内容，并以 If-Match 给出其 ETag", "read it first and send its ETag as If-Match")
	errVersionFormat   = fault.Invalid.Field("If-Match", "format", `应为读取时得到的 ETag,如 "3"`, `must be the ETag you read, like "3"`)
)

// ifMatch is the version the caller last read.
func ifMatch(c *gin.Context) (int, error) {
	tag := c.GetHeader("If-Match")
	if tag == "" {
		return 0, errVersionRequired
	}
	// A proxy that compresses may have weakened the tag; the version in it is
	// still the version.
	tag = strings.TrimPrefix(tag, "W/")
	if len(tag) < 3 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return 0, errVersionFormat
	}
	n, err := strconv.Atoi(tag[1 : len(tag)-1])
	if err != nil || n < 1 {
		return 0, errVersionFormat
	}
	return n, nil
}

// versionFromZero is ifMatch for what may not exist yet, which is at version 0.
func versionFromZero(c *gin.Context) (int, error) {
	if strings.TrimPrefix(c.GetHeader("If-Match"), "W/") == `"0"` {
		return 0, nil
	}
	return ifMatch(c)
}

// replace answers PUT of what is edited whole: the version last read, the new
// content, and what stands now.
func replace[T any](set func(ctx context.Context, version int, in T) error, show handler) handler {
	return func(c *gin.Context) error {
		version, err := ifMatch(c)
		if err != nil {
			return err
		}
		var in T
		if err := bind(c, &in); err != nil {
			return err
		}
		if err := set(c.Request.Context(), version, in); err != nil {
			return err
		}
		return show(c)
	}
}
