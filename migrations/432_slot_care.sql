-- What else a slot was held to when it was reserved: the caps scaled by the
-- group's health (-1: none), the gap of a tired group, and the platform's own
-- cap ('': none). Slots of before were held to nothing that is written here.

ALTER TABLE slots ADD COLUMN care_day INT NOT NULL DEFAULT -1;

ALTER TABLE slots ADD COLUMN care_week INT NOT NULL DEFAULT -1;

ALTER TABLE slots ADD COLUMN care_month INT NOT NULL DEFAULT -1;

ALTER TABLE slots ADD COLUMN care_gap_minutes INT NOT NULL DEFAULT 0;

ALTER TABLE slots ADD COLUMN platform VARCHAR(16) NOT NULL DEFAULT '';

-- How many people came into a group lately, and how many it has.
CREATE INDEX memberships_joined ON memberships (group_id, left_at, joined_at);
