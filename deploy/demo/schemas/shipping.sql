CREATE TYPE shipment_state AS ENUM ('packed', 'sent', 'delivered', 'returned');
CREATE TABLE carriers (code text PRIMARY KEY, name text NOT NULL);
INSERT INTO carriers VALUES ('blue', 'Blue Parcel'), ('fast', 'Fast & Sons');
CREATE TABLE shipments (
    id       bigserial PRIMARY KEY,
    user_id  integer NOT NULL,
    order_id bigint,
    carrier  text NOT NULL DEFAULT 'blue' REFERENCES carriers (code),
    state    shipment_state NOT NULL DEFAULT 'packed',
    grams    bigint NOT NULL
);
INSERT INTO shipments (user_id, order_id, state, grams)
SELECT 1 + n % :rows, n, 'delivered', n % 1000 FROM generate_series(1, :rows / 4) n;
CREATE INDEX shipments_user_id_idx ON shipments (user_id);
CREATE VIEW on_the_way AS SELECT id, order_id, carrier FROM shipments WHERE state = 'sent';
