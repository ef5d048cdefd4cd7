package web

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/secret"
	"siyu/referral/review"
)

// cookieDevice names the browser, whoever is signed in; it tells nothing else.
const cookieDevice = "siyu_device"

// deviceFor is as long as the review remembers a device.
const deviceFor = 180 * 24 * time.Hour

// sighted notes with what the visitor was seen, so that rewards between
// accounts of one phone are looked at by a human. A browser without the
// cookie gets one.
func (s *Server) sighted(c *gin.Context, v visitor) {
	if v.Member == 0 {
		return
	}
	text, _ := c.Cookie(cookieDevice)
	name, ok := s.device(text)
	if !ok {
		name = rand.Text()
		kid, mac := s.Secrets.Sign(secret.Tokens, deviceText(name))
		s.setCookie(c, cookieDevice, kid+"."+name+"."+base64.RawURLEncoding.EncodeToString(mac), "/", deviceFor)
	}
	s.Review.Sight(v.Member, review.Seen{Device: name, IP: c.ClientIP()})
}

// device reads the cookie if this house made it.
func (s *Server) device(cookie string) (name string, ok bool) {
	part := strings.Split(cookie, ".")
	if len(part) != 3 {
		return "", false
	}
	mac, err := base64.RawURLEncoding.DecodeString(part[2])
	return part[1], err == nil && s.Secrets.Verify(secret.Tokens, part[0], deviceText(part[1]), mac)
}

// deviceText is what the cookie signs; the first word keeps it apart from
// everything else the same keys sign.
func deviceText(name string) []byte { return []byte("web device\x00" + name) }
