-- How many ads members saw or will see across the groups they are in: the
-- numbers it is judged by, in versions; each count; by blocks of members; and
-- of each group how many of its members saw how many.

CREATE TABLE IF NOT EXISTS exposure_policies (
  version INT NOT NULL PRIMARY KEY,
  mode VARCHAR(8) NOT NULL,
  ceiling INT NOT NULL,
  window_days INT NOT NULL,
  share_bp INT NOT NULL,
  set_by BIGINT NOT NULL,
  set_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS exposure_counts (
  id {{.ID}},
  as_of BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  window_days INT NOT NULL,
  group_n INT NOT NULL,
  ad_n INT NOT NULL,
  stay_n BIGINT NOT NULL,
  member_n BIGINT NOT NULL,
  done_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS exposure_members (
  count_id BIGINT NOT NULL,
  first_id BIGINT NOT NULL,
  last_id BIGINT NOT NULL,
  member_n INT NOT NULL,
  seen {{.Blob}} NOT NULL,
  PRIMARY KEY (count_id, first_id)
){{.Table}};

CREATE TABLE IF NOT EXISTS exposure_groups (
  group_id {{.ID}},
  members INT NOT NULL,
  known INT NOT NULL,
  seen VARCHAR(600) NOT NULL
){{.Table}};

-- Covering for the count, which walks all memberships by member; it begins
-- with what memberships_member held and takes its place.
CREATE INDEX memberships_stays ON memberships (member_id, left_at, group_id, joined_at, role);

DROP INDEX memberships_member{{.On "memberships"}};
