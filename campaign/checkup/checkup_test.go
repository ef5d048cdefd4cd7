package checkup_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"siyu/campaign/checkup"
	"siyu/campaign/guard"
	"siyu/internal/fault"
)

var shanghai = func() *time.Location {
	loc, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	return loc
}()

// examine reads the lines under a header and replays them.
func examine(t *testing.T, o checkup.Options, lines ...string) checkup.Report {
	t.Helper()
	o.Zone = shanghai
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	events, read, err := checkup.Read(strings.NewReader("group,time,event,n,preset\n"+strings.Join(lines, "\n")), shanghai)
	if err != nil {
		t.Fatal(err)
	}
	r := checkup.Examine(events, o)
	r.Lines = read
	return r
}

// A week of a retail group, one ad a day and four a week at 20 hours' distance,
// worked out by hand.
func TestExamine(t *testing.T) {
	r := examine(t, checkup.Options{},
		"A,2026-03-01 12:00,size,200,",
		"A,2026-03-02 10:00,send,,",   // Monday: allowed
		"A,2026-03-02 15:00,send,,",   // 5 hours later: Tuesday 08:00 passes
		"A,2026-03-02 16:00,leave,3,", // after the held one
		"A,2026-03-03 10:00,send,,",   // the deferred one shows at 08:00 that day: Wednesday 08:00
		"A,2026-03-04 23:00,send,,",   // quiet, and the deferred one showed that day: Thursday 08:00
		"A,2026-03-05 09:00,leave,1,", // 10 hours after it
		"A,2026-03-08 09:00,leave,2,", // long after all
		"A,2026-03-09 10:00,join,1,",
	)
	if got, want := r.Sends, (checkup.Sends{Total: 4, Allowed: 1, Deferred: 3}); got != want {
		t.Errorf("sends: got %+v, want %+v", got, want)
	}
	want := []checkup.RuleCount{{Rule: guard.RuleGap, N: 2}, {Rule: guard.RuleQuiet, N: 1}}
	if fmt.Sprint(r.Rules) != fmt.Sprint(want) {
		t.Errorf("rules: got %v, want %v", r.Rules, want)
	}
	l := r.Leaves
	if l.Total != 6 || l.AfterHeld != 4 || l.AfterAllowed != 0 || l.Calm != 2 || l.PerHeld != 133 || l.PerAllowed != 0 {
		t.Errorf("leaves: got %+v; want 4 after held, 0 after allowed, 2 calm, 1.33 to each held", l)
	}
	g := r.Groups[0]
	if g.Size != 195 || g.Net30 != -5 || g.Advice != checkup.AdviceSave {
		t.Errorf("group: got %+v; want 195 members, five fewer, to be saved", g)
	}
	if r.Best != -1 {
		t.Errorf("best hour of four sends: got %d, want none", r.Best)
	}
}

// What the guard refuses altogether: no later minute of the day passes.
func TestRefused(t *testing.T) {
	r := examine(t, checkup.Options{Preset: guard.PresetInterest},
		"A,2026-03-01 12:00,created,,",
		"A,2026-03-02 10:00,send,,", // a day old, and six more to wait
		"B,2026-03-02 10:00,send,,service",
		"C,2026-03-02 10:00,send,2,", // the second of two at once: 48 hours
	)
	if got, want := r.Sends, (checkup.Sends{Total: 4, Allowed: 1, Refused: 3}); got != want {
		t.Errorf("sends: got %+v, want %+v", got, want)
	}
}

func TestBestHour(t *testing.T) {
	var lines []string
	for d := range 12 {
		day := time.Date(2026, 3, 2, 0, 0, 0, 0, shanghai).AddDate(0, 0, 2*d)
		hour, leaves := 10, 3
		if d%2 == 1 {
			hour, leaves = 19, 1
		}
		for _, g := range []string{"A", "B"} {
			lines = append(lines, fmt.Sprintf("%s,%s,send,,", g, day.Add(time.Duration(hour)*time.Hour).Format(time.RFC3339)),
				fmt.Sprintf("%s,%s,leave,%d,", g, day.Add(time.Duration(hour+1)*time.Hour).Format(time.RFC3339), leaves))
		}
	}
	r := examine(t, checkup.Options{}, lines...)
	if r.Best != 19 {
		t.Errorf("best hour: got %d, want 19; %+v", r.Best, r.Hours)
	}
	for i, h := range r.Hours {
		if h.Hour != i {
			t.Errorf("hour %d says that it is %d", i, h.Hour)
		}
	}
}

// Small groups that nobody joins are merged, if there are two.
func TestMerge(t *testing.T) {
	one := []string{"A,2026-01-01 12:00,size,30,", "A,2026-03-02 10:00,send,,", "C,2026-01-01 12:00,size,30,", "C,2026-03-01 12:00,join,1,"}
	if r := examine(t, checkup.Options{}, one...); len(r.Merge) != 0 {
		t.Errorf("one alone: got %v, want none", r.Merge)
	}
	if r := examine(t, checkup.Options{}, append(one, "B,2026-01-01 12:00,size,49,", "D,2026-01-01 12:00,size,50,")...); fmt.Sprint(r.Merge) != "[A B]" {
		t.Errorf("got %v, want A and B", r.Merge)
	}
}

