CREATE TYPE payment_method AS ENUM ('card', 'transfer', 'wallet');
CREATE TABLE payments (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      integer NOT NULL,
    order_id     bigint,
    method       payment_method NOT NULL DEFAULT 'card',
    amount_cents bigint NOT NULL,
    paid_at      timestamptz NOT NULL DEFAULT now()
);
INSERT INTO payments (user_id, order_id, amount_cents, paid_at)
SELECT 1 + n % :rows, n, n % 1000, timestamptz '2023-01-01' + n * interval '2 minutes'
FROM generate_series(1, :rows / 2) n;
CREATE INDEX payments_user_id_idx ON payments (user_id);
CREATE TABLE refunds (
    id           bigserial PRIMARY KEY,
    payment_id   bigint NOT NULL REFERENCES payments (id),
    amount_cents bigint NOT NULL,
    reason       text
);
INSERT INTO refunds (payment_id, amount_cents, reason)
SELECT n * 10, 5, 'late' FROM generate_series(1, :rows / 20) n;
CREATE VIEW paid_by_user AS SELECT user_id, sum(amount_cents) AS cents FROM payments GROUP BY user_id;
