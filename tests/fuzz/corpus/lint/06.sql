ALTER TABLE ledger ADD CONSTRAINT positive CHECK (amount >= 0) NOT VALID;
ALTER TABLE ledger ADD UNIQUE (booked, memo, id);
ALTER TABLE ledger ADD UNIQUE (memo);
ALTER TABLE ledger DROP CONSTRAINT ledger_pkey, ADD PRIMARY KEY (id, booked);
ALTER TABLE ledger DROP CONSTRAINT ledger_pkey, ADD PRIMARY KEY (id, booked, amount);
ALTER TABLE ledger_23 ADD UNIQUE (id);
