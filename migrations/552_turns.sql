-- Whose turn it is to work a table of due rows: one process at a time, so that
-- two do not wait for each other's locks. The rows themselves need no turn.

CREATE TABLE IF NOT EXISTS turns (
  kind VARCHAR(64) NOT NULL PRIMARY KEY,
  holder VARCHAR(32) NOT NULL,
  held_until BIGINT NOT NULL
){{.Table}};
