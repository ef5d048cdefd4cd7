package httpd

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/gin-gonic/gin"

	"siyu/internal/fault"
)

// recovered turns a panic into a logged 500. gin's own recovery prints the
// request's headers, and with them keys and cookies; this one prints the panic
// and the stack alone.
func recovered(c *gin.Context) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if err, ok := r.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(r) // how net/http is told to drop the connection
		}
		slog.Error("panic", "request_id", RequestID(c), "route", c.FullPath(), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		if c.Writer.Written() {
			c.Abort()
			return
		}
		Refuse(c, fault.Internal)
	}()
	c.Next()
}
