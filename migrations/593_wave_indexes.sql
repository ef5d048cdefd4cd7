-- What the guard reads of every group of a wave lies in the index itself: when
-- its ads count, and who joined it lately. Looked up row by row, either costs
-- more than the decision, the more so where the rows outgrew the memory.

CREATE INDEX slots_shown ON slots (group_id, last_at, first_at, released_at, promotion_id, campaign_id);

DROP INDEX slots_counted{{.On "slots"}};

CREATE INDEX memberships_since ON memberships (group_id, left_at, joined_at);
