CREATE TABLE reviews (
    id         bigserial PRIMARY KEY,
    user_id    integer NOT NULL,
    product_id integer NOT NULL,
    stars      bigint NOT NULL,
    body       text NOT NULL DEFAULT '',
    written_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO reviews (user_id, product_id, stars, body)
SELECT 1 + n % :rows, 1 + n % 5000, n % 1000, 'Review ' || n FROM generate_series(1, :rows / 4) n;
CREATE INDEX reviews_user_id_idx ON reviews (user_id);
CREATE INDEX reviews_product_id_idx ON reviews (product_id);
CREATE VIEW product_stars AS SELECT product_id, avg(stars) AS stars, count(*) AS reviews FROM reviews GROUP BY product_id;
ALTER TABLE reviews ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody_reads ON reviews USING (true) WITH CHECK (true);
