ALTER TABLE ledger ADD COLUMN x int;
ALTER TABLE ledger ADD COLUMN x int NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN x uuid DEFAULT gen_random_uuid();
ALTER TABLE ledger ADD COLUMN x int REFERENCES customers (id);
ALTER TABLE ledger ADD COLUMN x int CHECK (x > 0);
ALTER TABLE ONLY ledger ADD COLUMN x int;
