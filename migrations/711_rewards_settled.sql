-- Which rewards of a member no settlement can be asked for any more, so that a
-- look at what is due to him passes over none of those: 1 says that it stands on
-- a live line or is no money, 0 that it may be due. A line's rewards are marked
-- after it is sealed, and only where their payer was ever given terms of
-- withdrawing; rewards_marked says of a settlement how far that is: 0 not begun,
-- 1 begun, 2 done.

ALTER TABLE rewards ADD COLUMN settled INT NOT NULL DEFAULT 0;

CREATE INDEX rewards_due ON rewards (beneficiary_id, settled);

ALTER TABLE settlements ADD COLUMN rewards_marked INT NOT NULL DEFAULT 0;
