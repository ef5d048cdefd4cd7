-- Which rewards a human must look at, and what he decided. A reward's review is
-- '' for those older than the review, which clear as ever; due until the last
-- look before its maturity; then passed, open or refused; closed when it came
-- to nothing while its case was open. Only '' and passed clear.

CREATE TABLE IF NOT EXISTS review_policies (
  number INT NOT NULL,
  policy {{.Text}} NOT NULL,
  staff_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (number)
){{.Table}};

CREATE TABLE IF NOT EXISTS review_cases (
  id {{.ID}},
  reward_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  order_id BIGINT NOT NULL,
  beneficiary_id BIGINT NOT NULL,
  inviter_id BIGINT NOT NULL,
  invitee_id BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  policy_no INT NOT NULL,
  reasons {{.Text}} NOT NULL,
  note VARCHAR(200) NOT NULL,
  opened_by BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  found VARCHAR(16) NOT NULL,
  found_note VARCHAR(200) NOT NULL,
  found_by BIGINT NOT NULL,
  found_at BIGINT NOT NULL,
  decided_note VARCHAR(200) NOT NULL,
  decided_by BIGINT NOT NULL,
  decided_at BIGINT NOT NULL,
  alarmed_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX review_cases_reward ON review_cases (reward_id);

CREATE INDEX review_cases_state ON review_cases (state, id);

-- On which device, network and address a member was seen: keyed hashes alone.
CREATE TABLE IF NOT EXISTS sightings (
  id {{.ID}},
  member_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  hash VARCHAR(64) NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX sightings_mark ON sightings (kind, hash, member_id);

CREATE INDEX sightings_member ON sightings (member_id);

CREATE INDEX sightings_age ON sightings (kind, last_at);

ALTER TABLE rewards ADD COLUMN review VARCHAR(8) NOT NULL DEFAULT '';

CREATE INDEX payee_versions_taxpayer ON payee_versions (taxpayer_id);
