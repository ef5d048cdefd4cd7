-- Many codes in one job. A part is at most 500 places, made in one
-- transaction; places and made are arrays of fixed width, so that a job of
-- 100,000 codes is 200 rows beside the codes. A code freezes what one of its
-- channel costs.

ALTER TABLE codes ADD COLUMN cost BIGINT NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS code_batches (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  program_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL,
  channel VARCHAR(32) NOT NULL,
  cost BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  total INT NOT NULL,
  next_part INT NOT NULL,
  done INT NOT NULL,
  made INT NOT NULL,
  refused INT NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS code_batch_parts (
  batch_id BIGINT NOT NULL,
  part INT NOT NULL,
  places {{.Blob}} NOT NULL,
  made {{.Blob}} NOT NULL,
  PRIMARY KEY (batch_id, part)
){{.Table}};
