-- Products, campaigns with their items, orders, and what the mall reports of
-- them: payments, refunds, shipments.

CREATE TABLE IF NOT EXISTS products (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  sku VARCHAR(64) NOT NULL,
  name VARCHAR(200) NOT NULL,
  picture VARCHAR(500) NOT NULL,
  list_price BIGINT NOT NULL,
  cost BIGINT NOT NULL,
  floor_price BIGINT NOT NULL,
  on_sale INT NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX products_sku ON products (sku);

CREATE TABLE IF NOT EXISTS campaigns (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  name VARCHAR(100) NOT NULL,
  status VARCHAR(16) NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  zone VARCHAR(64) NOT NULL,
  program_id BIGINT NOT NULL,
  rules {{.Text}} NOT NULL,
  rules_digest VARCHAR(64) NOT NULL,
  audience {{.Text}} NOT NULL,
  pay_within_s INT NOT NULL,
  login_url VARCHAR(500) NOT NULL,
  pay_url VARCHAR(500) NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX campaigns_status ON campaigns (status, starts_at);

CREATE TABLE IF NOT EXISTS items (
  id {{.ID}},
  campaign_id BIGINT NOT NULL,
  product_id BIGINT NOT NULL,
  name VARCHAR(200) NOT NULL,
  price BIGINT NOT NULL,
  stock BIGINT NOT NULL,
  left_qty BIGINT NOT NULL,
  held_qty BIGINT NOT NULL,
  sold_qty BIGINT NOT NULL,
  per_member INT NOT NULL,
  per_order INT NOT NULL,
  sort_no INT NOT NULL,
  version INT NOT NULL,
  epoch INT NOT NULL,
  grants BIGINT NOT NULL,
  freed BIGINT NOT NULL,
  CONSTRAINT items_exact CHECK (left_qty >= 0 AND held_qty >= 0 AND sold_qty >= 0 AND left_qty + held_qty + sold_qty = stock)
){{.Table}};

CREATE INDEX items_campaign ON items (campaign_id, sort_no);

CREATE TABLE IF NOT EXISTS orders (
  id {{.ID}},
  campaign_id BIGINT NOT NULL,
  item_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  team_id BIGINT NOT NULL DEFAULT 0,
  qty INT NOT NULL,
  unit_price BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL DEFAULT 'held',
  limit_frozen INT NOT NULL,
  binding_id BIGINT NOT NULL DEFAULT 0,
  inviter_id BIGINT NOT NULL DEFAULT 0,
  code_id BIGINT NOT NULL DEFAULT 0,
  program_id BIGINT NOT NULL DEFAULT 0,
  program_version INT NOT NULL DEFAULT 0,
  claimed_by BIGINT NOT NULL,
  idem_key VARCHAR(128) NOT NULL,
  input_hash BIGINT NOT NULL,
  deadline_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  paid_at BIGINT NOT NULL DEFAULT 0,
  closed_at BIGINT NOT NULL DEFAULT 0,
  received_at BIGINT NOT NULL DEFAULT 0,
  goods BIGINT NOT NULL DEFAULT 0,
  refunded_goods BIGINT NOT NULL DEFAULT 0,
  refunded_qty INT NOT NULL DEFAULT 0,
  version INT NOT NULL DEFAULT 1
){{.Table}};

CREATE UNIQUE INDEX orders_key ON orders (claimed_by, idem_key);

-- What a commit held, by payment deadline: the sweep reads these few rows, so
-- that orders need no index on state and deadline.
CREATE TABLE IF NOT EXISTS order_holds (
  id {{.ID}},
  deadline_at BIGINT NOT NULL,
  order_ids {{.Text}} NOT NULL
){{.Table}};

CREATE INDEX order_holds_due ON order_holds (deadline_at, id);

CREATE TABLE IF NOT EXISTS payments (
  id {{.ID}},
  provider VARCHAR(32) NOT NULL,
  payment_no VARCHAR(64) NOT NULL,
  order_id BIGINT NOT NULL,
  goods BIGINT NOT NULL,
  freight BIGINT NOT NULL,
  discount BIGINT NOT NULL,
  points BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  paid_at BIGINT NOT NULL,
  noted_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX payments_no ON payments (provider, payment_no);

CREATE INDEX payments_order ON payments (order_id);

CREATE TABLE IF NOT EXISTS refunds (
  id {{.ID}},
  order_id BIGINT NOT NULL,
  refund_no VARCHAR(64) NOT NULL,
  amount BIGINT NOT NULL,
  goods BIGINT NOT NULL,
  qty INT NOT NULL,
  status VARCHAR(16) NOT NULL,
  by_whom VARCHAR(8) NOT NULL,
  reason VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL,
  alerted_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX refunds_no ON refunds (order_id, refund_no);

CREATE INDEX refunds_open ON refunds (status, created_at);

CREATE TABLE IF NOT EXISTS shipments (
  id {{.ID}},
  order_id BIGINT NOT NULL,
  stage VARCHAR(16) NOT NULL,
  shipment_no VARCHAR(64) NOT NULL,
  at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX shipments_no ON shipments (order_id, stage, shipment_no);

CREATE TABLE IF NOT EXISTS sweeps (
  name VARCHAR(32) NOT NULL PRIMARY KEY,
  swept BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS limit_merges (
  item_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  qty INT NOT NULL,
  PRIMARY KEY (item_id, member_id)
){{.Table}};

CREATE TABLE IF NOT EXISTS teams (
  id {{.ID}},
  campaign_id BIGINT NOT NULL,
  item_id BIGINT NOT NULL,
  opener_id BIGINT NOT NULL,
  size INT NOT NULL,
  live_seats INT NOT NULL,
  status VARCHAR(16) NOT NULL,
  deadline_at BIGINT NOT NULL,
  formed_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT teams_seats CHECK (live_seats >= 0 AND live_seats <= size)
){{.Table}};

-- Which orders are seats of a team; only group-buys write it.
CREATE TABLE IF NOT EXISTS seats (
  team_id BIGINT NOT NULL,
  order_id BIGINT NOT NULL,
  PRIMARY KEY (team_id, order_id)
){{.Table}};

CREATE INDEX teams_due ON teams (status, deadline_at);

CREATE INDEX teams_campaign ON teams (campaign_id, id);
