package health

import (
	"slices"
	"testing"

	"siyu/community"
)

// TestMetrics holds figures to their limits at the very edge: one less, or one
// more, no longer meets.
func TestMetrics(t *testing.T) {
	const n = 90
	retail, core := community.Group{Preset: community.PresetRetail}, community.Group{Preset: community.PresetCore}
	known := Day{Covered: true, Complete: true, Size: 200, People: 40, Said: 40}
	for _, c := range []struct {
		name, metric string
		group        community.Group
		change       func(h *History, c *Crowd)
		value        int
		meets        bool
	}{
		{"81 of 90 days of the right size", "size_days", retail, func(h *History, c *Crowd) { short(h, 9, 199) }, 9_000, true},
		{"80 of 90", "size_days", retail, func(h *History, c *Crowd) { short(h, 10, 199) }, 8_888, false},
		{"days of which the size is not known are left out", "size_days", retail, func(h *History, c *Crowd) { short(h, 60, Unknown) }, 10_000, true},
		{"a core group is not too large", "size_days", core, func(h *History, c *Crowd) { short(h, 81, 150) }, 9_000, true},
		{"one ad to four pieces of content", "ads_to_content", retail, func(h *History, c *Crowd) { ads(h, 1); h.Days[n-1].Content = 4 }, 2_500, true},
		{"one to three", "ads_to_content", retail, func(h *History, c *Crowd) { ads(h, 1); h.Days[n-1].Content = 3 }, 3_334, false},
		{"ads and no content", "ads_to_content", retail, func(h *History, c *Crowd) { ads(h, 2) }, 20_000, false},
		{"a topic on five of seven days", "topic_days", retail, func(h *History, c *Crowd) { topics(h, 5, 6) }, 5, true},
		{"on four", "topic_days", retail, func(h *History, c *Crowd) { topics(h, 4, 6) }, 4, false},
		{"one too few in each", "topic_days", retail, func(h *History, c *Crowd) { topics(h, 7, 5) }, 0, false},
		{"four of five came through a gate", "entry_gate", retail, func(h *History, c *Crowd) { c.Came, c.CameGated = 5, 4 }, 8_000, true},
		{"fewer", "entry_gate", retail, func(h *History, c *Crowd) { c.Came, c.CameGated = 9, 7 }, 7_777, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, people := History{Born: 20260101, Days: days(20260131, n, known)}, crowdOf()
			c.change(&h, &people)
			m := metricOf(t, metrics(c.group, h, n-1, people), c.metric)
			if m.Value == nil || *m.Value != c.value || m.Meets == nil || *m.Meets != c.meets {
				t.Errorf("got %+v, want %d, meets %v", m, c.value, c.meets)
			}
		})
	}
	t.Run("what is not known is not 0", func(t *testing.T) {
		h := History{Born: 20260101, Days: days(20260131, n, Day{Size: Unknown})}
		for _, m := range metrics(retail, h, n-1, Crowd{Today: today, Covered: map[int]bool{}}) {
			if m.Value != nil || m.Meets != nil || m.Unknown == "" {
				t.Errorf("%s: got %+v", m.Name, m)
			}
		}
	})
}

func short(h *History, n, size int) {
	for i := range n {
		h.Days[i].Size = size
	}
}

func ads(h *History, n int) {
	for range n {
		h.Ads = append(h.Ads, Ad{Day: h.Days[len(h.Days)-3].Day})
	}
}

func topics(h *History, days, people int) {
	for i := range days {
		h.Days[len(h.Days)-1-i].TopicPeople = people
	}
}

func metricOf(t *testing.T, list []Metric, name string) Metric {
	t.Helper()
	i := slices.IndexFunc(list, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		t.Fatalf("there is no %s", name)
	}
	return list[i]
}

func TestTier(t *testing.T) {
	for size, want := range map[int]Tier{Unknown: "", 0: TierSelf, 50: TierSelf, 51: TierRules, 150: TierRules, 151: TierSplit} {
		if got := tierOf(size); got != want {
			t.Errorf("of %d: got %q, want %q", size, got, want)
		}
	}
}

// TestAdvise: each reason has its advice, the most urgent first, and what is not
// known is no reason.
func TestAdvise(t *testing.T) {
	missed := func(names ...string) Report {
		r := Report{Standing: &Standing{State: StateWarm, Fatigue: Unknown}}
		for _, name := range names {
			no := false
			r.Metrics = append(r.Metrics, Metric{Name: name, Meets: &no})
		}
		return r
	}
	with := func(change func(r *Report), names ...string) Report {
		r := missed(names...)
		change(&r)
		return r
	}
	for _, c := range []struct {
		name string
		r    Report
		want []Advice
	}{
		{"no day was over", Report{}, []Advice{adviseReport}},
		{"nothing is known", with(func(r *Report) { r.Standing.State = StateUnknown }, "pyramid"), []Advice{adviseReport}},
		{"nothing is wrong", missed(), []Advice{adviseKeep}},
		{"tired", with(func(r *Report) { r.Standing.Fatigue = fatigueStop + 1 }, "ads_to_content"), []Advice{adviseRest, adviseContent}},
		{"not yet tired", with(func(r *Report) { r.Standing.Fatigue = fatigueStop }), []Advice{adviseKeep}},
		{"fell, and lacks roles", missed("pyramid", "early_fall"), []Advice{adviseFall, advisePyramid}},
		{"dead, and only its host talks", with(func(r *Report) { r.Standing.State = StateDead }, "host_share", "monologue"), []Advice{adviseRevive, adviseListen}},
		{"no interaction", missed("weekly_interaction"), []Advice{adviseHold}},
		{"few topics, and well", with(func(r *Report) { r.Standing.State = StateHealthy }, "topic_days"), []Advice{adviseKeep}},
		{"few topics", missed("topic_days"), []Advice{adviseHold}},
		{"the core is silent", with(func(r *Report) { r.Core.Alarm = true }), []Advice{adviseCore}},
		{"one talks", with(func(r *Report) { r.Head.High = true }), []Advice{adviseHead}},
		{"one sells", with(func(r *Report) { r.Sales.High = true }), []Advice{adviseHead}},
		{"too large", with(func(r *Report) { r.Tier, r.GroupID = TierSplit, 9 }), []Advice{adviseSplit.at(9, "split")}},
		{"large and well", with(func(r *Report) { r.Tier, r.Standing.State = TierSplit, StateHealthy }), []Advice{adviseKeep}},
	} {
		if got := advise(c.r); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %+v", c.name, got)
		}
	}
}
