-- Referral campaigns with steps: how each campaign stands, whom its codes
-- brought, how many count for whom, and what the steps gave.

CREATE TABLE IF NOT EXISTS invite_runs (
  campaign_id BIGINT NOT NULL PRIMARY KEY,
  unit_id BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  judged_after BIGINT NOT NULL,
  tripped_at BIGINT NOT NULL,
  sample_qty INT NOT NULL,
  kept_qty INT NOT NULL,
  rewards_qty BIGINT NOT NULL,
  rewards_cap BIGINT NOT NULL,
  points_qty BIGINT NOT NULL,
  points_cap BIGINT NOT NULL,
  inviter_cap BIGINT NOT NULL,
  day_cap BIGINT NOT NULL,
  measured_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  frozen_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL,
  CHECK (rewards_cap = 0 OR rewards_qty <= rewards_cap),
  CHECK (points_cap = 0 OR points_qty <= points_cap)
){{.Table}};

-- One row per invitee and campaign, so that he counts once whoever brings him.
CREATE TABLE IF NOT EXISTS invitees (
  id {{.ID}},
  campaign_id BIGINT NOT NULL,
  invitee_id BIGINT NOT NULL,
  inviter_id BIGINT NOT NULL,
  binding_id BIGINT NOT NULL,
  void INT NOT NULL,
  stayed INT NOT NULL,
  stays_at BIGINT NOT NULL,
  bought INT NOT NULL,
  bought_at BIGINT NOT NULL,
  outcome VARCHAR(8) NOT NULL,
  judged_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX invitees_member ON invitees (campaign_id, invitee_id);

CREATE INDEX invitees_inviter ON invitees (campaign_id, inviter_id);

CREATE INDEX invitees_judged ON invitees (campaign_id, judged_at);

CREATE INDEX invitees_binding ON invitees (binding_id);

-- Bit n of reached_mask is step n. due is 1 where the counts have come to a
-- step that is not in the mask.
CREATE TABLE IF NOT EXISTS invite_scores (
  id {{.ID}},
  campaign_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  stayed_qty BIGINT NOT NULL,
  bought_qty BIGINT NOT NULL,
  board_qty BIGINT NOT NULL,
  reached_mask BIGINT NOT NULL,
  rewards_qty BIGINT NOT NULL,
  due INT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX invite_scores_member ON invite_scores (campaign_id, member_id);

CREATE INDEX invite_scores_due ON invite_scores (campaign_id, due, id);

CREATE INDEX invite_scores_board ON invite_scores (campaign_id, board_qty);

CREATE TABLE IF NOT EXISTS invite_rewards (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  step_no INT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  coupon_id BIGINT NOT NULL,
  points BIGINT NOT NULL,
  valid_days INT NOT NULL,
  goods_name VARCHAR(100) NOT NULL,
  goods_qty INT NOT NULL,
  state VARCHAR(16) NOT NULL,
  reason VARCHAR(64) NOT NULL,
  reached_at BIGINT NOT NULL,
  available_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  given_at BIGINT NOT NULL,
  given_day INT NOT NULL,
  member_coupon_id BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  note VARCHAR(200) NOT NULL
){{.Table}};

-- A step is paid to a member once.
CREATE UNIQUE INDEX invite_rewards_step ON invite_rewards (campaign_id, member_id, step_no);

CREATE INDEX invite_rewards_next ON invite_rewards (state, next_at);

CREATE INDEX invite_rewards_member ON invite_rewards (member_id, id);

-- What an inviter was given on a local day.
CREATE TABLE IF NOT EXISTS invite_days (
  campaign_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  day INT NOT NULL,
  qty BIGINT NOT NULL,
  PRIMARY KEY (campaign_id, member_id, day)
){{.Table}};
