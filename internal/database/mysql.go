package database

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	gormmysql "gorm.io/driver/mysql"
)

// connections is the pool's size; more make a hot row slower, not faster.
const connections = 32

// openMySQL opens MySQL or MariaDB. clientFoundRows makes RowsAffected count
// matched rows as SQLite does; interpolateParams saves a round trip per
// statement; times are never sent as such, so no zone is involved.
func openMySQL(ctx context.Context, db *DB, cfg Config) error {
	c, err := mysqlConfig(cfg.URL)
	if err != nil {
		return err
	}
	db.Dialect = mysqlDialect
	if err := probe(ctx, c, &db.Dialect); err != nil {
		return err
	}
	if db.unlocked && db.Dialect.Name == "mariadb" {
		c.Params["check_constraint_checks"] = "0" // MySQL can only alter the tables
	}
	plain := c.Clone()
	plain.DialFunc = dialWatched(db.shed)
	pool, err := db.pool(plain, connections)
	if err != nil {
		return err
	}
	pool.SetConnMaxIdleTime(5 * time.Minute)
	several := c.Clone()
	several.MultiStatements = true // for Burst alone
	several.ReadTimeout = burstTimeout
	several.DialFunc = dialEager(plain.DialFunc)
	if db.burst, err = db.pool(several, burstConnections); err != nil {
		return err
	}
	g, err := db.gormOver(gormmysql.New(gormmysql.Config{Conn: pool, SkipInitializeWithVersion: true}))
	db.write, db.read = g, g
	return err
}

// burstConnections are those of Burst: the committer of claims has one at a
// time, and a wave of ads leaves it one.
const burstConnections = 4

// burstTimeout is how long a burst waits for its next answer. Of what it asks
// nothing takes as long: who waits for a lock is told after 5 s. All claims of
// a process wait for the one under way, so where the server is gone without a
// word it decides when the next may be tried.
const burstTimeout = 12 * time.Second

// pool opens a pool of at most so many connections, all of which may lie idle.
func (db *DB) pool(c *mysql.Config, most int) (*sql.DB, error) {
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("database: SIYU_DB: %w", err)
	}
	p := sql.OpenDB(connector)
	p.SetMaxOpenConns(most)
	p.SetMaxIdleConns(most)
	db.pools, db.idle[p] = append(db.pools, p), most
	return p, nil
}

// idleMost is for how many seconds a transaction may ask for nothing: one of a
// process that stands still, stopped or on a machine that froze, holds its
// locks against everybody. MariaDB then ends its session; MySQL and TiDB
// cannot, and such a process must be ended there by whoever watches it.
const idleMost = "10"

// probe checks the server over one connection and completes the settings that
// depend on it. READ COMMITTED is set per session, because saying it per
// transaction costs a round trip each; the variable's name is the server's.
func probe(ctx context.Context, c *mysql.Config, d *Dialect) error {
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return fmt.Errorf("database: SIYU_DB: %w", err)
	}
	pool := sql.OpenDB(connector)
	defer pool.Close()
	if err := pool.PingContext(ctx); err != nil {
		return unreachable(c, err)
	}
	vars, err := serverVariables(ctx, pool)
	if err != nil {
		return err
	}
	isolation := "transaction_isolation"
	if _, old := vars["tx_isolation"]; old {
		isolation = "tx_isolation"
	}
	c.Params[isolation] = "'READ-COMMITTED'"
	if _, can := vars["idle_transaction_timeout"]; can {
		c.Params["idle_transaction_timeout"] = idleMost
	}
	return checkServer(ctx, pool, d, vars)
}

func mysqlConfig(raw string) (*mysql.Config, error) {
	rest, ok := strings.CutPrefix(raw, "mysql://")
	if !ok {
		return nil, fmt.Errorf("database: SIYU_DB %q is unknown; use sqlite:PATH or mysql://user:password@host:3306/schema", redact(raw))
	}
	c := mysql.NewConfig()
	c.Net = "tcp"
	// The last @, so that one inside a password never shows up as the host.
	cut := strings.LastIndexByte(rest, '@')
	if cut < 0 {
		return nil, fmt.Errorf("database: SIYU_DB lacks user@; use mysql://user:password@host:3306/schema")
	}
	creds, rest := rest[:cut], rest[cut+1:]
	user, password, _ := strings.Cut(creds, ":")
	var err error
	if c.User, err = url.PathUnescape(user); err != nil {
		return nil, fmt.Errorf("database: SIYU_DB user is not percent-encoded text")
	}
	if c.Passwd, err = url.PathUnescape(password); err != nil {
		return nil, fmt.Errorf("database: SIYU_DB password is not percent-encoded text")
	}
	at := strings.LastIndexByte(rest, '/')
	if at < 0 || at == len(rest)-1 {
		return nil, fmt.Errorf("database: SIYU_DB lacks a schema; use mysql://user:password@host:3306/schema")
	}
	c.DBName = rest[at+1:]
	c.Addr = rest[:at]
	if sock, ok := strings.CutPrefix(c.Addr, "unix("); ok {
		c.Net, c.Addr = "unix", strings.TrimSuffix(sock, ")")
	} else if !strings.Contains(c.Addr, ":") {
		c.Addr += ":3306"
	}
	c.Collation = "utf8mb4_bin"
	c.ClientFoundRows = true
	c.InterpolateParams = true
	c.Timeout = 5 * time.Second
	c.ReadTimeout = 45 * time.Second
	c.WriteTimeout = 15 * time.Second
	c.Params = map[string]string{
		"sql_mode":                 "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'",
		"innodb_lock_wait_timeout": "5",
		"time_zone":                "'+00:00'",
	}
	return c, nil
}

