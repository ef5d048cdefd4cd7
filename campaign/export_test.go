package campaign

import (
	"time"

	"siyu/internal/database"
)

// VerifyBy is Verify in snapshots of that many orders.
var VerifyBy = verifyBy

// AdviseIn is advise with the hours of a zone.
func AdviseIn(zone *time.Location, r Report) []Advice {
	r.zone = zone
	return advise(r)
}

// ExpireTx lets orders go as the sweep does that read them a moment ago.
func (s *Service) ExpireTx(tx *database.Tx, orders []Order) error {
	return s.letGoTx(tx, orders, OrderExpired)
}
