-- What was cleared together, so that closing finds what no settlement holds yet
-- without walking what others hold: the events of one clearing have ids that
-- follow each other, and its own id is the first of them.

CREATE TABLE IF NOT EXISTS clearings (
  id {{.ID}},
  program_id BIGINT NOT NULL,
  currency VARCHAR(3) NOT NULL,
  reward_count INT NOT NULL,
  cleared_at BIGINT NOT NULL,
  settled INT NOT NULL
){{.Table}};

CREATE INDEX clearings_settled ON clearings (settled, cleared_at, id);

-- Up to when every clearing was known to be in the table, and whether those of
-- a rejected settlement were opened again.
ALTER TABLE settlements ADD COLUMN marked_at BIGINT NOT NULL DEFAULT 0;

ALTER TABLE settlements ADD COLUMN reopened INT NOT NULL DEFAULT 0;
