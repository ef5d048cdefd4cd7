package guard

import (
	"fmt"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Intake is how many people came into a group in the 48 hours before a
// decision and stayed, when the last of them did, and how many it has.
type Intake struct {
	Joined  int
	Newest  clock.Milli
	Members int
}

// G4: after more than a tenth of a group came within two days, ads wait for a
// day after the last of them.
const (
	intakeWithin = 2 * day
	intakeHold   = day
	intakeShare  = 10 // one in so many
)

// intake holds ads back while many newcomers are welcomed.
func (x *exam) intake(w Window, v *verdict) {
	in := &x.state.Intake
	if free := in.Newest.Add(intakeHold); in.Joined*intakeShare > in.Members && w.From < free {
		v.deny(Reason{RuleIntake, int64(in.Joined), int64(in.Members / intakeShare)}, free)
	}
}

func intakeOf(in community.Intake) Intake { return Intake{in.Joined, in.Newest, in.Members} }

// intakeRead reads who came lately into groups.
func (ask question) intakeRead(groups []id.Group, into *loaded) database.Read {
	return community.IntakeRows(groups, ask.now.Add(-intakeWithin), func(in community.Intake) { into.intakes[in.GroupID] = in })
}

// intakes reads who came in lately, once the policies are known and only for
// groups whose policy asks for it. Two presets do, and this read costs as much
// as that of the ads.
func (ask question) intakes(q *database.Query, found *loaded, into map[id.Group]*known) error {
	var groups []id.Group
	for _, g := range ask.groups {
		if into[g].policy.Care.Intake {
			groups = append(groups, g)
		}
	}
	if len(groups) == 0 {
		return nil
	}
	for part := range slices.Chunk(groups, chunk) {
		if err := ask.intakeRead(part, found).On(q); err != nil {
			return fmt.Errorf("guard: intake: %w", err)
		}
	}
	for g, in := range found.intakes {
		into[g].state.Intake = intakeOf(in)
	}
	return nil
}
