-- Who joined each group of a wave lately lies in the index itself: looked up row
-- by row it costs more than the decision.

CREATE INDEX memberships_since ON memberships (group_id, left_at, joined_at);
