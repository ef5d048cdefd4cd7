package configs

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	t.Run("the example file is the defaults", func(t *testing.T) {
		got, err := Load("siyu.example.yaml")
		if err != nil {
			t.Fatal(err)
		}
		want := Default()
		want.complete()
		want.WebhookAllow, want.TrustedProxies = []string{}, []string{}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("the environment wins", func(t *testing.T) {
		t.Setenv("SIYU_ADDR", "0.0.0.0:9")
		t.Setenv("SIYU_TRUSTED_PROXIES", "10.0.0.0/8, 192.168.0.1")
		t.Setenv("SIYU_WEBHOOK_ALLOW", "mall.internal:8080, 10.8.0.0/16")
		got, err := Load("siyu.example.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if got.Addr != "0.0.0.0:9" || got.PublicURL != "http://127.0.0.1:9" || len(got.TrustedProxies) != 2 || len(got.WebhookAllow) != 2 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("an empty file changes nothing", func(t *testing.T) {
		if _, err := Load(write(t, "")); err != nil {
			t.Error(err)
		}
	})
}

func TestLoad_refusals(t *testing.T) {
	const canary = "hunter2"
	for name, tc := range map[string]struct{ env, value, file, want string }{
		"unknown key":        {file: "adr: x", want: "adr"},
		"wrong type":         {file: "rates: {staff: " + canary + "}", want: "line 1"},
		"not yaml":           {file: "db: [", want: "valid YAML"},
		"missing file":       {env: "SIYU_CONFIG", value: "/nowhere.yaml", want: "SIYU_CONFIG /nowhere.yaml"},
		"db":                 {env: "SIYU_DB", value: "postgres://u:" + canary + "@h/d", want: "SIYU_DB"},
		"db without scheme":  {env: "SIYU_DB", value: "u:" + canary + "@tcp(h)/d", want: "SIYU_DB"},
		"sqlite without one": {env: "SIYU_DB", value: "sqlite:", want: "names no file"},
		"redis":              {env: "SIYU_REDIS", value: "http://:" + canary + "@h", want: "SIYU_REDIS"},
		"addr":               {env: "SIYU_ADDR", value: "localhost", want: "127.0.0.1:8080"},
		"public url":         {env: "SIYU_PUBLIC_URL", value: "https://a/b", want: "SIYU_PUBLIC_URL"},
		"poster font":        {env: "SIYU_POSTER_FONT", value: "/nowhere/font.ttc", want: "SIYU_POSTER_FONT"},
		"qr url":             {env: "SIYU_QR_URL", value: "https://u:" + canary + "@a", want: "SIYU_QR_URL"},
		"role":               {env: "SIYU_ROLE", value: "boss", want: "all, api or worker"},
		"role on sqlite":     {env: "SIYU_ROLE", value: "api", want: "SIYU_DB"},
		"proxies":            {env: "SIYU_TRUSTED_PROXIES", value: "proxy.local", want: "10.0.0.0/8"},
		"webhook allow":      {env: "SIYU_WEBHOOK_ALLOW", value: "192.168.1.7", want: "mall.internal:8080"},
		"wechat number":      {env: "SIYU_WECHAT_RATE", value: "fast", want: "SIYU_WECHAT_RATE"},
		"wechat alone":       {env: "SIYU_WECHAT_MCH_ID", value: "1900000109", want: "SIYU_WECHAT_SERIAL"},
		"wechat key":         {file: wechatFile + "}", want: "SIYU_WECHAT_KEY"},
		"wechat info":        {file: wechatFile + ", key: siyu.example.yaml, platform_key: siyu.example.yaml, apiv3_key: siyu.example.yaml, infos: [老友]}", want: "type=content"},
		"wechat on http":     {file: wechatFile + ", key: siyu.example.yaml, platform_key: siyu.example.yaml, apiv3_key: siyu.example.yaml}", want: "https://"},
		"wechat rate":        {file: wechatFile + ", key: siyu.example.yaml, platform_key: siyu.example.yaml, apiv3_key: siyu.example.yaml, host: 'http://x', rate: 101}", want: "1 to 100"},
		"rate":               {env: "SIYU_RATE_MEMBER", value: "0", want: "at least 1"},
		"rate text":          {env: "SIYU_RATE_MEMBER", value: "many", want: "SIYU_RATE_MEMBER"},
		"file owner":         {env: "SIYU_FILE_OWNER", value: "asleep", want: "prompt, slow, absent or late"},
		"pace":               {env: "SIYU_PACE_WEBHOOK", value: "-1", want: "0 for no limit"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.env != "" {
				t.Setenv(tc.env, tc.value)
			}
			path := ""
			if tc.file != "" {
				path = write(t, tc.file)
			}
			_, err := Load(path)
			if err == nil {
				t.Fatal("accepted")
			}
			if msg := err.Error(); !strings.Contains(msg, tc.want) || strings.Contains(msg, "\n") || strings.Contains(msg, canary) {
				t.Errorf("got %q, want one line with %q and no secret", msg, tc.want)
			}
		})
	}
}

// wechatFile begins a merchant's settings.
const wechatFile = "wechat: {mch_id: '1', serial: s, platform_id: p, app_id: a"

func TestKeys(t *testing.T) {
	uses := []string{"codes", "tokens"}
	t.Run("made once beside an embedded store, for the owner alone", func(t *testing.T) {
		cfg := Config{DB: "sqlite:" + filepath.Join(t.TempDir(), "deep", "siyu.db")}
		first, err := cfg.Keys(uses)
		if err != nil {
			t.Fatal(err)
		}
		again, err := cfg.Keys(uses)
		if err != nil || !reflect.DeepEqual(first, again) || len(first) != 2 || len(first[0].Secret) != 32 {
			t.Errorf("got %d keys, then %d, %v", len(first), len(again), err)
		}
		info, err := os.Stat(filepath.Join(filepath.Dir(cfg.DB[len("sqlite:"):]), "secrets.json"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("got mode %v, %v", info.Mode(), err)
		}
	})
	t.Run("required on a server", func(t *testing.T) {
		if _, err := (Config{DB: "mysql://h/s"}).Keys(uses); err == nil || !strings.Contains(err.Error(), "SIYU_SECRETS") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a broken set is not quoted", func(t *testing.T) {
		_, err := Config{secretsJSON: `{"keys":"hunter2"}`}.Keys(uses)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v", err)
		}
	})
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "siyu.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
