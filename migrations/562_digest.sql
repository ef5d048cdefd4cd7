-- What becomes of an ad that found no slot in its window: dropped, or put
-- together with others into a digest. A row waits until until_at (slot_id 0),
-- then is the main ad of a slot (line_no 0) or a line of it, and is done when
-- that slot is over.

ALTER TABLE promotions ADD COLUMN on_no_slot VARCHAR(8) NOT NULL DEFAULT 'drop';

CREATE TABLE IF NOT EXISTS promotion_digests (
  promotion_id BIGINT NOT NULL,
  window_no INT NOT NULL,
  group_id BIGINT NOT NULL,
  weight BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  not_before BIGINT NOT NULL,
  slot_id BIGINT NOT NULL,
  line_no INT NOT NULL,
  done INT NOT NULL,
  PRIMARY KEY (promotion_id, window_no, group_id)
){{.Table}};

CREATE INDEX promotion_digests_group ON promotion_digests (group_id, done, slot_id);

CREATE INDEX promotion_digests_open ON promotion_digests (done, slot_id, promotion_id);

CREATE INDEX promotion_digests_slot ON promotion_digests (slot_id, line_no);
