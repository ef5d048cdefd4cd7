package fault

import (
	"fmt"
	"strings"
	"unicode"
)

// Check collects what is wrong with an input, field by field, so that the
// caller hears of everything at once.
//
//	var c fault.Check
//	c.That(in.Name != "", "name", "required", "请填写名称", "give it a name")
//	return c.Err()
type Check struct{ fields []Field }

// That notes the field unless ok.
func (c *Check) That(ok bool, name, code, zh, en string) {
	if !ok {
		c.fields = append(c.fields, Field{name, code, zh, en})
	}
}

// Required notes an empty text.
func (c *Check) Required(text, name string) {
	c.That(text != "", name, "required", "必填", "is required")
}

// Length notes a text longer than max characters.
func (c *Check) Length(text, name string, max int) {
	c.That(len([]rune(text)) <= max, name, "too_long",
		fmt.Sprintf("最多 %d 个字", max), fmt.Sprintf("at most %d characters", max))
}

// Line notes a text longer than max characters, or of more than one line.
func (c *Check) Line(text, name string, max int) {
	c.Length(text, name, max)
	c.That(!strings.ContainsFunc(text, unicode.IsControl), name, "format", "不能含控制字符", "must not hold control characters")
}

// Range notes a number outside lo..hi.
func (c *Check) Range(n int64, name string, lo, hi int64) {
	c.That(lo <= n && n <= hi, name, "range",
		fmt.Sprintf("应在 %d 到 %d 之间", lo, hi), fmt.Sprintf("must be from %d to %d", lo, hi))
}

// OneOf notes a value outside the list.
func (c *Check) OneOf(v, name string, list ...string) {
	for _, x := range list {
		if v == x {
			return
		}
	}
	c.That(false, name, "unknown_value", "应为 "+strings.Join(list, "、")+" 之一", "must be one of "+strings.Join(list, ", "))
}

// Err is nil, or Invalid with the fields.
func (c *Check) Err() error {
	if len(c.fields) == 0 {
		return nil
	}
	f := *Invalid
	f.Fields = c.fields
	return &f
}
