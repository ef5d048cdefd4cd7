-- With whom an opener's team formed, so that his fee is weighed against them:
-- the first few who paid beside him, by the fact that the fee is for.

CREATE TABLE IF NOT EXISTS fee_peers (
  fact VARCHAR(48) NOT NULL,
  member_id BIGINT NOT NULL,
  PRIMARY KEY (fact, member_id)
){{.Table}};
