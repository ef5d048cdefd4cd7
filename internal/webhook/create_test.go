package webhook_test

import (
	"strings"
	"testing"

	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/webhook"
)

// TestCreationSaysWhereItLeads: a name that leads only to where webhooks may
// not go is refused when it is registered, with the address and the remedy;
// one that is known nowhere yet is taken.
func TestCreationSaysWhereItLeads(t *testing.T) {
	db := dbtest.Open(t, "sqlite")
	x := newRoom(t, db, newReceiver(t))
	allow, err := webhook.ParseAllow([]string{"localhost:9000", "10.8.0.0/16"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		url         string
		leads       string // where, as the refusal says it
		bare, allow bool
	}{
		{url: "https://localhost/hook", leads: "localhost leads to "},
		{url: "https://LOCALHOST/hook", leads: " leads to "},
		{url: "http://localhost:9000/", allow: true},
		{url: "http://127.0.0.1/", leads: "127.0.0.1 leads to 127.0.0.1:80,"},
		{url: "http://10.9.0.1/", leads: "10.9.0.1 leads to 10.9.0.1:80,"},
		{url: "http://10.8.0.1:8080/", allow: true, leads: "10.8.0.1 leads to 10.8.0.1:8080,"},
		{url: "https://mall.invalid/hook", bare: true, allow: true},
	} {
		for name, a := range map[string]webhook.Allow{"bare": {}, "allow": allow} {
			want := tt.bare
			if name == "allow" {
				want = tt.allow
			}
			x.Allow = a
			_, err := x.Create(x.staff, webhook.In{URL: tt.url, Events: webhook.Events{"*"}})
			f, _ := fault.As(err)
			switch {
			case want != (err == nil):
				t.Errorf("%s %s: %v", name, tt.url, err)
			case err == nil || tt.leads == "":
			case len(f.Fields) != 1 || f.Fields[0].Name != "url" || !strings.Contains(f.Fields[0].EN, tt.leads) || !strings.Contains(f.Fields[0].ZH, "SIYU_WEBHOOK_ALLOW"):
				t.Errorf("%s %s: refused with %+v", name, tt.url, f.Fields)
			}
		}
	}
}
