-- Members with their identities and consents, chat groups with charters and
-- memberships, and the facts that upper rooms tell this one.

CREATE TABLE IF NOT EXISTS members (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  name VARCHAR(100) NOT NULL,
  guest INT NOT NULL,
  status VARCHAR(16) NOT NULL,
  merged_into BIGINT NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX members_unit ON members (unit_id, id);

CREATE INDEX members_merged ON members (merged_into);

CREATE TABLE IF NOT EXISTS identities (
  id {{.ID}},
  kind VARCHAR(24) NOT NULL,
  app VARCHAR(64) NOT NULL,
  value VARCHAR(128) NOT NULL,
  member_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX identities_value ON identities (kind, app, value);

CREATE INDEX identities_member ON identities (member_id);

CREATE TABLE IF NOT EXISTS member_merges (
  from_id BIGINT NOT NULL PRIMARY KEY,
  into_id BIGINT NOT NULL,
  at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS consents (
  id {{.ID}},
  member_id BIGINT NOT NULL,
  purpose VARCHAR(32) NOT NULL,
  granted INT NOT NULL,
  text_version VARCHAR(32) NOT NULL,
  source VARCHAR(32) NOT NULL,
  at BIGINT NOT NULL
){{.Table}};

CREATE INDEX consents_member ON consents (member_id, purpose, id);

CREATE TABLE IF NOT EXISTS chat_groups (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  external_id VARCHAR(64) NOT NULL,
  name VARCHAR(100) NOT NULL,
  preset VARCHAR(16) NOT NULL,
  zone VARCHAR(64) NOT NULL,
  owner_id BIGINT NOT NULL,
  born_at BIGINT NOT NULL,
  imported INT NOT NULL,
  status VARCHAR(16) NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX chat_groups_unit ON chat_groups (unit_id, id);

CREATE UNIQUE INDEX chat_groups_external ON chat_groups (external_id);

CREATE TABLE IF NOT EXISTS charters (
  group_id BIGINT NOT NULL,
  version INT NOT NULL,
  purpose VARCHAR(1000) NOT NULL,
  ads_per_day INT NOT NULL,
  ads_per_week INT NOT NULL,
  quiet_from INT NOT NULL,
  quiet_to INT NOT NULL,
  ends_at BIGINT NOT NULL,
  announced_at BIGINT NOT NULL,
  effective_at BIGINT NOT NULL,
  PRIMARY KEY (group_id, version)
){{.Table}};

CREATE TABLE IF NOT EXISTS memberships (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  role VARCHAR(16) NOT NULL,
  joined_at BIGINT NOT NULL,
  left_at BIGINT NOT NULL,
  charter_version INT NOT NULL,
  code_id BIGINT NOT NULL,
  version INT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX memberships_pair ON memberships (group_id, member_id);

-- Covering: which groups a member is in is read for every claim.
CREATE INDEX memberships_member ON memberships (member_id, left_at, group_id);

CREATE TABLE IF NOT EXISTS member_facts (
  id {{.ID}},
  member_id BIGINT NOT NULL,
  kind VARCHAR(24) NOT NULL,
  ref BIGINT NOT NULL,
  at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX member_facts_ref ON member_facts (kind, ref, member_id);

CREATE INDEX member_facts_member ON member_facts (member_id, kind);

-- When a member last stopped being who his token says: a merge or an erasure.
-- One row; claims read it to know whether a token's word still stands.
CREATE TABLE IF NOT EXISTS member_changes (
  id INT NOT NULL PRIMARY KEY,
  changed_at BIGINT NOT NULL
){{.Table}};
