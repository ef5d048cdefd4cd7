package payee

import "testing"

// TestAnAccountIsMaskedByCharacters: what is written in Chinese is cut between
// two characters, as MariaDB takes no half of one.
func TestAnAccountIsMaskedByCharacters(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "青禾优选收款账户": "****账户", "青禾优选北京收款账户": "****收款账户", "13800138000": "****8000", "号": "****号",
	} {
		if got := maskTail(text, 4); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
