-- What a group's members ask for, who else wants it, and what became of it.

CREATE TABLE IF NOT EXISTS requests (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  line VARCHAR(200) NOT NULL,
  status VARCHAR(16) NOT NULL,
  wants INT NOT NULL,
  answer_by BIGINT NOT NULL,
  alerted_at BIGINT NOT NULL,
  answer VARCHAR(500) NOT NULL,
  answered_by BIGINT NOT NULL,
  answered_at BIGINT NOT NULL,
  rating INT NOT NULL,
  campaign_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX requests_group ON requests (group_id, id);

CREATE INDEX requests_member ON requests (member_id, group_id, status);

CREATE INDEX requests_due ON requests (status, alerted_at, answer_by);

CREATE TABLE IF NOT EXISTS request_wants (
  request_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (request_id, member_id)
){{.Table}};
