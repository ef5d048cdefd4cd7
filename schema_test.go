package main_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// reserved are the reserved words of MySQL 8.0 to 9.x, and MariaDB's own, as
// names that would have to be quoted there.
var reserved = words(`
accessible add all alter analyze and as asc asensitive before between bigint binary blob both by call cascade case
change char character check collate column condition constraint continue convert create cross cube cume_dist
current_date current_time current_timestamp current_user cursor database databases day_hour day_microsecond day_minute
day_second dec decimal declare default delayed delete dense_rank desc describe deterministic distinct distinctrow div
double drop dual each else elseif empty enclosed escaped except exists exit explain false fetch first_value float float4
float8 for force foreign from fulltext function generated get grant group grouping groups having high_priority
hour_microsecond hour_minute hour_second if ignore in index infile inner inout insensitive insert int int1 int2 int3
int4 int8 integer intersect interval into io_after_gtids io_before_gtids is iterate join json_table key keys kill lag
last_value lateral lead leading leave left library like limit linear lines load localtime localtimestamp lock long
longblob longtext loop low_priority manual master_bind master_ssl_verify_server_cert match maxvalue mediumblob mediumint
mediumtext middleint minute_microsecond minute_second mod modifies natural not no_write_to_binlog nth_value ntile null
numeric of on optimize optimizer_costs option optionally or order out outer outfile over parallel partition percent_rank
precision primary procedure purge qualify range rank read reads read_write real recursive references regexp release
rename repeat replace require resignal restrict return revoke right rlike row rows row_number schema schemas
second_microsecond select sensitive separator set show signal smallint spatial specific sql sqlexception sqlstate
sqlwarning sql_big_result sql_calc_found_rows sql_small_result ssl starting stored straight_join system table
tablesample terminated then tinyblob tinyint tinytext to trailing trigger true undo union unique unlock unsigned update
usage use using utc_date utc_time utc_timestamp values varbinary varchar varcharacter varying virtual when where while
window with write xor year_month zerofill
current_role delete_domain_id do_domain_ids ignore_domain_ids general ignore_server_ids master_heartbeat_period offset
page_checksum parse_vcol_expr ref_system_id returning rownum slow stats_auto_recalc stats_persistent
stats_sample_pages`)

func words(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(text) {
		out[w] = true
	}
	return out
}

var (
	createTable = regexp.MustCompile(`^CREATE TABLE IF NOT EXISTS (\w+) \(\n((?s).*)\n\)\{\{\.Table\}\}$`)
	createIndex = regexp.MustCompile(`^CREATE (UNIQUE )?INDEX (\w+) ON (\w+) \([\w, ]+\)$`)
	dropIndex   = regexp.MustCompile(`^DROP INDEX (\w+)\{\{\.On "(\w+)"\}\}$`)
	addColumn   = regexp.MustCompile(`^ALTER TABLE (\w+) ADD COLUMN (\w+) .+$`)
	notColumn   = regexp.MustCompile(`^(PRIMARY KEY|CHECK|CONSTRAINT|UNIQUE)\b`)
	lawful      = regexp.MustCompile(`^[a-z][a-z0-9_]{1,40}$`)
	inexact     = regexp.MustCompile(`\b(FLOAT|DOUBLE|REAL|DECIMAL|NUMERIC|DATETIME|TIMESTAMP|DATE|ENUM|BOOLEAN|BOOL|AUTO_INCREMENT)\b`)
)

