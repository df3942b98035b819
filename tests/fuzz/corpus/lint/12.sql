VACUUM ANALYZE orders, items;
VACUUM (INDEX_CLEANUP off, TRUNCATE off) orders;
ANALYZE orders (note);
ANALYZE orders, customers;
ANALYZE (VERBOSE) orders;
CREATE STATISTICS corr (dependencies) ON code, note FROM orders;
