// Package configs is the one set of settings of a house: defaults, then the
// file, then the environment.
//
// A fresh machine needs none of them: the store, the queue and the keys are
// embedded under ./data and the server listens on loopback. The file is
// configs/siyu.yaml or the one SIYU_CONFIG names; every setting has an
// environment variable, which wins. What is wrong stops the start with one
// line that names the setting, its value and what to write instead; a password
// in a value is never shown. The package knows the settings, not the rooms:
// it hands plain data to main.
package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// DefaultFile is read when it exists and SIYU_CONFIG names no other.
const DefaultFile = "configs/siyu.yaml"

// Role is which parts of the house this process runs.
type Role string

// The roles of a process.
const (
	RoleAll    Role = "all"
	RoleAPI    Role = "api"
	RoleWorker Role = "worker"
)

// Config is every setting.
type Config struct {
	DB             string   `yaml:"db"`              // sqlite:PATH or mysql://…
	Redis          string   `yaml:"redis"`           // redis://…, unix://…; "" is embedded
	Addr           string   `yaml:"addr"`            // where to listen
	PublicURL      string   `yaml:"public_url"`      // how the outside reaches us
	QRURL          string   `yaml:"qr_url"`          // a domain used for QR codes alone
	Role           Role     `yaml:"role"`            // all, api, worker
	WebhookAllow   []string `yaml:"webhook_allow"`   // private networks webhooks may reach
	TrustedProxies []string `yaml:"trusted_proxies"` // whose X-Forwarded-For counts
	Secrets        string   `yaml:"secrets"`         // the file of the key set
	PosterFont     string   `yaml:"poster_font"`     // the font of posters; "" looks where systems keep one
	Rates          Rates    `yaml:"rates"`
	Wechat         Wechat   `yaml:"wechat"`
	Paces          Paces    `yaml:"paces"`
	PlatformCap    string   `yaml:"platform_cap"` // what the platform lets into one group: day_1, week_7, month_days
	FileOwner      string   `yaml:"file_owner"`   // how the file channel plays a group's owner: prompt, slow, absent, late

	secretsJSON string // the key set itself, from the environment only
}

// Rates are requests per minute, all replicas together.
type Rates struct {
	Staff   int `yaml:"staff"`   // per staff member
	Member  int `yaml:"member"`  // per member or guest
	Address int `yaml:"address"` // per address, for guests and wrong credentials
}

// Paces are how often a minute each channel of promotions is called, all
// replicas together; 0 is no limit.
type Paces struct {
	File    int `yaml:"file"`
	Webhook int `yaml:"webhook"`
}

// Default is a house on one machine.
func Default() Config {
	return Config{
		DB:    "sqlite:./data/siyu.db",
		Addr:  "127.0.0.1:8080",
		Role:  RoleAll,
		Rates: Rates{Staff: 6000, Member: 240, Address: 6000},
		Paces: Paces{Webhook: 5000}, // half of what WeCom takes from a company
		Wechat: Wechat{Scene: "1000", Perception: "现金奖励", Remark: "活动奖励", Infos: []string{"活动名称=老友推荐", "奖励说明=邀请好友下单奖励"},
			BillLeast: 10, BillMost: 20_000, Rate: 20},
	}
}

// Load reads the settings: the file, if path names one or the default file is
// there, then the environment.
func Load(path string) (Config, error) {
	cfg := Default()
	if path == "" {
		path = os.Getenv("SIYU_CONFIG")
	}
	if err := cfg.readFile(path); err != nil {
		return cfg, err
	}
	if err := cfg.readEnv(os.LookupEnv); err != nil {
		return cfg, err
	}
	cfg.complete()
	return cfg, cfg.check()
}

func (c *Config) readFile(path string) error {
	name := path
	if name == "" {
		name = DefaultFile
	}
	text, err := os.ReadFile(name)
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("SIYU_CONFIG %s: it cannot be read (%w); name a file you may read", name, reason(err))
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	err = dec.Decode(c)
	var bad *yaml.TypeError
	switch {
	case err == nil || errors.Is(err, io.EOF): // an empty file changes nothing
		return nil
	case errors.As(err, &bad):
		// yaml's sentence quotes values, and a value may be a password.
		return fmt.Errorf("%s: %s; the settings are listed in configs/siyu.example.yaml", name, unquoted(bad.Errors[0]))
	}
	return fmt.Errorf("%s: it is not valid YAML; compare it with configs/siyu.example.yaml", name)
}

// unquoted drops what yaml quotes between backquotes, but keeps field names.
func unquoted(s string) string {
	before, rest, ok := strings.Cut(s, "`")
	if !ok {
		return s
	}
	_, after, _ := strings.Cut(rest, "`")
	return before + "the value" + after
}

func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (c *Config) readEnv(look func(string) (string, bool)) error {
	texts := map[string]*string{
		"SIYU_DB": &c.DB, "SIYU_REDIS": &c.Redis, "SIYU_ADDR": &c.Addr, "SIYU_PUBLIC_URL": &c.PublicURL,
		"SIYU_QR_URL": &c.QRURL, "SIYU_ROLE": (*string)(&c.Role), "SIYU_SECRETS": &c.Secrets, "SIYU_SECRETS_JSON": &c.secretsJSON,
		"SIYU_POSTER_FONT": &c.PosterFont, "SIYU_FILE_OWNER": &c.FileOwner, "SIYU_PLATFORM_CAP": &c.PlatformCap,
	}
	for name, to := range texts {
		if v, ok := look(name); ok {
			*to = strings.TrimSpace(v)
		}
	}
	lists := map[string]*[]string{"SIYU_WEBHOOK_ALLOW": &c.WebhookAllow, "SIYU_TRUSTED_PROXIES": &c.TrustedProxies}
	for name, to := range lists {
		if v, ok := look(name); ok {
			*to = split(v)
		}
	}
	if err := c.Wechat.readEnv(look); err != nil {
		return err
	}
	for _, r := range append(c.rates(), c.paces()...) {
		v, ok := look(r.env)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(v)
		if err != nil {
			return wrong(r.env, v, "is not a whole number", "write how many per minute, like 240")
		}
		*r.n = n
	}
	return nil
}

type rate struct {
	env string
	n   *int
}

func (c *Config) rates() []rate {
	return []rate{{"SIYU_RATE_STAFF", &c.Rates.Staff}, {"SIYU_RATE_MEMBER", &c.Rates.Member}, {"SIYU_RATE_ADDRESS", &c.Rates.Address}}
}

func (c *Config) paces() []rate {
	return []rate{{"SIYU_PACE_FILE", &c.Paces.File}, {"SIYU_PACE_WEBHOOK", &c.Paces.Webhook}}
}

func split(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// complete fills what follows from other settings.
func (c *Config) complete() {
	if c.PublicURL == "" {
		host, port, _ := net.SplitHostPort(c.Addr) // check names a bad one
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "127.0.0.1" // listening everywhere includes here
		}
		c.PublicURL = "http://" + net.JoinHostPort(host, port)
	}
	if c.QRURL == "" {
		c.QRURL = c.PublicURL
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	c.QRURL = strings.TrimSuffix(c.QRURL, "/")
}

// SQLite says whether the store is embedded.
func (c Config) SQLite() bool { return strings.HasPrefix(c.DB, "sqlite:") }

// EmbeddedQueue says whether the queue runs inside the process.
func (c Config) EmbeddedQueue() bool { return c.Redis == "" }
