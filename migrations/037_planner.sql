-- What an ad is worth to its brand in one group, for the planner; and the ways
-- to the promotions that want a group.

ALTER TABLE promotions ADD COLUMN value_fen BIGINT NOT NULL DEFAULT 100;

CREATE INDEX promotion_groups_group ON promotion_groups (group_id, promotion_id);

CREATE INDEX promotion_sends_group ON promotion_sends (group_id, promotion_id);

CREATE INDEX promotion_windows_to ON promotion_windows (to_at);
