package api

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Gauge is one figure of /metrics, in the text format Prometheus reads.
type Gauge struct {
	Name   string
	Labels map[string]string
	Value  float64
}

// buckets of answer times, in seconds.
var buckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// metrics counts answers by route and status, and their times by route. Both
// come from the route table and the status codes, so the memory is bounded.
type metrics struct {
	mu     sync.Mutex
	counts map[answered]int64
	times  map[string]*histogram
}

type answered struct {
	route  string
	status int
}

type histogram struct {
	in  []int64 // per bucket, the last for what is above all
	sum float64
	n   int64
}

func newMetrics() *metrics {
	return &metrics{counts: map[answered]int64{}, times: map[string]*histogram{}}
}

func (m *metrics) seen(route string, status int, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[answered{route, status}]++
	h := m.times[route]
	if h == nil {
		h = &histogram{in: make([]int64, len(buckets)+1)}
		m.times[route] = h
	}
	at, _ := slices.BinarySearch(buckets, took.Seconds())
	h.in[at]++
	h.sum += took.Seconds()
	h.n++
}

func (m *metrics) write(w io.Writer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fmt.Fprintln(w, "# TYPE siyu_http_requests_total counter")
	for _, k := range slices.SortedFunc(maps.Keys(m.counts), func(a, b answered) int {
		return cmp.Or(strings.Compare(a.route, b.route), a.status-b.status)
	}) {
		fmt.Fprintf(w, "siyu_http_requests_total{route=%q,status=\"%d\"} %d\n", k.route, k.status, m.counts[k])
	}
	fmt.Fprintln(w, "# TYPE siyu_http_request_seconds histogram")
	for _, route := range slices.Sorted(maps.Keys(m.times)) {
		h, below := m.times[route], int64(0)
		for i, n := range h.in {
			below += n
			le := "+Inf"
			if i < len(buckets) {
				le = strconv.FormatFloat(buckets[i], 'g', -1, 64)
			}
			fmt.Fprintf(w, "siyu_http_request_seconds_bucket{route=%q,le=%q} %d\n", route, le, below)
		}
		fmt.Fprintf(w, "siyu_http_request_seconds_sum{route=%q} %g\n", route, h.sum)
		fmt.Fprintf(w, "siyu_http_request_seconds_count{route=%q} %d\n", route, h.n)
	}
}

// writeGauges groups the figures by name, as the format wants them.
func writeGauges(w io.Writer, gauges []Gauge) {
	gauges = slices.Clone(gauges)
	slices.SortStableFunc(gauges, func(a, b Gauge) int { return strings.Compare(a.Name, b.Name) })
	last := ""
	for _, g := range gauges {
		if g.Name != last {
			kind := "gauge"
			if strings.HasSuffix(g.Name, "_total") {
				kind = "counter"
			}
			fmt.Fprintf(w, "# TYPE %s %s\n", g.Name, kind)
			last = g.Name
		}
		var labels []string
		for _, k := range slices.Sorted(maps.Keys(g.Labels)) {
			labels = append(labels, fmt.Sprintf("%s=%q", k, g.Labels[k]))
		}
		set := ""
		if len(labels) > 0 {
			set = "{" + strings.Join(labels, ",") + "}"
		}
		fmt.Fprintf(w, "%s%s %g\n", g.Name, set, g.Value)
	}
}
