package gate_test

import (
	"testing"

	"siyu/community"
	"siyu/community/gate"
	"siyu/internal/database"
)

// A group without a gate is joined another way, and its application says so; one
// that is closed takes nobody.
func TestApplyWithoutGate(t *testing.T) {
	on(t, gate.In{}, func(h *house) {
		free, err := h.people.CreateGroup(h.owner, community.GroupIn{Name: "没有门"})
		if err != nil {
			h.t.Fatal(err)
		}
		m, _ := h.member()
		_, err = h.Apply(bg, free, m, gate.ApplyIn{Charter: 1})
		h.refused(err, gate.ErrNone)
		err = h.DB.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("UPDATE chat_groups SET status = ? WHERE id = ?", community.GroupDissolved, free).Error
		})
		if err != nil {
			h.t.Fatal(err)
		}
		_, err = h.Apply(bg, free, m, gate.ApplyIn{Charter: 1})
		h.refused(err, gate.ErrClosed)
	})
}
