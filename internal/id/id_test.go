package id

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestForm(t *testing.T) {
	for _, c := range []struct {
		id   Member
		text string
	}{
		{0, ""},
		{1, "mem_0000000000001"},
		{1<<63 - 1, "mem_7zzzzzzzzzzzz"},
	} {
		if got := c.id.String(); got != c.text {
			t.Errorf("%d: got %q, want %q", int64(c.id), got, c.text)
		}
		b, err := json.Marshal(c.id)
		if err != nil {
			t.Fatal(err)
		}
		var back Member
		if err := json.Unmarshal(b, &back); err != nil || back != c.id {
			t.Errorf("%s came back as %d (%v)", b, int64(back), err)
		}
	}
}

func parse(s string) (v Member, err error) {
	err = v.UnmarshalText([]byte(s))
	return v, err
}

func TestOnlyCanonicalIsRead(t *testing.T) {
	for _, s := range []string{
		"", "mem_", "0000000000001", "mem_000000000001", "mem_00000000000001", // length
		"grp_0000000000001", "MEM_0000000000001", "mem-0000000000001", // prefix
		"mem_000000000000A", "mem_000000000000i", "mem_000000000000l", "mem_000000000000o", "mem_000000000000u", // alphabet
		"mem_8000000000000", "mem_zzzzzzzzzzzzz", // past 63 bits
		"mem_0000000000000",                                             // none
		" mem_0000000000001", "mem_0000000000001 ", "mem_000000000000１", // surroundings
	} {
		if v, err := parse(s); err == nil {
			t.Errorf("%q was read as %d", s, int64(v))
		}
	}
	var v Member
	for _, s := range []string{`7`, `true`, `{}`, `"grp_0000000000001"`} {
		if err := json.Unmarshal([]byte(s), &v); err == nil {
			t.Errorf("JSON %s was read as %d", s, int64(v))
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"mem_0000000000001", "mem_7zzzzzzzzzzzz", "mem_8000000000000", "mem_01h8x3kq7m2ve", "x", "mem_"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parse(s)
		if err == nil && (v <= 0 || v.String() != s) {
			t.Errorf("%q reads as %d, which is written %q", s, int64(v), v)
		}
	})
}

// A prefix names one kind; two of one would let an id of one pass for another.
func TestPrefixes(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range []Kind{
		account{}, apiKey{}, audit{}, binding{}, campaign{}, code{}, decision{}, delivery{}, event{}, group{}, item{},
		job{}, kocProposal{}, member{}, order{}, payment{}, payout{}, priceApproval{}, product{}, program{}, promotion{}, refund{}, request{}, reward{},
		settlement{}, slot{}, staff{}, task{}, team{}, touch{}, transfer{}, unit{}, webhook{},
	} {
		p := k.prefix()
		if seen[p] || len(p) != 3 || strings.ToLower(p) != p {
			t.Errorf("prefix %q is not three lower-case letters of its own", p)
		}
		seen[p] = true
	}
}
