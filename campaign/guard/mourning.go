package guard

// mourning advises against an ad on a day on which cheerful promotion is out of
// place, or refuses it where the brand, a unit or the group says so. A permit
// is for a merry moment and does not lift it.
func (x *exam) mourning(w Window, v *verdict) {
	for _, m := range x.state.Mourning {
		if m.From <= w.From && w.From < m.To {
			advised := v.advise
			v.advise = true // but where the rule itself is enforced
			v.deny(Reason{RuleMourning, int64(m.To-w.From) / minuteMilli, 0}, m.To)
			v.advise = advised
		}
	}
}