// unreachable says in one line what stopped the first connection and what to
// do about it.
func unreachable(c *mysql.Config, err error) error {
	switch mysqlCode(err) {
	case 1044, 1045:
		return fmt.Errorf("database: SIYU_DB user %s is refused at %s: %w; correct the user or password, or grant it the schema", c.User, c.Addr, err)
	case 1049:
		return fmt.Errorf("database: SIYU_DB schema %s does not exist at %s; CREATE DATABASE %s CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", c.DBName, c.Addr, c.DBName)
	}
	return fmt.Errorf("database: SIYU_DB cannot be reached at %s: %w; start it or correct the address", c.Addr, err)
}

// redact hides whatever stands before an @ in a setting that is shown,
// whether or not the rest of it is a URL.
func redact(raw string) string {
	if at := strings.LastIndexByte(raw, '@'); at >= 0 {
		return "xxxxx" + raw[at:]
	}
	return raw
}

// checkServer refuses settings under which an acknowledged commit could be
// lost or a name garbled, each with its remedy.
func checkServer(ctx context.Context, pool *sql.DB, d *Dialect, vars map[string]string) error {
	if strings.Contains(strings.ToLower(vars["version"]), "mariadb") {
		d.Name = "mariadb"
		d.Table = mariadbTable
		d.LockSoon = "SET STATEMENT max_statement_time=0.05 FOR "
		d.shortWait = "SET STATEMENT innodb_lock_wait_timeout=2 FOR "
	}
	if strings.Contains(strings.ToLower(vars["version"]), "tidb") {
		d.ForShare = d.ForUpdate
	}
	if vars["innodb_flush_log_at_trx_commit"] != "1" {
		return fmt.Errorf("database: innodb_flush_log_at_trx_commit is %s, so a crash loses acknowledged orders; set it to 1 on the server", vars["innodb_flush_log_at_trx_commit"])
	}
	if vars["log_bin"] == "ON" && vars["sync_binlog"] != "1" {
		return fmt.Errorf("database: sync_binlog is %s, so a crash may lose or diverge commits; set it to 1 on the server", vars["sync_binlog"])
	}
	if vars["wsrep_on"] == "ON" {
		return fmt.Errorf("database: this server is a Galera node, which can lose updates; use a single primary")
	}
	if cs := vars["character_set_database"]; cs != "utf8mb4" {
		return fmt.Errorf("database: the schema's character set is %s; create it with CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", cs)
	}
	var text string
	if err := pool.QueryRowContext(ctx, "SELECT CAST(ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000) AS CHAR)").Scan(&text); err != nil {
		return fmt.Errorf("database: read the server's clock: %w", err)
	}
	server, err := strconv.ParseInt(strings.SplitN(text, ".", 2)[0], 10, 64)
	if err != nil {
		return fmt.Errorf("database: read the server's clock: %w", err)
	}
	if off := time.Since(time.UnixMilli(server)); off.Abs() > 2*time.Second {
		return fmt.Errorf("database: this machine's clock and the server's are %s apart; set both by NTP (at most 2s is allowed)", off.Abs().Round(time.Millisecond))
	}
	return nil
}

func serverVariables(ctx context.Context, pool *sql.DB) (map[string]string, error) {
	rows, err := pool.QueryContext(ctx, `SHOW VARIABLES WHERE Variable_name IN
		('version','innodb_flush_log_at_trx_commit','log_bin','sync_binlog','wsrep_on','tx_isolation','idle_transaction_timeout','character_set_database')`)
	if err != nil {
		return nil, fmt.Errorf("database: read server settings: %w", err)
	}
	defer rows.Close()
	vars := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, fmt.Errorf("database: read server settings: %w", err)
		}
		vars[name] = value
	}
	return vars, rows.Err()
}

// mysqlCode is the server's error number, or 0.
func mysqlCode(err error) uint16 {
	var e *mysql.MySQLError
	if asError(err, &e) {
		return e.Number
	}
	return 0
}
