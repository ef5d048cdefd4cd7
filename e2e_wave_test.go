package main_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestWave sends two promotions into 5,000 groups by three workers on MariaDB,
// of which one is killed and one stands still while they work. Every grown
// group is shown one ad, every refusal is explained, and a count by hand finds
// no group over its caps.
func TestWave(t *testing.T) {
	const groups, young = 5_000, 500
	p := newPlace(t, "mariadb")
	p.env = append(p.env, "SIYU_FILE_OWNER=prompt", "SIYU_PACE_FILE=0")
	_, url := p.serve("SIYU_ROLE=api")
	b := p.open(url, 1, 1, 100, nil)
	workers := []*process{p.start("SIYU_ROLE=worker"), p.start("SIYU_ROLE=worker"), p.start("SIYU_ROLE=worker")}
	p.importGroups(b, groups, young)
	all := b.groups(t)
	for part := range slices.Chunk(all, 190) { // what is brought in is only observed at first
		b.must(t, "POST", "/v1/guard/enforce", "", map[string]any{"groups": part}, nil)
	}

	second := b.as(p.key("marketer"))
	rich, poor := b.wave(t, "rich", 9, all), b.wave(t, "poor", 1, all)
	for _, id := range []string{rich, poor} {
		second.must(t, "POST", "/v1/promotions/"+id+"/approve", "", map[string]any{}, nil)
	}
	p.until(func() bool { return p.count("SELECT COUNT(*) FROM promotion_sends WHERE status = 'handed'") > 500 })
	workers[0].kill()
	_ = workers[1].cmd.Process.Signal(syscall.SIGSTOP)
	p.until(func() bool { return p.count("SELECT COUNT(*) FROM promotion_sends WHERE status = 'handed'") > 2000 })
	_ = workers[1].cmd.Process.Signal(syscall.SIGCONT)
	// The health of 5,000 groups may still be counted then.
	p.until(func() bool {
		return p.count("SELECT COUNT(*) FROM outbox WHERE kind = 'health:roll_up' AND status = 1") == 0
	})
	p.drained()

	for name, c := range map[string]struct {
		sql  string
		want int
	}{
		"ads shown":                           {"SELECT COUNT(*) FROM slots WHERE confirmed_at > 0", groups - young},
		"groups shown more than one":          {"SELECT COUNT(*) FROM (SELECT group_id FROM slots WHERE released_at = 0 GROUP BY group_id HAVING COUNT(*) > 1) x", 0},
		"ads of young groups":                 {"SELECT COUNT(*) FROM slots s JOIN chat_groups g ON g.id = s.group_id WHERE g.external_id LIKE 'young-%'", 0},
		"ads that were not the richer one's":  {"SELECT COUNT(*) FROM slots s JOIN promotions p ON p.id = s.promotion_id WHERE s.released_at = 0 AND p.priority <> 9", 0},
		"answers":                             {"SELECT COUNT(*) FROM promotion_sends", 2 * groups},
		"answers without a slot or a rule":    {"SELECT COUNT(*) FROM promotion_sends WHERE slot_id = 0 AND rule_name = ''", 0},
		"young groups refused for their age":  {"SELECT COUNT(*) FROM promotion_sends s JOIN chat_groups g ON g.id = s.group_id WHERE g.external_id LIKE 'young-%' AND s.rule_name = 'G3'", 2 * young},
		"refused without their decision kept": {"SELECT COUNT(*) FROM promotion_sends s WHERE s.status = 'refused' AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.promotion_id = s.promotion_id AND d.group_id = s.group_id AND d.rule_name = s.rule_name)", 0},
	} {
		if got := p.count(c.sql); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	files, err := filepath.Glob(filepath.Join(p.dir, "data", "sends", "*", "*.json"))
	if err != nil || len(files) != groups-young {
		t.Errorf("the channel has %d ads, want %d (%v)", len(files), groups-young, err)
	}
	var report struct {
		Total     struct{ Asked, Sent, Refused, Deferred int }
		RefusedBy []struct {
			Rule   string
			Groups int
		} `json:"refused_by"`
	}
	b.must(t, "GET", "/v1/promotions/"+rich+"/report", "", nil, &report)
	if r := report.Total; r.Asked != groups || r.Sent != groups-young || r.Refused != young || len(report.RefusedBy) != 1 {
		t.Errorf("the report: %+v", report)
	}
	p.proven()
}

// importGroups brings groups in by file, the last of them young, in a zone in
// which it is about noon now: no quiet hour is near.
func (p *place) importGroups(b brand, groups, young int) {
	p.t.Helper()
	var text strings.Builder
	text.WriteString("external_id,name,preset,zone,born_at\n")
	zone := fmt.Sprintf("Etc/GMT%+d", time.Now().UTC().Hour()-12)
	for n := range groups {
		name, born := fmt.Sprintf("grown-%05d", n), time.Now().AddDate(-1, 0, 0)
		if n >= groups-young {
			name, born = fmt.Sprintf("young-%05d", n), time.Now().AddDate(0, 0, -2)
		}
		fmt.Fprintf(&text, "%s,邻里群 %d,retail,%s,%s\n", name, n, zone, born.Format(time.RFC3339))
	}
	file := filepath.Join(p.t.TempDir(), "groups.csv")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		p.t.Fatal(err)
	}
	out, errs, code := p.runWith([]string{"SIYU_URL=" + b.url, "SIYU_KEY=" + b.key}, "import", "groups", file)
	if code != 0 || !strings.Contains(out, fmt.Sprintf("%d lines, %d new", groups, groups)) {
		p.t.Fatalf("import: exit status %d\n%s%s", code, out, errs)
	}
}

// groups are the ids of all groups there are.
func (b brand) groups(t testing.TB) (all []string) {
	t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items      []struct{ ID string }
			NextCursor string `json:"next_cursor"`
		}
		b.must(t, "GET", "/v1/groups?limit=200&cursor="+cursor, "", nil, &page)
		for _, g := range page.Items {
			all = append(all, g.ID)
		}
		if cursor = page.NextCursor; cursor == "" {
			return all
		}
	}
}

// wave drafts a promotion into the groups, from now for four hours.
func (b brand) wave(t testing.TB, name string, priority int, groups []string) string {
	t.Helper()
	const atOnce = 1_500
	var p struct {
		ID      string
		Version int
	}
	b.must(t, "POST", "/v1/promotions", name, map[string]any{
		"campaign_id": b.campaign, "name": name, "text_zh": "苹果今天 9.9", "groups": groups[:atOnce], "channel": "file", "priority": priority,
		"windows": []map[string]any{{"from_at": time.Now().Format(time.RFC3339), "to_at": time.Now().Add(4 * time.Hour).Format(time.RFC3339)}},
	}, &p)
	for part := range slices.Chunk(groups[atOnce:], atOnce) {
		b.seen(p.Version).must(t, "POST", "/v1/promotions/"+p.ID+"/groups", "", map[string]any{"groups": part}, &p)
	}
	return p.ID
}

// count runs a query of one number.
func (p *place) count(sql string) (n int) {
	p.t.Helper()
	db := p.db()
	defer db.Close()
	if err := db.Read(context.Background()).Raw(sql).Scan(&n).Error; err != nil {
		p.t.Fatal(err)
	}
	return n
}

// until waits for what workers bring about, at most three minutes: a slow
// machine is no failure.
func (p *place) until(done func() bool) {
	p.t.Helper()
	for end := time.Now().Add(3 * time.Minute); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatal("the workers did not get there within three minutes")
		}
	}
}
