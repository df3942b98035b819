DELETE FROM big_orders WHERE id = 7;
GRANT SELECT ON big_orders TO PUBLIC;
COMMENT ON VIEW big_orders IS 'large ones';
COMMENT ON MATERIALIZED VIEW per_customer IS 'sums';
LOCK TABLE big_orders IN ACCESS SHARE MODE;
ANALYZE per_customer;
