-- When a reward in money that waits for its day alone becomes payable. A row is
-- there as long as it waits, in the order of the days: clearing reads the first
-- of them and deletes them with what they come to, which costs a fraction of a
-- task each. The member only brings together what is his.

CREATE TABLE IF NOT EXISTS ripening (
  matures_at BIGINT NOT NULL,
  reward_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  PRIMARY KEY (matures_at, reward_id)
){{.Table}};
