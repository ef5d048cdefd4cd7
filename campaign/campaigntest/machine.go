package campaigntest

import (
	"flag"
	"os"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"siyu/internal/database/dbtest"
)

// machineChecks is how many random runs of a machine one engine gets in the
// ordinary tests, and machineSteps how many actions one has on average;
// -rapid.checks and -rapid.steps ask for more, as RAPID_CHECKS does.
const (
	machineChecks = "3"
	machineSteps  = "80"
)

// Machine lets a state machine run on every engine, each run in a world of its
// own that stands at dbtest.Start, so that a failing run can be repeated and
// made smaller. rapid prints its seed.
func Machine(t *testing.T, run func(r *rapid.T, w *World)) {
	t.Helper()
	switch {
	case testing.Short():
		set(t, "rapid.checks", "1")
	case os.Getenv("RAPID_CHECKS") == "":
		set(t, "rapid.checks", machineChecks)
	}
	set(t, "rapid.steps", machineSteps)
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			dbtest.URL(t, engine) // skips where the engine is missing
			rapid.Check(t, func(r *rapid.T) { run(r, worldOf(t, r, engine)) })
		})
	}
}

// MustFind fails if so many runs do not find the error planted in a machine:
// then its runs without one prove nothing.
func MustFind(t *testing.T, run func(r *rapid.T, w *World)) {
	t.Helper()
	if testing.Short() {
		t.Skip("planted errors are found by the whole tests")
	}
	set(t, "rapid.checks", "100")
	set(t, "rapid.steps", machineSteps)
	set(t, "rapid.shrinktime", "0s")
	set(t, "rapid.nofailfile", "true")
	d := &deaf{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		rapid.Check(d, func(r *rapid.T) { run(r, worldOf(t, r, "sqlite")) })
	}()
	<-ended
	if !d.failed {
		t.Error("100 runs did not find the planted error")
	}
}

// set sets a flag of rapid until the test ends, unless the caller did.
func set(t *testing.T, name, value string) {
	t.Helper()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == name })
	if asked && name != "rapid.shrinktime" {
		return
	}
	f := flag.Lookup(name)
	was := f.Value.String()
	if err := f.Value.Set(value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Value.Set(was); err != nil {
			t.Error(err)
		}
	})
}

// worldOf is a world whose failures are those of the run.
func worldOf(t *testing.T, r *rapid.T, engine string) *World {
	tb := inRun{t, r}
	return New(tb, dbtest.Open(tb, engine))
}

// inRun is a test inside one run of rapid.
type inRun struct {
	*testing.T
	run *rapid.T
}

// Helper marks nothing: rapid shows its own lines.
func (inRun) Helper() {}

// Cleanup runs f when the run ends.
func (t inRun) Cleanup(f func()) { t.run.Cleanup(f) }

// Log is the run's.
func (t inRun) Log(args ...any) { t.run.Log(args...) }

// Logf is the run's.
func (t inRun) Logf(format string, args ...any) { t.run.Logf(format, args...) }

// Error fails the run.
func (t inRun) Error(args ...any) { t.run.Error(args...) }

// Errorf fails the run.
func (t inRun) Errorf(format string, args ...any) { t.run.Errorf(format, args...) }

// Fatal ends the run.
func (t inRun) Fatal(args ...any) { t.run.Fatal(args...) }

// Fatalf ends the run.
func (t inRun) Fatalf(format string, args ...any) { t.run.Fatalf(format, args...) }

// FailNow ends the run.
func (t inRun) FailNow() { t.run.FailNow() }

// Failed says whether the run failed.
func (t inRun) Failed() bool { return t.run.Failed() }

// deaf is a test that is meant to fail.
type deaf struct {
	testing.TB
	failed bool
}

// Helper marks nothing.
func (*deaf) Helper() {}

// Log says nothing.
func (*deaf) Log(...any) {}

// Logf says nothing.
func (*deaf) Logf(string, ...any) {}

// Errorf only notes the failure.
func (d *deaf) Errorf(string, ...any) { d.failed = true }

// Error only notes the failure.
func (d *deaf) Error(...any) { d.failed = true }

// Fail only notes the failure.
func (d *deaf) Fail() { d.failed = true }

// Failed says whether it failed.
func (d *deaf) Failed() bool { return d.failed }

// FailNow ends the goroutine.
func (d *deaf) FailNow() {
	d.failed = true
	runtime.Goexit()
}

// Fatalf ends the goroutine.
func (d *deaf) Fatalf(string, ...any) { d.FailNow() }

// Fatal ends the goroutine.
func (d *deaf) Fatal(...any) { d.FailNow() }
