package api

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/httpd"
)

var errKeyRequired = fault.Invalid.Field("Idempotency-Key", "required",
	"请在请求头给出 1 至 128 个可见 ASCII 字符的 Idempotency-Key", "send an Idempotency-Key header of 1 to 128 visible ASCII characters")

// serve is the way of every request: who calls, how often, with which key,
// then the handler; the error, wherever it came from, becomes the problem.
func (s *Server) serve(rt *route) gin.HandlerFunc {
	return func(c *gin.Context) {
		started := time.Now()
		if err := s.answer(c, rt); err != nil {
			httpd.Refuse(c, err)
		}
		s.metrics.seen(rt.label, c.Writer.Status(), time.Since(started))
	}
}

func (s *Server) answer(c *gin.Context, rt *route) error {
	if err := s.prepare(c, rt); err != nil {
		return err
	}
	return rt.handle(c)
}

// prepare admits the caller and puts who he is and his key into the context.
func (s *Server) prepare(c *gin.Context, rt *route) error {
	a, err := s.admit(c, rt)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	if !rt.open {
		ctx = database.WithActor(ctx, a)
	}
	if !rt.browsed {
		if err := knownQuery(c, rt.queries); err != nil {
			return err
		}
	}
	if rt.body > 0 {
		httpd.Widen(c, rt.body)
	}
	if rt.keyed {
		key, err := takeKey(c, rt, a)
		if err != nil {
			return err
		}
		ctx = database.WithKey(ctx, key)
	}
	c.Request = c.Request.WithContext(ctx)
	return nil
}

// takeKey is the Idempotency-Key with the hash of the whole input, which the
// first transaction binds.
func takeKey(c *gin.Context, rt *route, a database.Actor) (database.Key, error) {
	key := c.GetHeader("Idempotency-Key")
	if !visible(key) || len(c.Request.Header["Idempotency-Key"]) != 1 {
		return database.Key{}, errKeyRequired
	}
	body, err := httpd.Body(c)
	if err != nil {
		return database.Key{}, err
	}
	input := append(make([]byte, 0, 512), c.Request.Method+" "+c.Request.URL.RequestURI()+"\n"...)
	hash := sha256.Sum256(append(input, body...))
	return database.Key{Principal: a.Principal(), Route: rt.label, Key: key, Hash: hex.EncodeToString(hash[:])}, nil
}

func visible(key string) bool {
	for i := range len(key) {
		if b := key[i]; b < '!' || b > '~' {
			return false
		}
	}
	return len(key) >= 1 && len(key) <= 128
}

// knownQuery refuses a query parameter the contract does not name, and a word
// it does not list: what is accepted has its effect.
func knownQuery(c *gin.Context, known []parameter) error {
	var check fault.Check
	for _, p := range known {
		if p.Required {
			check.Required(c.Query(p.Name), p.Name)
		}
	}
	if c.Request.URL.RawQuery == "" {
		return check.Err()
	}
	for name, values := range c.Request.URL.Query() {
		at := slices.IndexFunc(known, func(p parameter) bool { return p.Name == name })
		if at < 0 {
			zh, en := unknownQuery(known)
			check.That(false, name, "unknown", zh, en)
			continue
		}
		check.That(len(values) == 1, name, "duplicate", "查询参数重复", "the query parameter is given twice")
		if list := known[at].Schema.Enum; len(list) > 0 && values[0] != "" {
			check.OneOf(values[0], name, list...)
		}
	}
	return check.Err()
}

// unknownQuery says which query parameters there are instead.
func unknownQuery(known []parameter) (zh, en string) {
	var has []string
	for _, p := range known {
		has = append(has, p.Name)
	}
	if len(has) == 0 {
		return "没有这个查询参数；这里不收任何查询参数", "there is no such query parameter; none is taken here"
	}
	list := strings.Join(has, ", ")
	return "没有这个查询参数；有：" + list, "there is no such query parameter; there are " + list
}

// replayOf is the effect that already stands under the key, if err says so.
func replayOf(err error) (*database.Replayed, bool) {
	var r *database.Replayed
	return r, errors.As(err, &r)
}