// A migration step may have run without being recorded, so each must be one
// that can run again: a table that says IF NOT EXISTS, an index or a column
// whose "already there", or "gone already", is understood. Index names are one name space on
// SQLite.
func TestMigrations(t *testing.T) {
	names, err := files(".sql")
	if err != nil {
		t.Fatal(err)
	}
	indexes := map[string]string{}
	for _, file := range names {
		if !strings.HasPrefix(file, "migrations/") {
			t.Errorf("%s: SQL files live in migrations", file)
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range steps(string(text)) {
			head, _, _ := strings.Cut(step, "\n")
			for _, breach := range breachesOf(step) {
				t.Errorf("%s: %s: %s", file, head, breach)
			}
			if m := createIndex.FindStringSubmatch(step); m != nil {
				if first, twice := indexes[m[2]]; twice {
					t.Errorf("%s: index %s has its name from %s already", file, m[2], first)
				}
				indexes[m[2]] = file
			}
			if m := dropIndex.FindStringSubmatch(step); m != nil && indexes[m[1]] == "" {
				t.Errorf("%s: drops %s, which no earlier file makes", file, m[1])
			}
		}
	}
}

// A released migration has run on somebody's store: to change it makes two
// schemas of one version. What was wrong with it is mended by a new file. The
// sums are what "sha256sum" says of the released ones.
func TestReleasedMigrationsStand(t *testing.T) {
	sums, err := os.ReadFile("migrations/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(sums)) {
		want, file, _ := strings.Cut(strings.TrimSpace(line), "  ")
		text, err := os.ReadFile("migrations/" + file)
		if err != nil {
			t.Errorf("a released migration is gone: %v", err)
			continue
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(text)); got != want {
			t.Errorf("migrations/%s was edited after its release (%s, was %s); write a new migration instead", file, got, want)
		}
	}
}

// steps are the statements of a migration without its comments.
func steps(text string) []string {
	var out []string
	var kept []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n ")
		if line == "" || strings.HasPrefix(line, "--") {
			continue
		}
		body, last := strings.CutSuffix(line, ";")
		kept = append(kept, body)
		if last {
			out = append(out, strings.Join(kept, "\n"))
			kept = nil
		}
	}
	if len(kept) > 0 {
		out = append(out, strings.Join(kept, "\n")+" (without its semicolon)")
	}
	return out
}

func breachesOf(step string) (out []string) {
	var given []string
	switch {
	case createTable.MatchString(step):
		m := createTable.FindStringSubmatch(step)
		given = append(given, m[1])
		for line := range strings.Lines(m[2]) {
			line = strings.TrimSpace(line)
			if notColumn.MatchString(line) {
				continue
			}
			column, rest, _ := strings.Cut(line, " ")
			given = append(given, column)
			if !strings.Contains(rest, "NOT NULL") && !strings.Contains(rest, "{{.ID}}") {
				out = append(out, column+" may be NULL")
			}
		}
	case createIndex.MatchString(step):
		given = append(given, createIndex.FindStringSubmatch(step)[2])
	case dropIndex.MatchString(step): // its name was given when it was made
	case addColumn.MatchString(step):
		given = append(given, addColumn.FindStringSubmatch(step)[2])
	default:
		out = append(out, "not a step known to be repeatable")
	}
	for _, n := range given {
		if reserved[n] || !lawful.MatchString(n) {
			out = append(out, n+" is a reserved word or no plain name")
		}
	}
	if word := inexact.FindString(step); word != "" {
		out = append(out, word+" differs between engines; store integers and text")
	}
	if word := bannedSQL.FindString(step); word != "" {
		out = append(out, word+" is not portable")
	}
	return out
}

func TestMigrationBreachesAreSeen(t *testing.T) {
	for step, says := range map[string]string{
		"CREATE TABLE t (\n  id BIGINT NOT NULL\n){{.Table}}":                         "repeatable",
		"CREATE TABLE IF NOT EXISTS t1 (\n  rank INT NOT NULL\n){{.Table}}":           "rank is a reserved word",
		"CREATE TABLE IF NOT EXISTS groups (\n  id {{.ID}}\n){{.Table}}":              "groups is a reserved word",
		"CREATE TABLE IF NOT EXISTS t1 (\n  name VARCHAR(9)\n){{.Table}}":             "may be NULL",
		"CREATE TABLE IF NOT EXISTS t1 (\n  price DECIMAL(9,2) NOT NULL\n){{.Table}}": "DECIMAL",
		"CREATE INDEX window ON t (a)":                                                "window is a reserved word",
		"INSERT INTO t VALUES (1)":                                                    "repeatable",
		"DROP TABLE t":                                                                "repeatable",
		"DROP INDEX t_a":                                                              "repeatable",
	} {
		if got := strings.Join(breachesOf(step), "; "); !strings.Contains(got, says) {
			t.Errorf("%q: got %q, want %q", step, got, says)
		}
	}
	for _, step := range []string{"CREATE UNIQUE INDEX t_a ON t (a, b)", `DROP INDEX t_a{{.On "t"}}`} {
		if got := breachesOf(step); len(got) > 0 {
			t.Errorf("%q is a good step: got %q", step, got)
		}
	}
}
