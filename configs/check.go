package configs

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// wrong is the one line of a bad setting.
func wrong(name, value, why, remedy string) error {
	return fmt.Errorf("%s %q %s; %s", name, value, why, remedy)
}

// check looks at every setting and names the first that is wrong.
func (c Config) check() error {
	checks := []func() error{c.checkDB, c.checkRedis, c.checkAddr, c.checkURLs, c.checkRole, c.checkNetworks, c.checkFont, c.checkRates, c.checkPaces, c.checkOwner, c.checkPlatform, c.checkWechat}
	for _, f := range checks {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func (c Config) checkDB() error {
	const remedy = "write sqlite:PATH or mysql://user:password@host:3306/schema"
	if path, ok := strings.CutPrefix(c.DB, "sqlite:"); ok {
		if path == "" {
			return wrong("SIYU_DB", c.DB, "names no file", remedy)
		}
		return nil
	}
	if !strings.HasPrefix(c.DB, "mysql://") {
		return wrong("SIYU_DB", masked(c.DB), "is neither SQLite nor MySQL", remedy)
	}
	return nil
}

func (c Config) checkRedis() error {
	for _, scheme := range []string{"redis://", "rediss://", "unix://"} {
		if strings.HasPrefix(c.Redis, scheme) {
			return nil
		}
	}
	if c.EmbeddedQueue() {
		return nil
	}
	return wrong("SIYU_REDIS", masked(c.Redis), "is not a Redis address", "write redis://:password@host:6379/0, or leave it empty for the embedded queue")
}

func (c Config) checkAddr() error {
	_, port, err := net.SplitHostPort(c.Addr)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 0 || n > 65535 {
		return wrong("SIYU_ADDR", c.Addr, "is not host:port", "write it like 127.0.0.1:8080, or :8080 for every address")
	}
	return nil
}

func (c Config) checkURLs() error {
	for _, x := range []struct{ name, value string }{{"SIYU_PUBLIC_URL", c.PublicURL}, {"SIYU_QR_URL", c.QRURL}} {
		u, err := url.Parse(x.value)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
			return wrong(x.name, masked(x.value), "is not the root of a site", "write it like https://shop.example.cn")
		}
	}
	return nil
}

func (c Config) checkRole() error {
	switch {
	case c.Role == RoleAll:
		return nil
	case c.Role != RoleAPI && c.Role != RoleWorker:
		return wrong("SIYU_ROLE", string(c.Role), "is no role", "write all, api or worker")
	case c.SQLite():
		return wrong("SIYU_ROLE", string(c.Role), "needs a store that several processes share", "set SIYU_DB to mysql://…, or the role to all")
	case c.EmbeddedQueue():
		return wrong("SIYU_ROLE", string(c.Role), "needs a queue that several processes share", "set SIYU_REDIS, or the role to all")
	}
	return nil
}

func (c Config) checkNetworks() error {
	for _, v := range c.TrustedProxies {
		_, notNet := netip.ParsePrefix(v)
		_, notIP := netip.ParseAddr(v)
		if notNet != nil && notIP != nil {
			return wrong("SIYU_TRUSTED_PROXIES", v, "is neither an address nor a network", "list them with commas, like 10.0.0.0/8,192.168.1.7")
		}
	}
	for _, v := range c.WebhookAllow {
		_, notNet := netip.ParsePrefix(v)
		host, port, notHost := net.SplitHostPort(v)
		if notNet != nil && (notHost != nil || host == "" || port == "") {
			return wrong("SIYU_WEBHOOK_ALLOW", v, "is neither host:port nor a network", "list them with commas, like mall.internal:8080,10.8.0.0/16")
		}
	}
	return nil
}

func (c Config) checkFont() error {
	if c.PosterFont == "" {
		return nil
	}
	if at, err := os.Stat(c.PosterFont); err != nil || !at.Mode().IsRegular() {
		return wrong("SIYU_POSTER_FONT", c.PosterFont, "is not a file that can be read", "name a .ttf, .otf or .ttc with Chinese letters, or leave it empty")
	}
	return nil
}

func (c Config) checkRates() error {
	for _, r := range c.rates() {
		if *r.n < 1 {
			return wrong(r.env, strconv.Itoa(*r.n), "lets nobody in", "write requests per minute, at least 1")
		}
	}
	return nil
}

func (c Config) checkPaces() error {
	for _, r := range c.paces() {
		if *r.n < 0 || *r.n > 100_000 {
			return wrong(r.env, strconv.Itoa(*r.n), "is no pace", "write calls per minute, at most 100000, or 0 for no limit")
		}
	}
	return nil
}

func (c Config) checkOwner() error {
	if !slices.Contains([]string{"", "prompt", "slow", "absent", "late"}, c.FileOwner) {
		return wrong("SIYU_FILE_OWNER", c.FileOwner, "is no way to play an owner", "write prompt, slow, absent or late, or leave it empty")
	}
	return nil
}

func (c Config) checkPlatform() error {
	if !slices.Contains([]string{"", "day_1", "week_7", "month_days"}, c.PlatformCap) {
		return wrong("SIYU_PLATFORM_CAP", c.PlatformCap, "is no cap of a platform", "write day_1, week_7 or month_days, or leave it empty")
	}
	return nil
}

// masked hides whatever stands before the last @ of a URL, where passwords
// are, and everything when it does not look like one.
func masked(v string) string {
	scheme, rest, ok := strings.Cut(v, "://")
	if !ok {
		if at := strings.LastIndexByte(v, '@'); at >= 0 {
			return "***" + v[at:]
		}
		return v
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = "***" + rest[at:]
	}
	return scheme + "://" + rest
}
