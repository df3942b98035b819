ALTER SYSTEM SET work_mem = '4MB';
VACUUM;
ANALYZE;
CLUSTER;
MERGE INTO audit a USING orders o ON a.what = o.note WHEN NOT MATCHED BY SOURCE THEN DELETE;
MERGE INTO customers c USING orders o ON c.id = o.customer_id WHEN MATCHED THEN UPDATE SET score = o.total RETURNING c.id;
