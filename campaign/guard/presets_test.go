package guard

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDocumented compares docs/guard.md with the rules and numbers in force.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/guard.md")
	if err != nil {
		t.Fatal(err)
	}
	for rule := range sentences {
		if n := strings.Count(string(text), fmt.Sprintf("\n| `%s` |", rule)); n != 1 {
			t.Errorf("docs/guard.md has %d rows for rule %s, want 1", n, rule)
		}
	}
	for _, p := range Presets() {
		if row := docRow(p); !strings.Contains(string(text), row) {
			t.Errorf("docs/guard.md lacks the row\n%s", row)
		}
	}
}

// TestCareIsDocumented compares the table of what presets ask of a group's
// health with the code.
func TestCareIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/guard.md")
	if err != nil {
		t.Fatal(err)
	}
	kept := func(enforced bool) string { return map[bool]string{true: "enforced", false: "advice"}[enforced] }
	for _, p := range Presets() {
		c, f := p.Care, p.Care.Factors
		if f == nil {
			continue
		}
		content, weekly := "–", "–"
		if c.ContentPerAd > 0 {
			content = fmt.Sprintf("%d, %s", c.ContentPerAd, kept(c.ContentEnforced))
		}
		if c.Weekly {
			weekly = kept(c.WeeklyEnforced)
		}
		if p.Preset == PresetInterest {
			weekly += " from the fifth week"
		}
		row := fmt.Sprintf("\n| `%s` | %s | %s | %d / %d / %d / %d / %d / %d |\n", p.Preset, content, weekly, f["healthy"], f["warm"], f["cooling"], f["quiet"], f["dead"], f["unknown"])
		if !strings.Contains(string(text), row) {
			t.Errorf("docs/guard.md lacks the row\n%s", row)
		}
	}
}

func docRow(p PresetShown) string {
	v := map[string]string{}
	for _, n := range p.Numbers {
		v[n.Name] = "–"
		if n.Value != nil {
			v[n.Name] = fmt.Sprint(*n.Value)
			if strings.HasPrefix(n.Name, "quiet") {
				v[n.Name] = hhmm(int64(*n.Value))
			}
		}
	}
	quiet := v["quiet_from"] + "–" + v["quiet_to"]
	if v["quiet_from"] == v["quiet_to"] {
		quiet = "–"
	}
	var advice []string
	for _, a := range p.Advice {
		advice = append(advice, string(a.Rule))
	}
	return fmt.Sprintf("\n| `%s` | %s d | %s / %s / %s / %s | %s h | %s | %s |\n", p.Preset, v["warm_up_days"],
		v["ads_per_day"], v["ads_per_week"], v["ads_per_month"], v["ads_per_life"], v["gap_hours"], quiet, strings.Join(advice, " "))
}

// TestPresetsKeepTheirBounds: no preset begins outside what a brand may set,
// and every number says where it comes from.
func TestPresetsKeepTheirBounds(t *testing.T) {
	for _, p := range Presets() {
		for _, n := range p.Numbers {
			if n.SourceZH == "" || n.SourceEN == "" {
				t.Errorf("%s %s: no source", p.Preset, n.Name)
			}
			if p.Preset == PresetService || n.Value == nil || n.Max == nil {
				continue // service takes no ad at all: its gap and quiet hours are none
			}
			if *n.Value < *n.Min || *n.Value > *n.Max {
				t.Errorf("%s %s: %d outside %d to %d", p.Preset, n.Name, *n.Value, *n.Min, *n.Max)
			}
		}
	}
}
