-- What a binding rests on: when the page was shown that he acted on (0: no
-- page), and which of the staff bound him (0: he himself).

ALTER TABLE bindings ADD COLUMN page_at BIGINT NOT NULL DEFAULT 0;

ALTER TABLE bindings ADD COLUMN bound_by BIGINT NOT NULL DEFAULT 0;
