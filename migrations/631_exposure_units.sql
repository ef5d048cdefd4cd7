-- What a unit asks of its groups beside the brand (0 and '' leave a number and
-- the mode to those above), and when what is looser comes into force. Live are
-- the version in force and the one that waits for the end of its notice.

ALTER TABLE exposure_policies ADD COLUMN live INT NOT NULL DEFAULT 1;

ALTER TABLE exposure_policies ADD COLUMN notice_until BIGINT NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS exposure_unit_policies (
  unit_id BIGINT NOT NULL,
  version INT NOT NULL,
  live INT NOT NULL,
  mode VARCHAR(8) NOT NULL,
  ceiling INT NOT NULL,
  share_bp INT NOT NULL,
  set_by BIGINT NOT NULL,
  set_at BIGINT NOT NULL,
  notice_until BIGINT NOT NULL,
  PRIMARY KEY (unit_id, version)
){{.Table}};

-- Of all people in groups, each once: how many there are, of how many Siyu knew
-- all groups, and how many saw how many ads.
ALTER TABLE exposure_counts ADD COLUMN people_n BIGINT NOT NULL DEFAULT 0;

ALTER TABLE exposure_counts ADD COLUMN known_n BIGINT NOT NULL DEFAULT 0;

ALTER TABLE exposure_counts ADD COLUMN spread VARCHAR(1000) NOT NULL DEFAULT '';

-- The share of a group's members at the ceiling that held when it was counted.
ALTER TABLE exposure_groups ADD COLUMN share_bp INT NOT NULL DEFAULT 0;

CREATE INDEX exposure_groups_share ON exposure_groups (share_bp, group_id);
