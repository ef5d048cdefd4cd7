package api

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"siyu/internal/database/dbtest"
)

// TestProxyPasses holds the proxy that deploy/ brings along to the bodies that
// the routes take: what a route would accept must not end at the proxy.
func TestProxyPasses(t *testing.T) {
	conf, err := os.ReadFile("../deploy/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`client_max_body_size (\d+)m;`).FindSubmatch(conf)
	if found == nil {
		t.Fatal("deploy/nginx.conf names no client_max_body_size in MiB")
	}
	most, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, rt := range newHouse(t, dbtest.Open(t, "sqlite")).table().list {
		if rt.body >= most<<20 {
			t.Errorf("%s takes %d bytes, the proxy %d MiB", rt.name(), rt.body, most)
		}
	}
}
