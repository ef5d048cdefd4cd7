-- As what the member of a payment was paid: staff by payroll, without tax of
-- ours.

ALTER TABLE payout_lines ADD COLUMN payee_type VARCHAR(16) NOT NULL DEFAULT '';
