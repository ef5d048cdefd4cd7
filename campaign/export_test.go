package campaign

import "time"

// VerifyBy is Verify in snapshots of that many orders.
var VerifyBy = verifyBy

// AdviseIn is advise with the hours of a zone.
func AdviseIn(zone *time.Location, r Report) []Advice {
	r.zone = zone
	return advise(r)
}
