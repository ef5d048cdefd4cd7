-- Levels of promoters: the ladder in versions, where each promoter stands on
-- it, every step with the facts that moved him, and on a reward the level it
-- was earned at.

CREATE TABLE IF NOT EXISTS promoter_ladders (
  number INT NOT NULL,
  ladder {{.Text}} NOT NULL,
  staff_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (number)
){{.Table}};

ALTER TABLE promoters ADD COLUMN level_no INT NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS promoter_levels (
  id {{.ID}},
  promoter_id BIGINT NOT NULL,
  level_no INT NOT NULL,
  before_no INT NOT NULL,
  ladder_no INT NOT NULL,
  facts {{.Text}} NOT NULL,
  at BIGINT NOT NULL
){{.Table}};

CREATE INDEX promoter_levels_promoter ON promoter_levels (promoter_id, at);

ALTER TABLE rewards ADD COLUMN level_no INT NOT NULL DEFAULT 0;
