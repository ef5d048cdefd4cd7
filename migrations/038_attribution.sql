-- Whose scan an invitation is credited to. A touch knows the version of the
-- program that it showed if scans count by it (0: it is statistics only). A
-- binding knows by which rule it was made, of how many scans of how many days,
-- which one won, and when it was last lengthened.

ALTER TABLE touches ADD COLUMN rules_version INT NOT NULL DEFAULT 0;

CREATE INDEX touches_visitor ON touches (visitor_id, at);

ALTER TABLE bindings ADD COLUMN rule VARCHAR(16) NOT NULL DEFAULT 'first_touch';

ALTER TABLE bindings ADD COLUMN touch_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE bindings ADD COLUMN touched_at BIGINT NOT NULL DEFAULT 0;

ALTER TABLE bindings ADD COLUMN touch_days INT NOT NULL DEFAULT 0;

ALTER TABLE bindings ADD COLUMN weighed_qty INT NOT NULL DEFAULT 0;

ALTER TABLE bindings ADD COLUMN renewed_at BIGINT NOT NULL DEFAULT 0;

-- Those that run out next.
CREATE INDEX bindings_expires ON bindings (live, expires_at);
