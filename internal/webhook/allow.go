package webhook

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"siyu/internal/fault"
)

// Allow names what webhooks may reach although it is not public: a host with
// its port, or a network. Its zero value allows nothing more.
type Allow struct {
	hosts map[string]bool
	nets  []netip.Prefix
}

// ParseAllow reads SIYU_WEBHOOK_ALLOW: entries like mall.internal:8080,
// 127.0.0.1:9000 or 10.8.0.0/16.
func ParseAllow(entries []string) (Allow, error) {
	a := Allow{hosts: map[string]bool{}}
	for _, e := range entries {
		e = strings.ToLower(strings.TrimSpace(e))
		if e == "" {
			continue
		}
		if p, err := netip.ParsePrefix(e); err == nil {
			a.nets = append(a.nets, p.Masked())
			continue
		}
		host, port, err := net.SplitHostPort(e)
		if err != nil || host == "" || port == "" {
			return Allow{}, fmt.Errorf("%q is neither host:port nor a network; write it like mall.internal:8080 or 10.8.0.0/16", e)
		}
		a.hosts[net.JoinHostPort(host, port)] = true
	}
	return a, nil
}

// refused lists what is not the public internet, after the IANA registries of
// special addresses. For IPv6 only 2000::/3 is let through at all, which
// leaves out loopback, unspecified, mapped and compatible v4, NAT64
// (64:ff9b::/96, 64:ff9b:1::/48), unique local, link-local and multicast; the
// rest of the list takes out what lies inside it.
var refused = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
	"192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23",         // protocol assignments, with Teredo
	"2001:db8::/32",     // documentation
	"2002::/16",         // 6to4 carries any v4 address inside
	"2620:4f:8000::/48", // AS112
	"3fff::/20",         // documentation
)

var global6 = netip.MustParsePrefix("2000::/3")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, p := range list {
		out[i] = netip.MustParsePrefix(p)
	}
	return out
}

// public says whether an address lies on the public internet.
func public(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsValid() || ip.Zone() != "" || ip.Is6() && !global6.Contains(ip) {
		return false
	}
	for _, p := range refused {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// permits says whether a resolved address and port may be connected to.
func (a Allow) permits(to netip.AddrPort) bool {
	ip := to.Addr().Unmap()
	for _, p := range a.nets {
		if p.Contains(ip) {
			return true
		}
	}
	return (to.Port() == 80 || to.Port() == 443) && public(ip)
}

// errRefused is what a receiver's owner sees in the delivery.
type errRefused struct{ address string }

func (e errRefused) Error() string {
	return "webhook: " + e.address + " is not a public address; the operator may add it to SIYU_WEBHOOK_ALLOW"
}

// control runs after the name is resolved and before the connection is made,
// so a name that resolves to something else the second time gains nothing.
func (a Allow) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !a.permits(to) {
		return errRefused{address}
	}
	return nil
}

// client follows no redirect and no proxy, and gives up after 10 s.
func (a Allow) client() *http.Client {
	guarded := &net.Dialer{Timeout: 5 * time.Second, Control: a.control}
	free := &net.Dialer{Timeout: 5 * time.Second}
	return &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if a.hosts[strings.ToLower(address)] {
					return free.DialContext(ctx, network, address)
				}
				return guarded.DialContext(ctx, network, address)
			},
			TLSHandshakeTimeout:    5 * time.Second,
			MaxResponseHeaderBytes: replyMost,
			MaxIdleConns:           32,
			MaxIdleConnsPerHost:    4,
			IdleConnTimeout:        30 * time.Second,
			ForceAttemptHTTP2:      true,
		},
	}
}

// lookFor bounds how long a creation waits for a name.
const lookFor = 2 * time.Second

// check refuses what could not be delivered to as things are: by its form, or
// because its name leads nowhere but where webhooks may not go. A name that
// does not resolve now is taken, because it may tomorrow; what counts is the
// look at each connection.
func (a Allow) check(ctx context.Context, raw string) error {
	if err := a.checkURL(raw); err != nil {
		return err
	}
	host, address := target(raw)
	if a.hosts[address] {
		return nil
	}
	ctx, done := context.WithTimeout(ctx, lookFor)
	defer done()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(found) == 0 {
		return nil
	}
	_, port, _ := net.SplitHostPort(address)
	for _, ip := range found {
		to, err := netip.ParseAddrPort(net.JoinHostPort(ip.Unmap().String(), port))
		if err == nil && a.permits(to) {
			return nil
		}
	}
	return notReached(host, net.JoinHostPort(found[0].Unmap().String(), port))
}

// notReached names where an address leads and what to do.
func notReached(host, to string) error {
	return fault.Invalid.Field("url", "refused",
		host+" 指向 "+to+"，webhook 不能发往那里；请填写端口 80 或 443 的公网地址，或请运维把它加入 SIYU_WEBHOOK_ALLOW",
		host+" leads to "+to+", where webhooks may not go; give a public address on port 80 or 443, or have the operator add it to SIYU_WEBHOOK_ALLOW")
}

// target is the host of an address that was checked, and where it is dialled.
func target(raw string) (host, address string) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", ""
	}
	port := u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	return u.Hostname(), strings.ToLower(net.JoinHostPort(u.Hostname(), port))
}

var ports = map[string]string{"http": "80", "https": "443"}

// checkURL refuses early what could never be delivered to.
func (a Allow) checkURL(raw string) error {
	refuse := fault.Invalid.Field("url", "format", errFieldURL[0], errFieldURL[1])
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return refuse
	}
	if ports[u.Scheme] == "" {
		return refuse
	}
	host, address := target(raw)
	if a.hosts[address] {
		return nil
	}
	if to, err := netip.ParseAddrPort(address); err == nil && !a.permits(to) {
		return notReached(host, address)
	}
	if _, port, _ := net.SplitHostPort(address); port != "80" && port != "443" && len(a.nets) == 0 {
		return refuse
	}
	return nil
}
