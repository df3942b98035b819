CREATE TABLE page_views (
    seen_on date NOT NULL,
    page    text NOT NULL,
    views   bigint NOT NULL
) PARTITION BY RANGE (seen_on);
CREATE TABLE page_views_2024 PARTITION OF page_views FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE page_views_2025 PARTITION OF page_views FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO page_views SELECT date '2024-01-01' + n % 700, '/page/' || n % 50, n FROM generate_series(1, 20000) n;
CREATE MATERIALIZED VIEW views_by_page AS SELECT page, sum(views) AS views FROM page_views GROUP BY page;
