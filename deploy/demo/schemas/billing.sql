CREATE DOMAIN cents AS bigint CHECK (VALUE >= 0);
CREATE TABLE invoices (
    id        bigserial PRIMARY KEY,
    user_id   integer NOT NULL,
    total     cents NOT NULL,
    issued_on date NOT NULL DEFAULT CURRENT_DATE
);
INSERT INTO invoices (user_id, total, issued_on)
SELECT 1 + n % :rows, n % 1000, date '2023-01-01' + n % 500 FROM generate_series(1, :rows / 4) n;
CREATE INDEX invoices_user_id_issued_on_idx ON invoices (user_id, issued_on);
CREATE TABLE invoice_lines (
    invoice_id bigint NOT NULL REFERENCES invoices (id),
    line       integer NOT NULL,
    what       text NOT NULL,
    amount     cents NOT NULL,
    PRIMARY KEY (invoice_id, line)
);
INSERT INTO invoice_lines SELECT n, 1, 'Goods', n % 1000 FROM generate_series(1, :rows / 4) n;
