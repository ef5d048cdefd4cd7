package httpd

import (
	"errors"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/internal/fault"
)

// ErrTooLarge refuses a body over its limit.
var ErrTooLarge = fault.New(fault.KindTooLarge, "body_too_large", "请求体不能超过 {limit} 字节", "the body may have at most {limit} bytes")

const rawBodyKey = "siyu.raw"

// bounded lets no handler read more than limit bytes. A route that takes more
// calls Widen before anything reads.
func bounded(limit int64) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Set(rawBodyKey, c.Request.Body)
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, limit)
		c.Next()
	}
}

// Widen gives this request another body limit.
func Widen(c *gin.Context, limit int64) {
	raw, _ := c.MustGet(rawBodyKey).(io.ReadCloser)
	c.Request.Body = http.MaxBytesReader(c.Writer, raw, limit)
}

// Body reads the whole body within its limit.
func Body(c *gin.Context) ([]byte, error) {
	b, err := io.ReadAll(c.Request.Body)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, ErrTooLarge.With("limit", large.Limit)
	}
	if err != nil {
		return nil, fault.New(fault.KindMalformed, "body_unreadable", "请求体没有发送完整", "the body did not arrive whole").Wrap(err)
	}
	return b, nil
}
