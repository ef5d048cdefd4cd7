-- What has no other home: node numbers, idempotency keys, audit, the store's
-- time, and the queue's rows.

CREATE TABLE IF NOT EXISTS node_leases (
  node INT NOT NULL PRIMARY KEY,
  holder VARCHAR(32) NOT NULL,
  until_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS store_clock (
  id INT NOT NULL PRIMARY KEY,
  now_at BIGINT NOT NULL,
  wall_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS idempotency (
  principal VARCHAR(64) NOT NULL,
  route VARCHAR(96) NOT NULL,
  idem_key VARCHAR(128) NOT NULL,
  input_hash VARCHAR(64) NOT NULL,
  result_kind VARCHAR(32) NOT NULL,
  result_id BIGINT NOT NULL,
  status INT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (principal, route, idem_key)
){{.Table}};

CREATE TABLE IF NOT EXISTS audit (
  id {{.ID}},
  at BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  key_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  role VARCHAR(32) NOT NULL,
  request_id VARCHAR(64) NOT NULL,
  action VARCHAR(64) NOT NULL,
  object VARCHAR(64) NOT NULL,
  before_json {{.Text}} NOT NULL,
  after_json {{.Text}} NOT NULL
){{.Table}};

CREATE INDEX audit_object ON audit (object, id);

CREATE TABLE IF NOT EXISTS outbox (
  id {{.ID}},
  kind VARCHAR(64) NOT NULL,
  payload {{.Text}} NOT NULL,
  status INT NOT NULL,
  next_at BIGINT NOT NULL,
  lease VARCHAR(32) NOT NULL,
  leased_until BIGINT NOT NULL,
  attempts INT NOT NULL,
  last_error VARCHAR(500) NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX outbox_due ON outbox (status, kind, next_at);

CREATE TABLE IF NOT EXISTS inbox (
  task_id BIGINT NOT NULL PRIMARY KEY,
  kind VARCHAR(64) NOT NULL,
  done_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS periodic (
  job VARCHAR(64) NOT NULL,
  scheduled_for BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  PRIMARY KEY (job, scheduled_for)
){{.Table}};

CREATE TABLE IF NOT EXISTS webhooks (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  url VARCHAR(500) NOT NULL,
  events VARCHAR(500) NOT NULL,
  secret {{.Blob}} NOT NULL,
  status VARCHAR(16) NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS events (
  id {{.ID}},
  type VARCHAR(64) NOT NULL,
  event_version INT NOT NULL,
  payload {{.Text}} NOT NULL,
  at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS deliveries (
  id {{.ID}},
  webhook_id BIGINT NOT NULL,
  event_id BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  attempts INT NOT NULL,
  response_code INT NOT NULL,
  last_error VARCHAR(500) NOT NULL,
  created_at BIGINT NOT NULL,
  delivered_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX deliveries_webhook ON deliveries (webhook_id, id);
