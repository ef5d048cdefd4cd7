package api

import (
	"testing"

	"siyu/internal/httpd"
)

// FuzzActivityLine: a line read the short way says what it says the long way.
func FuzzActivityLine(f *testing.F) {
	const plain = `{"group_id":"grp_01h8xgjv8a2pz","event_id":"r1-7","member_id":"mem_01h8xgjv8a2pz","kind":"reply","at":"2026-11-27T02:11:12.345678Z"}`
	for _, text := range []string{
		plain, plain + " \r", plain + "x", plain[:len(plain)-1], `{}`, `{ "kind": "reply", "event_id":"a"}`, `{"kind":"reply","kind":"reply"}`,
		`{"kind":"\u0041"}`, `{"kind":"回复"}`, `{"kind":null}`, `{"complete_day":20261120,"group_id":"grp_01h8xgjv8a2pz"}`,
		`{"Kind":"reply"}`, `{"kind":"reply",}`, `{"kind":"reply" ,"event_id":"a"}`, `{"at":""}`, `{"group_id":""}`, `{"to_member_id":"mem_0"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var short, long activityLine
		if !short.plain(text) {
			return
		}
		if err := httpd.Decode(text, &long); err != nil || short != long {
			t.Errorf("%q is %+v the short way, %+v and %v the long way", text, short, long, err)
		}
	})
}

// TestPlainLines: what mostly comes is read the short way, in the forms that
// the usual encoders write.
func TestPlainLines(t *testing.T) {
	for _, text := range []string{
		`{"group_id":"grp_01h8xgjv8a2pz","event_id":"r1-7","member_id":"mem_01h8xgjv8a2pz","kind":"reply","at":"2026-11-27T02:11:12.345678Z"}`,
		`{"group_id": "grp_01h8xgjv8a2pz", "event_id": "r1-7", "kind": "reply", "at": "2026-11-27T10:11:12+08:00"}` + "\r",
	} {
		var l activityLine
		if !l.plain([]byte(text)) || l.EventID != "r1-7" || l.At == 0 {
			t.Errorf("%s: %+v", text, l)
		}
	}
}
