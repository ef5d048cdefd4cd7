package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/internal/id"
)

// render writes v as JSON. It marshals first, so that an error still becomes
// a problem.
func render(c *gin.Context, status int, v any) error {
	if a, ok := v.(interface{ AppendJSON([]byte) []byte }); ok { // asked for often
		c.Data(status, "application/json", append(a.AppendJSON(make([]byte, 0, 768)), '\n'))
		return nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // answers are never HTML, and nosniff says so
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("api: render %T: %w", v, err)
	}
	c.Data(status, "application/json", b.Bytes())
	return nil
}

// etag shows the version an edit must name.
func etag(c *gin.Context, version int) {
	c.Writer.Header()["Etag"] = []string{`"` + strconv.Itoa(version) + `"`}
}

// once takes what a creating service returned and gives the id of what stands:
// made now, or by an earlier call with the same key, which it marks.
//
//	gid, err := once(s.Community.CreateGroup(ctx, in))(c)
func once[K id.Kind](v id.ID[K], err error) func(c *gin.Context) (id.ID[K], error) {
	return func(c *gin.Context) (id.ID[K], error) {
		r, ok := replayOf(err)
		if !ok {
			return v, err
		}
		c.Header("Idempotency-Replayed", "true")
		return id.ID[K](r.ID), nil
	}
}

// done is once for a service that makes no new id.
//
//	if err := done(s.Campaign.Pay(ctx, order, in))(c); err != nil { … }
func done(err error) func(c *gin.Context) error {
	return func(c *gin.Context) error {
		if _, ok := replayOf(err); !ok {
			return err
		}
		c.Header("Idempotency-Replayed", "true")
		return nil
	}
}
