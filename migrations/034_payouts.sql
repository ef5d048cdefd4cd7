-- A settlement is paid by several payouts since 032: the index that allowed one
-- goes, and a plain one under its own name takes its place. Stores made while
-- 008 was edited in place have a plain index under the old name; they end the
-- same.

CREATE INDEX payouts_of_settlement ON payouts (settlement_id);

DROP INDEX payouts_settlement{{.On "payouts"}};
