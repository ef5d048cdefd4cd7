-- What a count found of the people in the groups of each unit and of those below
-- it, each person once. A count says by unit_n that it did: those of before
-- have −1.

CREATE TABLE IF NOT EXISTS exposure_unit_counts (
  count_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  group_n INT NOT NULL,
  ad_n INT NOT NULL,
  stay_n BIGINT NOT NULL,
  member_n BIGINT NOT NULL,
  people_n BIGINT NOT NULL,
  known_n BIGINT NOT NULL,
  spread VARCHAR(1000) NOT NULL,
  PRIMARY KEY (count_id, unit_id)
){{.Table}};

ALTER TABLE exposure_counts ADD COLUMN unit_n INT NOT NULL DEFAULT -1;
