-- What they buy. :rows orders. Reads users.email of the users service through a foreign table.
CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped', 'done', 'cancelled');

CREATE FOREIGN TABLE remote_users (
    id        integer NOT NULL,
    email     text,
    full_name text
) SERVER users_db OPTIONS (schema_name 'public', table_name 'users');

CREATE TABLE orders (
    id          bigserial PRIMARY KEY,
    user_id     integer NOT NULL,
    status      order_status NOT NULL DEFAULT 'new',
    total_cents bigint NOT NULL CHECK (total_cents >= 0),
    placed_at   timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO orders (user_id, status, total_cents, placed_at, updated_at)
SELECT 1 + n % :rows, (ARRAY['paid', 'shipped', 'done'])[1 + n % 3]::order_status, n % 1000,
       timestamptz '2023-01-01' + n * interval '1 minute', timestamptz '2024-01-01'
FROM generate_series(1, :rows) n;
CREATE INDEX orders_user_id_idx ON orders (user_id);
CREATE INDEX orders_open_idx ON orders (placed_at) WHERE status IN ('new', 'paid');

CREATE TABLE order_items (
    order_id    bigint NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    line        integer NOT NULL,
    product_id  integer NOT NULL,
    quantity    integer NOT NULL DEFAULT 1 CHECK (quantity > 0),
    price_cents bigint NOT NULL,
    PRIMARY KEY (order_id, line)
);
INSERT INTO order_items (order_id, line, product_id, price_cents)
SELECT n, 1, 1 + n % 5000, n % 1000 FROM generate_series(1, :rows) n;

CREATE TABLE order_events (
    order_id   bigint NOT NULL,
    kind       text NOT NULL,
    created_at timestamptz NOT NULL
) PARTITION BY RANGE (created_at);
CREATE TABLE order_events_2023 PARTITION OF order_events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE order_events_2024 PARTITION OF order_events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE order_events_later PARTITION OF order_events DEFAULT;
CREATE INDEX order_events_order_id_idx ON order_events (order_id);
INSERT INTO order_events
SELECT n, 'placed', timestamptz '2023-01-01' + n * interval '20 minutes' FROM generate_series(1, :rows / 4) n;

CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.total_cents IS DISTINCT FROM NEW.total_cents)
    EXECUTE FUNCTION touch_updated_at();

CREATE VIEW order_contacts AS
    SELECT o.id AS order_id, o.user_id, o.status, r.email, r.full_name
    FROM orders o JOIN remote_users r ON r.id = o.user_id;

CREATE FUNCTION order_total(p_order bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(quantity * price_cents), 0)::bigint FROM order_items WHERE order_id = p_order
$$;
