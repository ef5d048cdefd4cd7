package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
)

// formFor is how long a page may lie open before its form is sent.
const formFor = 12 * time.Hour

var errForm = fault.New(fault.KindForbidden, "web.form_expired", "页面放得太久了，请再点一次", "the page was open too long; please tap again")

// armed puts a form token and a fresh idempotency key on a page. The token is
// signed for the visitor, so a form made elsewhere cannot be sent in his name.
func (s *Server) armed(p *page, v visitor) {
	p.Form = s.formToken(v.Member.String(), s.DB.Clock.Now().Add(formFor))
	p.Key = rand.Text()
}

func (s *Server) formToken(who string, until time.Time) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(clock.MilliOf(until)))
	kid, mac := s.Secrets.Sign(secret.Tokens, formText(who, b[:]))
	return kid + "." + base64.RawURLEncoding.EncodeToString(append(b[:], mac...))
}

// formText is what a form token signs; the first word keeps it apart from
// everything else the same keys sign.
func formText(who string, until []byte) []byte {
	return append([]byte("web form\x00"+who+"\x00"), until...)
}

func (s *Server) formHolds(token, who string) bool {
	kid, body, ok := strings.Cut(token, ".")
	b, err := base64.RawURLEncoding.DecodeString(body)
	if !ok || err != nil || len(b) < 9 {
		return false
	}
	until := clock.Milli(binary.BigEndian.Uint64(b[:8]))
	return s.Secrets.Verify(secret.Tokens, kid, formText(who, b[:8]), b[8:]) && until > clock.MilliOf(s.DB.Clock.Now())
}

// sent checks a form and returns the context that carries its idempotency key.
// The visitor's member is the principal, as it is for the API.
func (s *Server) sent(c *gin.Context, v visitor, route string, fields ...string) (context.Context, error) {
	ctx := c.Request.Context()
	if v.Member == 0 || !s.formHolds(c.PostForm("form"), v.Member.String()) {
		return ctx, errForm
	}
	return keyed(ctx, c.PostForm("key"), route, fields...)
}

// keyed returns the context that carries a form's idempotency key.
func keyed(ctx context.Context, key, route string, fields ...string) (context.Context, error) {
	if len(key) < 16 || len(key) > 64 {
		return ctx, errForm
	}
	sum := sha256.Sum256([]byte(route + "\x00" + strings.Join(fields, "\x00")))
	return database.WithKey(ctx, database.Key{
		Principal: database.ActorOf(ctx).Principal(), Route: route, Key: key, Hash: hex.EncodeToString(sum[:]),
	}), nil
}

// deskKey is sent's key for a form of the console.
func deskKey(c *gin.Context, fields ...string) (context.Context, error) {
	return keyed(c.Request.Context(), c.PostForm("key"), c.FullPath(), fields...)
}

// read reads an id from a form or an address; what is not one does not exist.
func read[K id.Kind](text string, into *id.ID[K]) error {
	if into.UnmarshalText([]byte(text)) != nil {
		return fault.NotFound
	}
	return nil
}
