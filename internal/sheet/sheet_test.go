package sheet

import (
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

var columns = map[string]string{"群": "group", "group": "group", "time": "time", "时间": "time"}

func TestSheet(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("群,时间\n茶友群,2026/3/2 10:00\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, body string }{
		{"commas", "group,time\n茶友群,2026/3/2 10:00\n"},
		{"a mark and tabs", "\uFEFFTime\tGroup\n2026/3/2 10:00\t茶友群\n"},
		{"semicolons, the columns the other way", " 时间 ; 群 \n2026/3/2 10:00 ; 茶友群"},
		{"GBK", gbk},
		{"empty lines", "群,时间\n,\n\n茶友群,2026/3/2 10:00\n,\n"},
		{"quotes within", "群,时间\n\"茶友群\",2026/3/2 10:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Open([]byte(tt.body), columns)
			if err != nil {
				t.Fatal(err)
			}
			row, err := s.Next()
			if err != nil || row.Field("group") != "茶友群" || row.Field("time") != "2026/3/2 10:00" || row.Field("none") != "" {
				t.Errorf("got %q %q, %v", row.Field("group"), row.Field("time"), err)
			}
			if _, err := s.Next(); !errors.Is(err, io.EOF) {
				t.Errorf("got %v, want the end", err)
			}
		})
	}
	t.Run("a column unknown or named twice is ignored and said", func(t *testing.T) {
		s, err := Open([]byte("group,群,color\na,b,c\n"), columns)
		if err != nil {
			t.Fatal(err)
		}
		row, err := s.Next()
		if err != nil || row.Field("group") != "a" || row.Line != 2 || !slices.Equal(s.Ignored, []string{"群", "color"}) || s.Has("time") {
			t.Errorf("got %q in line %d, ignored %q, %v", row.Field("group"), row.Line, s.Ignored, err)
		}
	})
}

func TestMoment(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	want := time.Date(2026, 3, 2, 10, 0, 0, 0, zone)
	for _, text := range []string{"2026-03-02 10:00", "2026/3/2 10:00:00", "2026年3月2日 10:00", "2026-03-02T02:00:00Z"} {
		if got, ok := Moment(text, zone); !ok || !got.Equal(want) {
			t.Errorf("%s: got %v %v", text, got, ok)
		}
	}
	if _, ok := Moment("昨天", zone); ok {
		t.Error("昨天 is a moment")
	}
}
