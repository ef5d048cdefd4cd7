-- A member's places in waiting lines, for his export.

CREATE INDEX waits_who ON waits (member_id);
