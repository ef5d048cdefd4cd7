package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	engine   string
	dsn      string
	url      string
	bin      string
	binlog   bool
	pool     int
	seconds  float64
	rounds   int
	conns    int
	count    int
	open     float64
	items    int
	limit    int
	audience bool
	existing int
	replicas int
	against  string
	kills    int
	seed     uint64
	csv, svg string
	keep     bool
}

func (o *options) flags(errs io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&o.engine, "engine", "mariadb", "mariadb or sqlite: which private store to start")
	f.StringVar(&o.dsn, "dsn", "", "use this store instead (mysql://user:password@host:3306/test_…); it must have no tables")
	f.StringVar(&o.url, "url", "", "drive this running house instead of starting one; needs -dsn of its store and its SIYU_SECRETS or SIYU_SECRETS_JSON")
	f.StringVar(&o.bin, "bin", "", "measure this siyu binary instead of building one, to compare two builds")
	f.BoolVar(&o.binlog, "binlog", false, "private MariaDB with the binary log on and sync_binlog=1, as MySQL has it by default")
	f.IntVar(&o.pool, "pool", 0, "MiB of the private MariaDB's buffer pool, its log half as large; 0: as it comes, 128 MiB and a log of 96")
	f.Float64Var(&o.seconds, "seconds", 3, "how long each subject is driven per round")
	f.IntVar(&o.rounds, "rounds", 5, "rounds; every subject has its turn in each")
	f.IntVar(&o.conns, "conns", 256, "connections, one request under way on each")
	f.IntVar(&o.count, "count", 150_000, "most requests of one subject in one round; as many members are made")
	f.Float64Var(&o.open, "open", 0, "requests per second sent whether or not answers come (open loop), or, up to 1, that part of the peak; 0: closed loop")
	f.IntVar(&o.items, "items", 1, "items claimed at once (claims)")
	f.IntVar(&o.limit, "limit", 1, "pieces per member")
	f.BoolVar(&o.audience, "audience", true, "campaigns are for the members of ten groups; false: for everybody")
	f.IntVar(&o.existing, "existing", 0, "orders that exist before the first claim (claims), or before the last step, 1M by default (growth)")
	f.IntVar(&o.replicas, "replicas", 2, "most houses on the store (replicas)")
	f.StringVar(&o.against, "against", "", "baselines, comma-separated: update,insert,queue,gin,front (default: all the engine has, in an open loop none; none: only ours)")
	f.IntVar(&o.kills, "kills", 20, "kills (crash); the full count is 300")
	f.Uint64Var(&o.seed, "seed", 0, "seed of the kills (crash) or of the drawn worlds (plan); 0: of this moment, printed")
	f.StringVar(&o.csv, "csv", "", "write every figure of every round into this file")
	f.StringVar(&o.svg, "svg", "", "draw the medians into this file")
	f.BoolVar(&o.keep, "keep", false, "keep the working folder with its logs")
	return f
}

// most bound a run so that a slip of the finger does not fill a disk.
const (
	mostConns = 18_000
	mostCount = 2_000_000
)

func (o *options) check(name string) error {
	switch {
	case o.engine != "mariadb" && o.engine != "sqlite":
		return fmt.Errorf("-engine %s: mariadb or sqlite", o.engine)
	case o.seconds <= 0 || o.seconds > 600 || o.rounds < 1 || o.rounds > 100:
		return errors.New("-seconds above 0 and at most 600, -rounds 1 to 100")
	case o.conns < 1 || o.conns > mostConns:
		return fmt.Errorf("-conns 1 to %d", mostConns)
	case o.count < 1000 || o.count > mostCount || o.existing < 0 || o.existing > 20_000_000:
		return fmt.Errorf("-count 1000 to %d, -existing at most 20000000", mostCount)
	case o.items < 1 || o.items > 1000 || o.limit < 0 || o.limit > 100:
		return errors.New("-items 1 to 1000, -limit 0 to 100")
	case o.pool != 0 && (o.pool < 64 || o.pool > 1<<20):
		return errors.New("-pool 64 to 1048576 MiB, or 0")
	case o.replicas < 1 || o.replicas > 4 || o.kills < 1 || o.kills > 10_000:
		return errors.New("-replicas 1 to 4, -kills 1 to 10000")
	case o.url != "" && o.dsn == "":
		return errors.New("-url needs -dsn, the store of that house, to prepare members and to count")
	case strings.HasPrefix(o.dsn, "mysql:") && !strings.Contains(o.dsn, "/test_"):
		return errors.New("-dsn: the schema's name must begin with test_, because this program fills it")
	case (name == "replicas" || name == "crash" || name == "memory") && o.url != "":
		return fmt.Errorf("%s starts and ends houses by itself and takes no -url", name)
	case name == "codes" && o.sqlite():
		return errors.New("codes are compared on a server: SQLite has no table like another")
	case name == "replicas" && o.sqlite():
		return errors.New("replicas need a server: SQLite has one process")
	}
	for _, x := range o.baselines() {
		if !slices.Contains([]string{"update", "insert", "queue", "gin", "front"}, x) {
			return fmt.Errorf("-against %s: use update, insert, queue, gin, front", x)
		}
	}
	return nil
}

func (o *options) sqlite() bool {
	if o.dsn != "" {
		return strings.HasPrefix(o.dsn, "sqlite:")
	}
	return o.engine == "sqlite"
}

func (o *options) lasts() time.Duration { return time.Duration(o.seconds * float64(time.Second)) }

// baselines are those asked for, in the order of the letters.
func (o *options) baselines() []string {
	switch {
	case o.against == "none", o.against == "" && o.open > 0:
		return nil
	case o.against != "":
		return strings.Split(o.against, ",")
	case o.sqlite():
		return []string{"update", "gin", "front"}
	}
	return []string{"update", "insert", "queue", "gin", "front"}
}
