package referral

import (
	"crypto/rand"
	"strings"

	"siyu/internal/secret"
)

// symbols is Crockford's alphabet: no I, L, O, U, so that what is read aloud
// or typed from a poster comes out right.
const symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const (
	randomSymbols = 11
	codeLength    = randomSymbols + 1
)

// newCode makes 11 random symbols and a check symbol keyed with the code key:
// 31 of 32 guesses and nearly every typing error die without a database read.
func newCode(keys *secret.Set) string {
	b := make([]byte, randomSymbols)
	rand.Read(b)
	for i := range b {
		b[i] = symbols[b[i]&31]
	}
	body := string(b)
	return body + string(checks(keys, body)[0])
}

// checks are the symbols that may end the body: one per live key, the signing
// one first. A code outlives its key only as long as the key stays live.
func checks(keys *secret.Set, body string) []byte {
	var out []byte
	for _, mac := range keys.MACs(secret.Codes, []byte("code:"+body)) {
		out = append(out, symbols[mac[0]&31])
	}
	return out
}

// readCode turns what somebody typed into the canonical code: any case, full
// width letters, spaces and dashes, I and L for 1, O for 0.
func readCode(keys *secret.Set, typed string) (string, bool) {
	if len(typed) > 128 {
		return "", false
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(typed) {
		if r >= 0xFF01 && r <= 0xFF5E {
			r -= 0xFEE0
		}
		switch {
		case r == ' ' || r == '-' || r == '\u3000' || r == '\t':
			continue
		case r == 'I' || r == 'L':
			r = '1'
		case r == 'O':
			r = '0'
		}
		if r > 0x7F || strings.IndexByte(symbols, byte(r)) < 0 {
			return "", false
		}
		b.WriteRune(r)
	}
	code := b.String()
	if len(code) != codeLength {
		return "", false
	}
	ok := false
	for _, c := range checks(keys, code[:randomSymbols]) {
		ok = ok || c == code[randomSymbols]
	}
	return code, ok
}
