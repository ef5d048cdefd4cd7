package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"siyu/configs"
	"siyu/internal/secret"
)

// printSecrets prints a new key set. It is kept in no other place: what codes
// and personal data are sealed with is lost with it.
func printSecrets(_ context.Context, args []string, out io.Writer) error {
	if len(args) > 0 {
		return errors.New("takes no arguments; it prints a new key set, to be kept in the file that SIYU_SECRETS names")
	}
	_, err := out.Write(append(freshKeys(), '\n'))
	return err
}

// freshKeys is a new key set as SIYU_SECRETS_JSON and the file of SIYU_SECRETS
// hold it.
func freshKeys() []byte {
	var f struct {
		Keys []configs.Key `json:"keys"`
	}
	for _, k := range secret.Fresh() {
		f.Keys = append(f.Keys, configs.Key{Use: string(k.Use), ID: k.ID, Secret: k.Secret})
	}
	text, _ := json.MarshalIndent(f, "", "  ") // strings and bytes alone
	return text
}
