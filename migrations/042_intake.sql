-- Files of what was before Siyu. A file is cut into parts of at most 200
-- lines; a part's lines are sealed, because they may name people, and emptied
-- once they are worked, when report says what became of each. A part without
-- its file is one whose file never arrived whole.

CREATE TABLE IF NOT EXISTS imports (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  status VARCHAR(16) NOT NULL,
  total INT NOT NULL,
  next_part INT NOT NULL,
  parts INT NOT NULL,
  done INT NOT NULL,
  made INT NOT NULL,
  updated INT NOT NULL,
  skipped INT NOT NULL,
  refused INT NOT NULL,
  sha256 VARCHAR(64) NOT NULL,
  actor {{.Text}} NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX imports_unit ON imports (unit_id, id);

CREATE TABLE IF NOT EXISTS import_parts (
  import_id BIGINT NOT NULL,
  part INT NOT NULL,
  sealed {{.Blob}} NOT NULL,
  report {{.Blob}} NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (import_id, part)
){{.Table}};

CREATE INDEX import_parts_created ON import_parts (created_at);

-- What was sent into a group before Siyu knew it, moment by moment.
CREATE TABLE IF NOT EXISTS past_ads (
  group_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  qty INT NOT NULL,
  PRIMARY KEY (group_id, at)
){{.Table}};
