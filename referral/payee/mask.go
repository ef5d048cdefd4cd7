package payee

import (
	"encoding/hex"
	"strings"

	"siyu/internal/secret"
)

// The masks keep what its owner recognises and nobody can use.

// maskName keeps the first character of a person and both ends of a firm.
func maskName(name string, t Type) string {
	r := []rune(name)
	switch {
	case len(r) < 2:
		return "*"
	case t.invoices() && len(r) > 4:
		return string(r[:2]) + "****" + string(r[len(r)-2:])
	}
	return string(r[:1]) + strings.Repeat("*", min(len(r)-1, 3))
}

// maskTail keeps the last n characters.
func maskTail(s string, n int) string {
	if s == "" {
		return ""
	}
	signs := []rune(s)
	if len(signs) <= n+4 {
		n = 2
	}
	return "****" + string(signs[max(0, len(signs)-n):])
}

// maskPhone keeps three digits in front and four behind.
func maskPhone(s string) string {
	if len(s) != 11 {
		return ""
	}
	return s[:3] + "****" + s[7:]
}

// account is the number or name that money is sent to.
func (d Details) account() string {
	switch d.Kind {
	case AccountWechat:
		return d.OpenID
	case AccountBank:
		return d.CardNo
	}
	return d.Alipay
}

// hashes of a text under every live key, the one to write first.
func (s *Service) hashes(what, text string) []string {
	var out []string
	for _, mac := range s.Secrets.MACs(secret.PII, []byte("payee "+what+" "+text)) {
		out = append(out, hex.EncodeToString(mac))
	}
	return out
}
