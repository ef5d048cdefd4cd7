package guard

import (
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
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

// intakeRead reads who came lately.
func (ask question) intakeRead(into *loaded) database.Read {
	return community.IntakeRows(ask.groups, ask.now.Add(-intakeWithin), func(in community.Intake) { into.intakes[in.GroupID] = in })
}
