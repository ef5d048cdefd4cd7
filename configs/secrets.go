package configs

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Key is one secret of the key set: what it is for, its id, its bytes.
type Key struct {
	Use    string `json:"use"`
	ID     string `json:"id"`
	Secret []byte `json:"secret"` // base64 in the file
}

type keyFile struct {
	Keys []Key `json:"keys"`
}

// Keys reads the key set from SIYU_SECRETS_JSON or the file SIYU_SECRETS. On
// an embedded store without either it lives beside the store and is made, one
// key per use, on the first start; back it up with the store, without it the
// store's codes and personal data cannot be read.
func (c Config) Keys(uses []string) ([]Key, error) {
	if c.secretsJSON != "" {
		return parseKeys("SIYU_SECRETS_JSON", []byte(c.secretsJSON))
	}
	path := c.Secrets
	if path == "" {
		if !c.SQLite() {
			return nil, errors.New(`SIYU_SECRETS "" names no key set; ` + "`siyu secrets > FILE`" + ` makes one: name the file, or put its text into SIYU_SECRETS_JSON`)
		}
		path = filepath.Join(filepath.Dir(strings.TrimPrefix(c.DB, "sqlite:")), "secrets.json")
		if err := makeKeys(path, uses); err != nil {
			return nil, err
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, wrong("SIYU_SECRETS", path, fmt.Sprintf("cannot be read (%v)", reason(err)), "name a file you may read")
	}
	return parseKeys("SIYU_SECRETS "+path, text)
}

func parseKeys(name string, text []byte) ([]Key, error) {
	var f keyFile
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	// The decoder's own words may quote what it read, so they are not shown.
	if err := dec.Decode(&f); err != nil || len(f.Keys) == 0 {
		return nil, fmt.Errorf(`%s: it is not a key set; write {"keys":[{"use":…,"id":…,"secret":"<base64>"}]}`, name)
	}
	return f.Keys, nil
}

// makeKeys writes a fresh key set unless the file is there. It appears whole
// or not at all: written aside, then linked, so that of two first starts one
// wins and a crash leaves no half.
func makeKeys(path string, uses []string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var f keyFile
	for _, u := range uses {
		b := make([]byte, 32)
		rand.Read(b)
		f.Keys = append(f.Keys, Key{Use: u, ID: "k1", Secret: b})
	}
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return wrong("SIYU_DB", filepath.Dir(path), fmt.Sprintf("cannot be made (%v)", reason(err)), "choose a folder you may write")
	}
	aside, err := os.CreateTemp(filepath.Dir(path), ".secrets-*") // mode 0600
	if err != nil {
		return wrong("SIYU_DB", filepath.Dir(path), fmt.Sprintf("cannot be written (%v)", reason(err)), "choose a folder you may write")
	}
	defer os.Remove(aside.Name())
	_, err = aside.Write(append(text, '\n'))
	if err = errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return fmt.Errorf("secrets: %w", err)
	}
	if err := os.Link(aside.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("secrets: %w", err)
	}
	return nil
}
