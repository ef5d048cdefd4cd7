-- The entries of an account are found by the index of its book, which begins
-- with the account too. Every transfer paid for both.

DROP INDEX entries_account{{.On "entries"}};
