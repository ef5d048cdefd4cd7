package english

import "testing"

func TestOne(t *testing.T) {
	for text, want := range map[string]string{
		"1 ads hold that day; at most 1 a day":           "1 ad holds that day; at most 1 a day",
		"11 ads hold that day; at most 21 a day":         "11 ads hold that day; at most 21 a day",
		"the group is 1 days old; ads begin at 3 days":   "the group is 1 day old; ads begin at 3 days",
		"the group is 0.1 days old; ads begin at 1 days": "the group is 0.1 days old; ads begin at 1 day",
		"1 people came within 48 hours":                  "1 person came within 48 hours",
		"1 hours since a pass ended; 1 hours are silent": "1 hour since a pass ended; 1 hour is silent",
		"1 more active days of 30, 1 more replies":       "1 more active day of 30, 1 more reply",
		"there are 1 members; a split takes more than 1": "there is 1 member; a split takes more than 1",
		"another ad is 1 days away; 1 are kept":          "another ad is 1 day away; 1 is kept",
		"1 pieces of content in 7 days":                  "1 piece of content in 7 days",
		"at most 1 items":                                "at most 1 item",
		"at least 1 fixed interactions a week":           "at least 1 fixed interaction a week",
		"1, members":                                     "1, members",
		"1 of 3 groups":                                  "1 of 3 groups",
		"v1 groups":                                      "v1 groups",
		"(1 groups)":                                     "(1 group)",
		"1 friends are in a group":                       "1 friend is in a group",
		"":                                               "",
		"1 ":                                             "1 ",
		"a team of 1 at ¥1.00; 1 to go":                  "a team of 1 at ¥1.00; 1 to go",
		"1 people have a place · 1 lines":                "1 person has a place · 1 line",
	} {
		if got := One(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
