-- Who works here: units of the brand, staff, and their API keys.

CREATE TABLE IF NOT EXISTS units (
  id {{.ID}},
  parent_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  name VARCHAR(100) NOT NULL,
  path VARCHAR(500) NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX units_name ON units (parent_id, name);

CREATE TABLE IF NOT EXISTS staff (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  name VARCHAR(100) NOT NULL,
  role VARCHAR(16) NOT NULL,
  status VARCHAR(16) NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS api_keys (
  id {{.ID}},
  staff_id BIGINT NOT NULL,
  name VARCHAR(100) NOT NULL,
  hint VARCHAR(24) NOT NULL,
  hash VARCHAR(64) NOT NULL,
  status VARCHAR(16) NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  last_used_day INT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);
