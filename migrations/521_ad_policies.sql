-- What the brand (unit 0), a unit or a group sets of a preset's policy, in
-- versions. Live are those in force and the one that waits for the end of its
-- notice. Of a group, what is in force is on its row of group_guards, and live
-- is at most the one that waits.

CREATE TABLE IF NOT EXISTS ad_policies (
  group_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  for_preset VARCHAR(16) NOT NULL,
  version INT NOT NULL,
  live INT NOT NULL,
  preset VARCHAR(16) NOT NULL,
  mode VARCHAR(8) NOT NULL,
  warm_up_days INT NOT NULL,
  gap_hours INT NOT NULL,
  ads_per_day INT NOT NULL,
  ads_per_week INT NOT NULL,
  ads_per_month INT NOT NULL,
  quiet_from INT NOT NULL,
  quiet_to INT NOT NULL,
  rules VARCHAR(200) NOT NULL,
  announced_at BIGINT NOT NULL,
  notice_until BIGINT NOT NULL,
  set_by BIGINT NOT NULL,
  PRIMARY KEY (group_id, unit_id, for_preset, version)
){{.Table}};

-- The version of the numbers on the row; 0: the row's own version.
ALTER TABLE group_guards ADD COLUMN held_version INT NOT NULL DEFAULT 0;

-- Which versions of the brand's and of the nearest unit's policy decided.
ALTER TABLE slots ADD COLUMN house_version INT NOT NULL DEFAULT 0;

ALTER TABLE slots ADD COLUMN policy_unit_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE slots ADD COLUMN unit_version INT NOT NULL DEFAULT 0;
