package httpd

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"siyu/internal/fault"
)

// ErrTooLarge refuses a body over its limit, a Size.
var ErrTooLarge = fault.New(fault.KindTooLarge, "body_too_large", "请求体不能超过 {limit}，请压缩或拆分后再提交", "the body may have at most {limit}; make it smaller or split it")

// Size is a number of bytes, which sentences say as people do.
type Size int64

// Words are like 5.4 MB.
func (n Size) Words() (zh, en string) {
	s := fmt.Sprintf("%d B", n)
	switch {
	case n >= 1<<20:
		s = fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		s = fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	s = strings.Replace(s, ".0 ", " ", 1)
	return s, s
}

// bounded lets no handler read more than limit bytes. A route that takes more
// calls Widen before anything reads.
func bounded(limit int64) gin.HandlerFunc {
	return func(c *gin.Context) {
		noted(c).raw = c.Request.Body
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, limit)
		c.Next()
	}
}

// Widen gives this request another body limit.
func Widen(c *gin.Context, limit int64) {
	c.Request.Body = http.MaxBytesReader(c.Writer, noted(c).raw, limit)
}

// Body reads the whole body within its limit, and gives it again to whoever
// asks later.
func Body(c *gin.Context) ([]byte, error) {
	n := noted(c)
	if n.body != nil {
		return n.body, nil
	}
	b, err := readAll(c.Request)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, ErrTooLarge.With("limit", Size(large.Limit))
	}
	if err != nil {
		return nil, fault.New(fault.KindMalformed, "body_unreadable", "请求体没有发送完整", "the body did not arrive whole").Wrap(err)
	}
	n.body = b
	return b, nil
}

// readAll takes no more memory than a short body says it needs. What a caller
// says of a long one is not believed before it has come.
func readAll(r *http.Request) ([]byte, error) {
	const believed = 4 << 10
	if n := r.ContentLength; n >= 0 && n <= believed {
		b := make([]byte, n)
		_, err := io.ReadFull(r.Body, b)
		return b, err
	}
	return io.ReadAll(r.Body)
}
