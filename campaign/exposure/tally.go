package exposure

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/id"
)

// ad is the moments at which an ad of a group may have shown or may show yet.
type ad struct{ first, last clock.Milli }

// seenBy is how many of a group's ads somebody saw or will see: those that show
// at a moment at which he was or still is in the group.
func seenBy(ads []ad, s community.Stay) (n int) {
	for _, a := range ads {
		if s.JoinedAt <= a.last && (s.LeftAt == 0 || s.LeftAt > a.first) {
			n++
		}
	}
	return n
}

// across says whether a member's ads count for a group: what a group alone
// showed him is its own policy's matter.
func across(total, own int) bool { return total > own }

// seen is how many of a group's members saw how many ads, of those who saw any
// in another group too. The last number stands for more.
type seen map[int]int

func (s *seen) add(n int) {
	if *s == nil {
		*s = seen{}
	}
	(*s)[min(n, CeilingMost)]++
}

// over is how many saw the ceiling or more.
func (s seen) over(ceiling int) (n int) {
	for ads, members := range s {
		if ads >= ceiling {
			n += members
		}
	}
	return n
}

// String writes ads:members, joined by commas.
func (s seen) String() string {
	parts := make([]string, 0, len(s))
	for _, n := range slices.Sorted(maps.Keys(s)) {
		parts = append(parts, strconv.Itoa(n)+":"+strconv.Itoa(s[n]))
	}
	return strings.Join(parts, ",")
}

// parseSeen reads what String wrote.
func parseSeen(text string) seen {
	var s seen
	for part := range strings.SplitSeq(text, ",") {
		n, members, ok := strings.Cut(part, ":")
		if !ok {
			continue
		}
		ads, _ := strconv.Atoi(n)
		count, _ := strconv.Atoi(members)
		if s == nil {
			s = seen{}
		}
		s[ads] = count
	}
	return s
}

// list is how many saw how many, from a number on, fewest first.
func (s seen) list(from int) []Seen {
	out := []Seen{}
	for _, n := range slices.Sorted(maps.Keys(s)) {
		if n >= from {
			out = append(out, Seen{n, s[n]})
		}
	}
	return out
}

// block is members, ascending, with how many ads each saw: the differences of
// their ids and a byte each.
type block struct {
	first, last id.Member
	n           int
	packed      []byte
}

func (b *block) add(m id.Member, ads int) {
	if b.n == 0 {
		b.first, b.last = m, m
	}
	b.packed = binary.AppendUvarint(b.packed, uint64(m-b.last))
	b.packed = append(b.packed, byte(min(ads, 255)))
	b.last = m
	b.n++
}

// each hands over the block's members.
func (b *block) each(one func(m id.Member, ads int)) error {
	m, rest := b.first, b.packed
	for len(rest) > 0 {
		step, n := binary.Uvarint(rest)
		if n <= 0 || n >= len(rest) {
			return fmt.Errorf("exposure: block from %s is damaged", b.first)
		}
		m += id.Member(step)
		one(m, int(rest[n]))
		rest = rest[n+1:]
	}
	return nil
}
