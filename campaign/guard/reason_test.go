package guard

import (
	"regexp"
	"strings"
	"testing"
)

// TestReasonsCountOne: no reason counts one of something in the plural.
func TestReasonsCountOne(t *testing.T) {
	plural := regexp.MustCompile(`(?:^|[^0-9.-])1 (?:(?:more|other|fixed|open) )?(?:ads|days|hours|people|pieces|interactions|members|hold|are|were|have)\b`)
	if !plural.MatchString("1 ads hold") || plural.MatchString("11 ads hold; 1 day, 0.1 hours") {
		t.Fatal("the test sees nothing")
	}
	for _, all := range []map[Rule]sentence{sentences, measured} {
		for rule := range all {
			// One of what the sentence counts in: a day, an hour, a hundredth.
			for _, n := range []int64{1, 24, 60, 100} {
				for _, r := range []Reason{{rule, n, n}, {rule, 2 * n, n}, {rule, Unknown, n}} {
					if en := r.Text("en"); plural.MatchString(en) {
						t.Errorf("%s: %s", rule, en)
					}
				}
			}
		}
	}
	if en := (Reason{RuleDay, 1, 1}).Text("en"); !strings.HasPrefix(en, "1 ad holds that day") {
		t.Errorf("got %s", en)
	}
}
