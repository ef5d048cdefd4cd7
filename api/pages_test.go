package api

import (
	"net/http"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// TestPagesAtRandom opens pages, follows links and sends forms as a seed draws
// them: as a guest, as members, as staff of every role and as a group owner by
// his link, in both languages, while calls of others, tasks and days change what
// is there. No page is an error of ours, lacks its heading or speaks the other
// language, shows an id where there is a name, or what somebody typed as markup;
// no form comes without its token; no link leads nowhere for whom it was shown
// to; every invariant holds at the end. SIYU_TEST_SEED draws another walk,
// SIYU_TEST_STEPS a longer one.
func TestPagesAtRandom(t *testing.T) {
	seed, steps := fromEnv(t, "SIYU_TEST_SEED", 1), fromEnv(t, "SIYU_TEST_STEPS", 1000)
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := newReaders(t, db, uint64(seed))
		for range steps {
			w.turn()
		}
		w.tick()
		t.Logf("seed %d: %d addresses and %d forms of different sorts, answers by status %v", seed, len(w.opened), len(w.filled), w.gave)
		if len(w.opened) < 45 || len(w.filled) < 15 || w.gave[http.StatusSeeOther] < steps/20 {
			t.Errorf("the walk saw too little: addresses %v, forms %v, answers %v", w.opened, w.filled, w.gave)
		}
		for _, b := range w.broken(t) {
			t.Error(b)
		}
	})
}
