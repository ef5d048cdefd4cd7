package guard_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/community/health"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// childEnv makes the test binary a process of its own on a store: its address,
// node, what it does, and the groups.
const childEnv = "SIYU_GUARD_CHILD"

func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		if err := runChild(strings.Split(spec, "|")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runChild(spec []string) error {
	node, err := strconv.Atoi(spec[1])
	if err != nil {
		return err
	}
	// Their clocks are some minutes apart.
	db, err := database.Open(bg, database.Config{URL: spec[0], Clock: clock.At(dbtest.Start.Add(time.Duration(node-3) * 7 * time.Minute))})
	if err != nil {
		return err
	}
	defer db.Close()
	db.IDs = id.NewGenerator(node, time.Now().Add(time.Hour))
	c := &child{s: &guard.Service{DB: db}, in: bufio.NewReader(os.Stdin), r: rand.New(rand.NewPCG(uint64(node), 1)), node: node}
	for _, g := range strings.Split(spec[3], ",") {
		var group id.Group
		if err := group.UnmarshalText([]byte(g)); err != nil {
			return err
		}
		c.groups = append(c.groups, group)
	}
	if spec[2] == "holds" {
		return c.hold()
	}
	return c.storm()
}

type child struct {
	s      *guard.Service
	in     *bufio.Reader
	r      *rand.Rand
	node   int
	groups []id.Group
}

// wait says a word and stands until it is told to go on.
func (c *child) wait(word string) error {
	fmt.Println(word)
	_, err := c.in.ReadString('\n')
	return err
}

// storm asks for slots of one week, for promotions that the other processes ask
// for too, takes others' places, confirms late and early, releases, posts by hand and edits policies.
func (c *child) storm() error {
	if err := c.wait("ready"); err != nil {
		return err
	}
	for range 60 {
		from := clock.MilliOf(c.s.DB.Clock.Now()).Add(time.Duration(c.r.IntN(7*24*60)) * time.Minute)
		ask := guard.Ask{Promotion: id.Promotion(1 + c.r.IntN(30)), WindowNo: 1, Window: guard.Window{From: from, To: from.Add(5 * time.Hour)}, Groups: c.groups}
		answers, err := c.s.Reserve(bg, ask, nothing)
		if err != nil && !errors.Is(err, fault.Unavailable) {
			return err
		}
		if _, err = c.s.TakeOver(bg, ask, anyLoses(1), keeps); err != nil && !errors.Is(err, fault.Unavailable) {
			return err
		}
		for _, a := range answers {
			if a.SlotID != 0 {
				err = c.use(a)
			}
			if _, refused := fault.As(err); err != nil && !refused {
				return err
			}
		}
		c.s.DB.Clock.Jump(time.Duration(c.r.IntN(5*60)-60) * time.Minute)
	}
	return nil
}

func (c *child) use(a guard.Answer) (err error) {
	switch c.r.IntN(8) {
	case 0:
		_, err = c.s.Release(bg, a.SlotID, guard.ReleaseNotSent, nil)
	case 1, 2, 3:
		_, err = c.s.Confirm(bg, a.SlotID, 0)
	case 4:
		_, err = c.s.PostByHand(bg, a.GroupID, 0, 0)
	case 5:
		was, err := c.s.FindAdPolicy(bg, a.GroupID)
		if err != nil {
			return err
		}
		gap := 1 + c.r.IntN(6)
		in := guard.AdPolicyIn{Preset: guard.PresetBenefit, Mode: guard.ModeEnforce, SettingsIn: guard.SettingsIn{GapHours: &gap}}
		_, err = c.s.SetAdPolicy(bg, a.GroupID, in, was.Version)
		return err
	case 6:
		unit := id.Unit(c.r.IntN(3))
		was, err := c.s.FindLayerPolicy(bg, unit, guard.PresetBenefit)
		if err != nil {
			return err
		}
		a, week := 1+c.r.IntN(3), 10+c.r.IntN(6) // never more than the query below allows
		_, err = c.s.SetLayerPolicy(bg, unit, guard.PresetBenefit, guard.SettingsIn{AdsPerDay: &a, AdsPerWeek: &week}, was.Version)
		return err
	}
	return err
}

// hold takes a slot of an hour, is stopped with it, and must not deliver when
// it goes on two hours later.
func (c *child) hold() error {
	now := clock.MilliOf(c.s.DB.Clock.Now())
	answers, err := c.s.Reserve(bg, guard.Ask{Promotion: 99, WindowNo: 1, Window: guard.Window{From: now, To: now.Add(time.Hour)}, Groups: c.groups[:1]}, nothing)
	if err != nil || answers[0].SlotID == 0 {
		return fmt.Errorf("no slot to hold: %v, %w", answers, err)
	}
	if err := c.wait("held"); err != nil {
		return err
	}
	c.s.DB.Clock.Jump(2 * time.Hour)
	err = c.s.DB.Tx(bg, func(tx *database.Tx) error { _, err := c.s.StartTx(tx, answers[0].SlotID); return err })
	if !errors.Is(err, guard.ErrNotNow) {
		return fmt.Errorf("a worker that was stopped delivered outside its window: %v", err)
	}
	return nil
}

// TestThreeProcesses lets three processes begin at a barrier, whose clocks are
// apart and step, while a fourth is stopped (SIGSTOP) with a slot in its hands.
// Caps are then counted by SQL that knows nothing of the guard, and by V8.
func TestThreeProcesses(t *testing.T) {
	url := dbtest.URL(t, "mariadb")
	db := dbtest.At(t, url)
	addUnits(t, db)
	groups := make([]string, 6)
	for i := range groups {
		g := newGroup(t, db, community.PresetBenefit)
		if groups[i] = g.String(); i < 2 { // a quarter of three is one a day
			judged(t, db, g, health.StateDead, 7_000, 3_000)
		}
	}
	holder := startChild(t, url, 2, "holds", groups)
	holder.expect(t, "held")
	if err := holder.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var all []*process
	for node := range 3 {
		p := startChild(t, url, node+3, "storms", groups)
		p.expect(t, "ready")
		all = append(all, p)
	}
	for _, p := range all {
		p.goOn(t)
	}
	for _, p := range all {
		p.end(t)
	}
	if err := holder.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	holder.goOn(t)
	holder.end(t)
	mustHold(t, db)
	for what, query := range map[string]string{
		"four ads on a local day": `SELECT COUNT(*) FROM (SELECT 1 FROM slots WHERE released_at = 0 AND late = 0 AND unplanned = 0
			GROUP BY group_id, (first_at + 28800000) DIV 86400000 HAVING COUNT(*) > 3) x`,
		"a promotion twice in a group": `SELECT COUNT(*) FROM (SELECT 1 FROM slots WHERE released_at = 0 AND promotion_id <> 0
			GROUP BY promotion_id, window_no, group_id HAVING COUNT(*) > 1) x`,
		"a sequence with a gap or a double": `SELECT COUNT(*) FROM (SELECT g.group_id FROM group_guards g JOIN slots s ON s.group_id = g.group_id GROUP BY g.group_id, g.last_seq
			HAVING g.last_seq <> SUM(1 + CASE WHEN s.confirmed_seq NOT IN (0, s.seq) THEN 1 ELSE 0 END + CASE WHEN s.released_seq <> 0 THEN 1 ELSE 0 END)) x`,
	} {
		var n int
		if err := db.Read(bg).Raw(query).Scan(&n).Error; err != nil || n != 0 {
			t.Errorf("%s: %d, %v", what, n, err)
		}
	}
	var live int
	if err := db.Read(bg).Raw("SELECT COUNT(*) FROM slots WHERE released_at = 0").Scan(&live).Error; err != nil || live < 2*len(groups) {
		t.Errorf("%d slots are live (%v): the storm was none", live, err)
	}
	var scaled int
	if err := db.Read(bg).Raw("SELECT COUNT(*) FROM slots WHERE care_day = 1 AND care_gap_minutes > 0").Scan(&scaled).Error; err != nil || scaled == 0 {
		t.Errorf("%d slots were held to the group's health (%v)", scaled, err)
	}
}

type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	err strings.Builder
}

func startChild(t *testing.T, url string, node int, does string, groups []string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(self)}
	p.cmd.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{url, strconv.Itoa(node), does, strings.Join(groups, ",")}, "|"))
	p.cmd.Stderr = &p.err
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.in, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // of one that has ended it is none
	return p
}

func (p *process) expect(t *testing.T, word string) {
	t.Helper()
	if got, err := p.out.ReadString('\n'); err != nil || strings.TrimSpace(got) != word {
		_ = p.cmd.Wait()
		t.Fatalf("got %q, %v, want %s: %s", got, err, word, p.err.String())
	}
}

func (p *process) goOn(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(p.in, "go\n"); err != nil {
		t.Fatal(err)
	}
}

func (p *process) end(t *testing.T) {
	t.Helper()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("a process ended with %v: %s", err, p.err.String())
	}
}
