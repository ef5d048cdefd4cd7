package wallet

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"strings"
)

// symbols is Crockford's alphabet: no I, L, O, U, so that what is typed from
// paper comes out right.
const symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const (
	codeRandom = 15 // symbols of 5 bits: 75 bits, beyond guessing
	codeLength = codeRandom + 1
	codeGroup  = 4
)

// newCode makes a code as it is printed: XXXX-XXXX-XXXX-XXXX, the last symbol
// a check. The check has no key, because paper outlives the rotation of keys;
// 75 random bits need none against guessing.
func newCode() string {
	b := make([]byte, codeRandom)
	rand.Read(b)
	for i := range b {
		b[i] = symbols[b[i]&31]
	}
	text := string(append(b, codeCheck(string(b))))
	var parts []string
	for i := 0; i < codeLength; i += codeGroup {
		parts = append(parts, text[i:i+codeGroup])
	}
	return strings.Join(parts, "-")
}

func codeCheck(body string) byte { return symbols[crc32.ChecksumIEEE([]byte(body))&31] }

// readCode turns what somebody typed into the hash that is kept: any case,
// full width letters, spaces and dashes, I and L for 1, O for 0. Nearly every
// typing error ends here, without a look into the store.
func readCode(typed string) (hash string, ok bool) {
	if len(typed) > 128 {
		return "", false
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(typed) {
		if r >= 0xFF01 && r <= 0xFF5E {
			r -= 0xFEE0
		}
		switch r {
		case ' ', '-', '\t', '\u3000':
			continue
		case 'I', 'L':
			r = '1'
		case 'O':
			r = '0'
		}
		if r > 0x7F || strings.IndexByte(symbols, byte(r)) < 0 {
			return "", false
		}
		b.WriteRune(r)
	}
	code := b.String()
	if len(code) != codeLength || codeCheck(code[:codeRandom]) != code[codeRandom] {
		return "", false
	}
	sum := sha256.Sum256([]byte("coupon:" + code))
	return hex.EncodeToString(sum[:]), true
}
