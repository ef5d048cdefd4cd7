-- One call that stops every ad of a group, a unit, a campaign or the house, and
-- lifts itself. Those of a unit name every unit below it.

CREATE TABLE IF NOT EXISTS guard_silences (
  id {{.ID}},
  scope VARCHAR(16) NOT NULL,
  unit_id BIGINT NOT NULL,
  group_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  lifted_by BIGINT NOT NULL,
  lifted_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX guard_silences_until ON guard_silences (until_at);

CREATE TABLE IF NOT EXISTS guard_silence_units (
  silence_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  PRIMARY KEY (silence_id, unit_id)
){{.Table}};

-- What was decided of a group, newest first.
CREATE INDEX decisions_group ON decisions (group_id, id);
