package webhook

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

func TestPublic(t *testing.T) {
	for _, tt := range []struct {
		ip   string
		want bool
	}{
		{"8.8.8.8", true}, {"1.1.1.1", true}, {"93.184.215.14", true}, {"223.5.5.5", true},
		{"2606:4700:4700::1111", true}, {"2400:3200::1", true}, {"::ffff:8.8.8.8", true},

		{"0.0.0.0", false}, {"0.1.2.3", false}, {"127.0.0.1", false}, {"127.1.2.3", false},
		{"10.0.0.1", false}, {"172.16.0.1", false}, {"172.31.255.255", false}, {"192.168.1.1", false},
		{"169.254.169.254", false}, {"100.64.0.1", false}, {"100.100.100.200", false}, {"100.127.255.255", false},
		{"192.0.0.8", false}, {"192.0.2.1", false}, {"198.18.0.1", false}, {"198.19.255.255", false},
		{"198.51.100.1", false}, {"203.0.113.1", false}, {"192.88.99.1", false},
		{"224.0.0.1", false}, {"239.255.255.255", false}, {"240.0.0.1", false}, {"255.255.255.255", false},

		{"::", false}, {"::1", false}, {"::ffff:127.0.0.1", false}, {"::ffff:169.254.169.254", false}, {"::ffff:10.0.0.1", false},
		{"::127.0.0.1", false}, {"64:ff9b::7f00:1", false}, {"64:ff9b::a9fe:a9fe", false}, {"64:ff9b:1::1", false},
		{"2002:7f00:1::", false}, {"2002:a00:1::1", false}, {"2001::1", false}, {"2001:0:4136:e378:8000:63bf:3fff:fdd2", false},
		{"2001:db8::1", false}, {"3fff::1", false}, {"fc00::1", false}, {"fd00:ec2::254", false},
		{"fe80::1", false}, {"fe80::1%eth0", false}, {"fec0::1", false}, {"ff02::1", false}, {"5f00::1", false}, {"100::1", false},
	} {
		if got := public(netip.MustParseAddr(tt.ip)); got != tt.want {
			t.Errorf("public(%s) = %v", tt.ip, got)
		}
	}
}

func TestCheckURL(t *testing.T) {
	a, err := ParseAllow([]string{"mall.internal:8080", " 10.8.0.0/16 ", ""})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		url  string
		bare bool // without an allow list
		with bool
	}{
		{"https://example.com/hook", true, true}, {"http://example.com", true, true}, {"https://example.com:443/x", true, true},
		{"https://8.8.8.8/", true, true}, {"https://[2606:4700:4700::1111]/", true, true},
		{"http://mall.internal:8080/x", false, true}, {"http://MALL.internal:8080/x", false, true}, {"http://10.8.1.2:9000/", false, true},
		{"http://10.9.1.2/", false, false}, {"http://127.0.0.1/", false, false}, {"http://[::1]/", false, false},
		{"http://[::ffff:127.0.0.1]/", false, false}, {"http://169.254.169.254/latest", false, false},
		{"ftp://example.com/", false, false}, {"file:///etc/passwd", false, false}, {"gopher://example.com/", false, false},
		{"https://user:pw@example.com/", false, false}, {"https://example.com/#x", false, false}, {"//example.com", false, false},
		{"", false, false}, {"https://", false, false}, {"https://exa mple.com/", false, false},
	} {
		if got := (Allow{}).checkURL(tt.url) == nil; got != tt.bare {
			t.Errorf("without a list %s: taken %v", tt.url, got)
		}
		if got := a.checkURL(tt.url) == nil; got != tt.with {
			t.Errorf("with a list %s: taken %v", tt.url, got)
		}
	}
	if (Allow{}).checkURL("https://example.com:8443/") == nil {
		t.Error("port 8443 was taken")
	}
	for _, bad := range []string{"mall.internal", ":80", "10.8.0.0/99", "http://x:1"} {
		if _, err := ParseAllow([]string{bad}); err == nil {
			t.Errorf("ParseAllow(%q) was taken", bad)
		}
	}
}

// Every way of writing loopback is refused at the connection, names included.
func TestDialRefuses(t *testing.T) {
	var hits atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer srv.Close()
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	c := Allow{}.client()
	for _, host := range []string{"127.0.0.1", "localhost", "127.1", "0.0.0.0", "0", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]", "[::]"} {
		for _, p := range []string{port, "80"} {
			res, err := c.Post("http://"+host+":"+p+"/", "application/json", strings.NewReader("{}"))
			if err == nil {
				res.Body.Close()
				t.Errorf("%s:%s was reached", host, p)
			}
		}
	}
	_, err := c.Get("http://127.0.0.1:" + port)
	if refused := (errRefused{}); !errors.As(err, &refused) {
		t.Errorf("refused with %v", err)
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("the server was hit %d times", n)
	}
}

// A name that resolves to a public address first and to loopback later gains
// nothing: the address is checked when the connection is made.
func TestDialRefusesRebinding(t *testing.T) {
	var d net.Dialer
	d.Control = Allow{}.control
	d.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no resolver") }}
	// localhost stands for the second answer: it comes from the hosts file.
	if c, err := d.Dial("tcp", "localhost:80"); err == nil {
		c.Close()
		t.Error("a name of loopback was connected to")
	} else if refused := (errRefused{}); !errors.As(err, &refused) {
		t.Errorf("refused with %v", err)
	}
}

// Redirects are not followed, an environment's proxy is not used.
func TestNoRedirectNoProxy(t *testing.T) {
	var inner atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inner.Add(1) }))
	defer target.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target.URL, http.StatusFound) }))
	defer srv.Close()
	t.Setenv("HTTP_PROXY", target.URL)
	a, err := ParseAllow([]string{strings.TrimPrefix(srv.URL, "http://"), strings.TrimPrefix(target.URL, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	c := a.client()
	res, err := c.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusFound || inner.Load() != 0 {
		t.Errorf("status %d, the target was hit %d times", res.StatusCode, inner.Load())
	}
	if tr := c.Transport.(*http.Transport); tr.Proxy != nil {
		t.Error("a proxy function is set")
	}
}
