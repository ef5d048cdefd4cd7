-- The guard: each group's ad policy, the slots its ads are shown in, and why;
-- and the send plans that ask for slots.

CREATE TABLE IF NOT EXISTS group_guards (
  group_id {{.ID}},
  preset VARCHAR(16) NOT NULL,
  mode VARCHAR(8) NOT NULL,
  warm_up_days INT NOT NULL,
  gap_hours INT NOT NULL,
  ads_per_day INT NOT NULL,
  ads_per_week INT NOT NULL,
  ads_per_month INT NOT NULL,
  quiet_from INT NOT NULL,
  quiet_to INT NOT NULL,
  observe_until BIGINT NOT NULL,
  last_seq BIGINT NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS slots (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL,
  promotion_id BIGINT NOT NULL,
  window_no INT NOT NULL,
  freed BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  reserved_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  confirmed_at BIGINT NOT NULL,
  confirmed_seq BIGINT NOT NULL,
  released_at BIGINT NOT NULL,
  released_seq BIGINT NOT NULL,
  release_reason VARCHAR(16) NOT NULL,
  late INT NOT NULL,
  unplanned INT NOT NULL,
  cap_day INT NOT NULL,
  cap_week INT NOT NULL,
  cap_month INT NOT NULL,
  cap_life INT NOT NULL,
  gap_minutes INT NOT NULL,
  quiet_from INT NOT NULL,
  quiet_to INT NOT NULL,
  charter_quiet_from INT NOT NULL,
  charter_quiet_to INT NOT NULL,
  preset VARCHAR(16) NOT NULL,
  mode VARCHAR(8) NOT NULL,
  preset_version INT NOT NULL,
  policy_version INT NOT NULL,
  charter_version INT NOT NULL,
  zone VARCHAR(64) NOT NULL
){{.Table}};

CREATE UNIQUE INDEX slots_seq ON slots (group_id, seq);

CREATE UNIQUE INDEX slots_asked ON slots (promotion_id, window_no, group_id, freed);

CREATE INDEX slots_counted ON slots (group_id, last_at);

CREATE TABLE IF NOT EXISTS decisions (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL,
  promotion_id BIGINT NOT NULL,
  window_no INT NOT NULL,
  slot_id BIGINT NOT NULL,
  outcome VARCHAR(16) NOT NULL,
  rule_name VARCHAR(16) NOT NULL,
  kept BIGINT NOT NULL,
  reasons VARCHAR(1000) NOT NULL,
  advice VARCHAR(1000) NOT NULL,
  asked_from BIGINT NOT NULL,
  asked_to BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL,
  not_before BIGINT NOT NULL,
  preset VARCHAR(16) NOT NULL,
  mode VARCHAR(8) NOT NULL,
  policy_version INT NOT NULL,
  charter_version INT NOT NULL,
  zone VARCHAR(64) NOT NULL,
  times INT NOT NULL,
  decided_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX decisions_kept ON decisions (promotion_id, group_id, rule_name, kept);

CREATE INDEX decisions_slot ON decisions (slot_id);

CREATE TABLE IF NOT EXISTS promotions (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL,
  name VARCHAR(100) NOT NULL,
  text_zh VARCHAR(4000) NOT NULL,
  text_en VARCHAR(4000) NOT NULL,
  priority INT NOT NULL,
  channel VARCHAR(16) NOT NULL,
  status VARCHAR(16) NOT NULL,
  created_by BIGINT NOT NULL,
  approved_by BIGINT NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL,
  approved_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS promotion_windows (
  promotion_id BIGINT NOT NULL,
  window_no INT NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL,
  PRIMARY KEY (promotion_id, window_no)
){{.Table}};

CREATE TABLE IF NOT EXISTS promotion_groups (
  promotion_id BIGINT NOT NULL,
  group_id BIGINT NOT NULL,
  PRIMARY KEY (promotion_id, group_id)
){{.Table}};

CREATE TABLE IF NOT EXISTS promotion_sends (
  promotion_id BIGINT NOT NULL,
  window_no INT NOT NULL,
  group_id BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  rule_name VARCHAR(16) NOT NULL,
  not_before BIGINT NOT NULL,
  slot_id BIGINT NOT NULL,
  handed_at BIGINT NOT NULL,
  published_at BIGINT NOT NULL,
  PRIMARY KEY (promotion_id, window_no, group_id)
){{.Table}};

CREATE INDEX promotion_sends_slot ON promotion_sends (slot_id);
