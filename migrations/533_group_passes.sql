-- That a group passed incubation: on which day that was over, and the criteria
-- as they were found then. A row is history: no later decline takes it away.

CREATE TABLE IF NOT EXISTS group_passes (
  group_id BIGINT NOT NULL PRIMARY KEY,
  day INT NOT NULL,
  passed_at BIGINT NOT NULL,
  report {{.Text}} NOT NULL
){{.Table}};
