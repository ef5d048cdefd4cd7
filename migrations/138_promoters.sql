-- Members who asked to promote, where each stands, and every move with who
-- made it and why. One row per member; a member merged away leaves his row as
-- merged.

CREATE TABLE IF NOT EXISTS promoters (
  id {{.ID}},
  member_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  applied_at BIGINT NOT NULL,
  decided_at BIGINT NOT NULL,
  decided_by BIGINT NOT NULL,
  version INT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX promoters_member ON promoters (member_id);

CREATE INDEX promoters_status ON promoters (status, id);

CREATE TABLE IF NOT EXISTS promoter_moves (
  id {{.ID}},
  promoter_id BIGINT NOT NULL,
  act VARCHAR(16) NOT NULL,
  status VARCHAR(16) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  staff_id BIGINT NOT NULL,
  at BIGINT NOT NULL
){{.Table}};

CREATE INDEX promoter_moves_promoter ON promoter_moves (promoter_id, id);
