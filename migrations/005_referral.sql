-- Programs as versioned data, invite codes, scans, who invited whom, and
-- rewards as facts. In codes and bindings live is 0 for the one that holds its
-- place and the row's own id once it does not. Amounts of reward_events are
-- signed: earned and cleared positive, what takes away negative.

CREATE TABLE IF NOT EXISTS programs (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  name VARCHAR(100) NOT NULL,
  scope VARCHAR(64) NOT NULL,
  status VARCHAR(16) NOT NULL,
  currency VARCHAR(3) NOT NULL,
  budget BIGINT NOT NULL,
  latest INT NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS program_versions (
  program_id BIGINT NOT NULL,
  number INT NOT NULL,
  rules {{.Text}} NOT NULL,
  digest VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (program_id, number)
){{.Table}};

CREATE TABLE IF NOT EXISTS codes (
  id {{.ID}},
  code VARCHAR(32) NOT NULL,
  unit_id BIGINT NOT NULL,
  inviter_id BIGINT NOT NULL,
  program_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL,
  group_id BIGINT NOT NULL,
  channel VARCHAR(32) NOT NULL,
  status VARCHAR(16) NOT NULL,
  live BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX codes_code ON codes (code);

CREATE UNIQUE INDEX codes_place ON codes (inviter_id, program_id, campaign_id, group_id, channel, live);

CREATE TABLE IF NOT EXISTS touches (
  id {{.ID}},
  code_id BIGINT NOT NULL,
  visitor_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  day_no INT NOT NULL
){{.Table}};

CREATE INDEX touches_code ON touches (code_id, at);

CREATE TABLE IF NOT EXISTS bindings (
  id {{.ID}},
  scope VARCHAR(64) NOT NULL,
  invitee_id BIGINT NOT NULL,
  inviter_id BIGINT NOT NULL,
  code_id BIGINT NOT NULL,
  group_id BIGINT NOT NULL,
  program_id BIGINT NOT NULL,
  program_version INT NOT NULL,
  live BIGINT NOT NULL,
  bound_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  end_reason VARCHAR(32) NOT NULL
){{.Table}};

CREATE UNIQUE INDEX bindings_live ON bindings (scope, invitee_id, live);

CREATE INDEX bindings_inviter ON bindings (inviter_id);

CREATE INDEX bindings_invitee ON bindings (invitee_id);

CREATE TABLE IF NOT EXISTS rewards (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  program_id BIGINT NOT NULL,
  program_version INT NOT NULL,
  fact VARCHAR(48) NOT NULL,
  beneficiary_id BIGINT NOT NULL,
  rule VARCHAR(24) NOT NULL,
  side VARCHAR(16) NOT NULL,
  order_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL,
  code_id BIGINT NOT NULL,
  binding_id BIGINT NOT NULL,
  currency VARCHAR(3) NOT NULL,
  base BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  note VARCHAR(32) NOT NULL,
  earned_at BIGINT NOT NULL,
  matures_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX rewards_key ON rewards (program_id, program_version, fact, beneficiary_id, rule);

CREATE INDEX rewards_order ON rewards (order_id);

CREATE INDEX rewards_beneficiary ON rewards (beneficiary_id, id);

CREATE INDEX rewards_campaign ON rewards (campaign_id, id);

CREATE TABLE IF NOT EXISTS reward_events (
  id {{.ID}},
  reward_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  ref VARCHAR(48) NOT NULL,
  amount BIGINT NOT NULL,
  at BIGINT NOT NULL,
  transfer_id BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL
){{.Table}};

CREATE UNIQUE INDEX reward_events_ref ON reward_events (reward_id, kind, ref);

CREATE INDEX reward_events_at ON reward_events (kind, at, reward_id);
