package campaign

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"unicode/utf8"

	"siyu/internal/fault"
)

// Bounds of a product's tags.
const (
	tagsMax   = 20
	tagLength = 32
)

// Tags are words a product is found by. The database keeps them in one text,
// each between two bars, so that one of them can be looked for.
type Tags []string

// Value writes the tags.
func (t Tags) Value() (driver.Value, error) {
	if len(t) == 0 {
		return "", nil
	}
	return "|" + strings.Join(t, "|") + "|", nil
}

// Scan reads what Value wrote.
func (t *Tags) Scan(v any) error {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case []byte:
		s = string(v)
	default:
		return fmt.Errorf("campaign: tags are %T", v)
	}
	*t = Tags{}
	if s != "" {
		*t = strings.Split(strings.Trim(s, "|"), "|")
	}
	return nil
}

func (t Tags) check(c *fault.Check, at string) {
	c.That(len(t) <= tagsMax, at, "range", fmt.Sprintf("最多 %d 个标签", tagsMax), fmt.Sprintf("at most %d tags", tagsMax))
	known := map[string]bool{}
	for i, tag := range t {
		one := fmt.Sprintf("%s[%d]", at, i)
		c.Required(strings.TrimSpace(tag), one)
		c.That(utf8.RuneCountInString(tag) <= tagLength, one, "length", fmt.Sprintf("最多 %d 个字", tagLength), fmt.Sprintf("at most %d characters", tagLength))
		c.That(!strings.Contains(tag, "|"), one, "format", "标签不能含“|”", "a tag holds no |")
		c.That(!known[tag], one, "repeated", "标签重复", "names a tag twice")
		known[tag] = true
	}
}

// likeTag is the pattern that finds one whole tag.
func likeTag(tag string) string {
	return "|" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(tag) + "|"
}