// Files as spreadsheets write them: GBK, a byte order mark, tabs, other names
// and orders of columns.
func TestReadForms(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("事件,群名,时间\n推广,老客群,2026/3/2 10:00\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"GBK":              gbk,
		"a mark":           "\uFEFF群,时间,事件\n老客群,2026年3月2日 10:00,群发\n",
		"tabs":             "group\ttime\tevent\n老客群\t2026-03-02T10:00:00+08:00\tsend\n",
		"semicolons, more": "Group;Remark;Time;Event;N\n老客群;x;2026-03-02 10:00;SEND;1\n",
	} {
		events, lines, err := checkup.Read(strings.NewReader(file), shanghai)
		if err != nil || len(events) != 1 || lines.Bad != 0 {
			t.Errorf("%s: got %v, %+v, %v", name, events, lines, err)
			continue
		}
		if e := events[0]; e.Group != "老客群" || e.Kind != checkup.KindSend || e.At.Time().UTC().Hour() != 2 {
			t.Errorf("%s: got %+v", name, e)
		}
	}
}

// A bad line is told with its field and the remedy; the others stand.
func TestBadLines(t *testing.T) {
	r := examine(t, checkup.Options{},
		"A,2026-03-02 10:00,send,,", ",2026-03-02 10:00,send,,", "A,yesterday,send,,", "A,2026-03-02 10:00,posted,,",
		"A,2026-03-02 10:00,leave,many,", "A,2026-03-02 10:00,send,1001,", "A,2026-03-02 10:00,send,,vip")
	var fields []string
	for _, b := range r.Lines.Why {
		fields = append(fields, fmt.Sprintf("%d %s", b.Line, b.Field))
		if b.ZH == "" || b.EN == "" {
			t.Errorf("line %d says nothing in one language", b.Line)
		}
	}
	if got, want := fmt.Sprint(fields), "[3 group 4 time 5 event 6 n 7 n 8 preset]"; got != want || r.Lines.Bad != 6 || r.Sends.Total != 1 {
		t.Errorf("got %s, %d bad, %d sends; want %s", got, r.Lines.Bad, r.Sends.Total, want)
	}
	if _, _, err := checkup.Read(strings.NewReader("group,when,event\n"), shanghai); err == nil || !strings.Contains(err.Error(), "time") {
		t.Errorf("no column of times: got %v", err)
	}
	o := checkup.Options{Preset: "vip", Days: 3, Zone: shanghai}
	if f, ok := fault.As(o.Validate()); !ok || len(f.Fields) != 2 {
		t.Errorf("options: got %v, want preset and days named", f)
	}
}

// Reports say the same of the same file however its lines are ordered, and
// what stands in a file never becomes markup or a terminal's command.
func TestReports(t *testing.T) {
	lines := []string{"A<script>\x1b[2J,2026-03-02 10:00,send,,", "A<script>\x1b[2J,2026-03-02 12:00,send,2,", "A<script>\x1b[2J,2026-03-02 13:00,leave,5,", "B,2026-03-02 13:00,size,200,"}
	for _, lang := range []string{"zh", "en"} {
		var said [2]bytes.Buffer
		for i := range said {
			r := examine(t, checkup.Options{}, lines...)
			if err := r.Write(&said[i], lang); err != nil {
				t.Fatal(err)
			}
			if err := r.Page(&said[i], lang); err != nil {
				t.Fatal(err)
			}
			lines[0], lines[3] = lines[3], lines[0]
		}
		if said[0].String() != said[1].String() {
			t.Errorf("%s: two orders, two reports", lang)
		}
		if s := said[0].String(); strings.Contains(s, "<script>") && strings.Contains(s[strings.Index(s, "<!doctype"):], "<script>") || strings.Contains(s[:strings.Index(s, "<!doctype")], "\x1b") {
			t.Errorf("%s: markup or control characters came through", lang)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("group,time,event,n\nA,2026-03-02 10:00,send,2\n"))
	f.Add([]byte("群;时间;事件\n\"x;2026-03-02;退群\n"))
	f.Add([]byte{0xff, 0xfe, 'g', 0, 'r'})
	f.Fuzz(func(t *testing.T, body []byte) {
		events, _, err := checkup.Read(bytes.NewReader(body), shanghai)
		if err != nil {
			return
		}
		if len(events) > 200 {
			events = events[:200]
		}
		r := checkup.Examine(events, checkup.Options{Preset: guard.PresetRetail, Zone: shanghai, Days: 90})
		if r.Sends.Total != r.Sends.Allowed+r.Sends.Held() || r.Leaves.Total != r.Leaves.AfterAllowed+r.Leaves.AfterHeld+r.Leaves.Calm {
			t.Errorf("the parts do not add up: %+v %+v", r.Sends, r.Leaves)
		}
	})
}

// The page of the documentation is the one that its file gives.
func TestSample(t *testing.T) {
	body, err := os.ReadFile("../../docs/checkup.csv")
	if err != nil {
		t.Fatal(err)
	}
	events, lines, err := checkup.Read(bytes.NewReader(body), shanghai)
	if err != nil || lines.Bad != 0 {
		t.Fatalf("%+v, %v", lines, err)
	}
	r := checkup.Examine(events, checkup.Options{Preset: guard.PresetRetail, Zone: shanghai, Days: 90})
	if r.Sends.Held() == 0 || len(r.Save) == 0 || len(r.Merge) < 2 || r.Best < 0 {
		t.Errorf("the sample shows too little: %+v, save %v, merge %v, best hour %d", r.Sends, r.Save, r.Merge, r.Best)
	}
}
