package health_test

import (
	"context"
	"fmt"
	"testing"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
)

// TestTopicsToldApart: a topic that drew enough is one topic that did, not two
// that drew half each; one whom a merge makes the same person counts once.
func TestTopicsToldApart(t *testing.T) {
	run(t, func(t *testing.T, w *town) {
		born := w.now().Add(-40 * day)
		joins := func(g id.Group, topic string, who ...id.Member) {
			t.Helper()
			var list []community.ActivityIn
			for _, m := range who {
				w.events++
				list = append(list, community.ActivityIn{EventID: fmt.Sprint("t", w.events), MemberID: m, Kind: community.ActivityTopic, At: w.now(), Topic: topic})
			}
			w.put(t, g, community.ActivityBatch{Events: list})
		}
		for _, c := range []struct {
			name                        string
			does                        func(g id.Group, who []id.Member)
			people, topic, content, met int
		}{
			{"two of four", func(g id.Group, who []id.Member) { joins(g, "a", who[:4]...); joins(g, "b", who[4:8]...) }, 8, 4, 2, 0},
			{"one of five beside another", func(g id.Group, who []id.Member) { joins(g, "a", who[:5]...); joins(g, "b", who[2:6]...) }, 6, 5, 2, 1},
			{"named by nobody, all of one", func(g id.Group, who []id.Member) { joins(g, "", who[:5]...) }, 5, 5, 1, 1},
			{"the same words in another case are another topic", func(g id.Group, who []id.Member) { joins(g, "a", who[:3]...); joins(g, "A", who[3:6]...) }, 6, 3, 2, 0},
			{"four topics are content three times", func(g id.Group, who []id.Member) {
				for _, topic := range []string{"a", "b", "c", "d"} {
					joins(g, topic, who[0])
				}
			}, 1, 1, 3, 0},
			{"two who are one", func(g id.Group, who []id.Member) {
				joins(g, "a", who[:5]...)
				if err := w.DB.Tx(context.Background(), func(tx *database.Tx) error {
					_, err := community.MergeTx(tx, who[0], who[1])
					return err
				}); err != nil {
					t.Fatal(err)
				}
			}, 4, 4, 1, 0},
		} {
			g := w.group(t, community.GroupIn{BornAt: born})
			c.does(g, w.members(t, g, 8, community.RoleMember, born))
			w.DB.Clock.Jump(day)
			w.roll(t)
			all := w.days(t, g)
			got := all[len(all)-2] // today is not over
			if got.People != c.people || got.TopicPeople != c.topic || got.Drawn != c.topic || got.Content != c.content || (w.standing(t, g).Held != 0) != (c.met == 1) {
				t.Errorf("%s: got %+v, held %d", c.name, got, w.standing(t, g).Held)
			}
		}
	})
}
