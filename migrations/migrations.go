// Package migrations holds the schema as numbered SQL templates.
//
// Files are append-only: NNN_name.sql, applied in order, each statement one
// recorded step. Statements end with a semicolon at the end of a line and must
// be repeatable, because MySQL commits DDL by itself: a step that was cut off
// is run again, and "already exists", or for an index that is dropped "does not
// exist", counts as done. Fields of the engine's dialect ({{.ID}}, {{.Text}},
// {{.Blob}}, {{.Table}}, {{.On "table"}}) are the only templating.
// Changes expand first and contract in a later release, so that an old replica
// can run beside a new one.
package migrations

import "embed"

// Files are the numbered templates.
//
//go:embed *.sql
var Files embed.FS
