package groupbuy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"siyu/campaign"
	"siyu/internal/fault"
)

// Rules are a group-buy's terms: one size, or several of which the opener
// chooses. There is no field that fills a seat with nobody.
type Rules struct {
	Size              int    `json:"size,omitempty"`     // people per team, 2 to 100
	MinSize           int    `json:"min_size,omitempty"` // so many paid form it at its deadline; 0 is all
	Sizes             []Size `json:"sizes,omitempty"`    // instead of size and min_size
	OpenForS          int    `json:"open_for_s"`         // how long a team may fill, default 24 h
	LateChoiceMinutes int    `json:"late_choice_minutes,omitempty"`
}

// Size is one size a team may have.
type Size struct {
	Size    int `json:"size"`
	MinSize int `json:"min_size,omitempty"`
}

// Need is how many must have paid at the deadline.
func (s Size) Need() int {
	if s.MinSize > 0 {
		return s.MinSize
	}
	return s.Size
}

// sizesMax is how many sizes a campaign may offer.
const sizesMax = 6

// Offers are the sizes a team may have, smallest first.
func (r Rules) Offers() []Size {
	if len(r.Sizes) == 0 {
		return []Size{{r.Size, r.MinSize}}
	}
	return r.Sizes
}

// ErrSize refuses to open a team of a size the campaign does not offer.
var ErrSize = fault.New(fault.KindUnprocessable, "groupbuy.team_size", "请选择团人数：{sizes}", "choose the team's size: {sizes}")

// choose is the offered size the opener asked for; with one size he need not.
func (r Rules) choose(asked int) (Size, error) {
	offers := r.Offers()
	if asked == 0 && len(offers) == 1 {
		return offers[0], nil
	}
	i := slices.IndexFunc(offers, func(o Size) bool { return o.Size == asked })
	if i < 0 {
		sizes := ""
		for _, o := range offers {
			sizes += fmt.Sprintf(" %d", o.Size)
		}
		return Size{}, ErrSize.With("sizes", sizes[1:]).Field("team_size", "unknown_value", "应为活动提供的人数："+sizes[1:], "must be a size the campaign offers:"+sizes)
	}
	return offers[i], nil
}

// complete checks the rules and writes the defaults out.
func complete(raw json.RawMessage) (json.RawMessage, error) {
	var in map[string]json.RawMessage
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &in); err != nil {
			return nil, fault.Invalid.Field("rules", "format", "应为对象", "must be an object")
		}
	}
	var check fault.Check
	r := Rules{OpenForS: 86400}
	for name, v := range in {
		number := map[string]*int{
			"size": &r.Size, "min_size": &r.MinSize, "open_for_s": &r.OpenForS, "late_choice_minutes": &r.LateChoiceMinutes,
		}[name]
		switch {
		case number != nil:
			check.That(json.Unmarshal(v, number) == nil, "rules."+name, "format", "应为整数", "must be a whole number")
		case name == "sizes":
			r.Sizes = readSizes(&check, v)
		default:
			check.That(false, "rules."+name, "unknown_field", "没有这个字段", "is not a field of this kind")
		}
	}
	r.check(&check, in)
	if err := check.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(r.Sizes, func(a, b Size) int { return cmp.Compare(a.Size, b.Size) })
	return json.Marshal(r)
}

// readSizes reads the list of sizes, field by field.
func readSizes(check *fault.Check, raw json.RawMessage) (sizes []Size) {
	var list []map[string]int
	if json.Unmarshal(raw, &list) != nil {
		check.That(false, "rules.sizes", "format", "应为 [{size, min_size}]", "must be a list of size and min_size")
		return nil
	}
	for i, x := range list {
		for name := range x {
			check.That(name == "size" || name == "min_size", fmt.Sprintf("rules.sizes[%d].%s", i, name), "unknown_field", "没有这个字段", "is not a field of a size")
		}
		sizes = append(sizes, Size{x["size"], x["min_size"]})
	}
	return sizes
}

func (r Rules) check(check *fault.Check, in map[string]json.RawMessage) {
	_, one := in["size"]
	_, least := in["min_size"]
	if _, many := in["sizes"]; many {
		check.That(!one && !least, "rules.sizes", "both", "请只填 size 或 sizes", "say either size or sizes")
		check.That(1 <= len(r.Sizes) && len(r.Sizes) <= sizesMax, "rules.sizes", "range",
			fmt.Sprintf("应为 1 到 %d 档", sizesMax), fmt.Sprintf("must be 1 to %d sizes", sizesMax))
	}
	seen := map[int]bool{}
	for i, o := range r.Offers() {
		at := "rules."
		if len(r.Sizes) > 0 {
			at = fmt.Sprintf("rules.sizes[%d].", i)
		}
		check.Range(int64(o.Size), at+"size", 2, 100)
		check.That(!seen[o.Size], at+"size", "repeated", "人数重复", "is there already")
		seen[o.Size] = true
		check.That(o.MinSize == 0 || 2 <= o.MinSize && o.MinSize <= o.Size, at+"min_size", "range",
			"应在 2 到团人数之间；不填为须满员", "must be from 2 to size; leave it out if all must have paid")
	}
	check.Range(int64(r.OpenForS), "rules.open_for_s", 60, 7*86400)
	check.Range(int64(r.LateChoiceMinutes), "rules.late_choice_minutes", 0, 1440)
}

// Terms reads the rules of a group-buy campaign.
func Terms(c campaign.Campaign) (Rules, error) {
	var r Rules
	return r, json.Unmarshal([]byte(c.RulesText), &r)
}

func sizes(c campaign.Campaign) ([]int, error) {
	r, err := Terms(c)
	if err != nil {
		return nil, err
	}
	var list []int
	for _, o := range r.Offers() {
		list = append(list, o.Size)
	}
	return list, nil
}

func lateChoice(c campaign.Campaign) (time.Duration, error) {
	r, err := Terms(c)
	return time.Duration(r.LateChoiceMinutes) * time.Minute, err
}
