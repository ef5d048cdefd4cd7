-- Which topic somebody took part in: the id of a planned one, or the reporter's
-- own name for it; empty, the topic of the day.

ALTER TABLE activity_events ADD COLUMN topic VARCHAR(64) NOT NULL DEFAULT '';
