-- When a group greets its new members together, and when it did.

CREATE TABLE IF NOT EXISTS welcome_rules (
  group_id BIGINT NOT NULL PRIMARY KEY,
  version INT NOT NULL,
  minutes VARCHAR(100) NOT NULL,
  text_zh VARCHAR(200) NOT NULL,
  text_en VARCHAR(200) NOT NULL,
  since BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS welcomes (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  slot_at BIGINT NOT NULL,
  people INT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX welcomes_once ON welcomes (group_id, slot_at);
