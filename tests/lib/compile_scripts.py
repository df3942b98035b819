"""Scripts of plain DDL: drafted with `draft --sql`, they end where psql ends with them, and back.

name; schema: before it; script; writes nothing else. `rows`: a big table, for what only size shows.
"""

SCRIPTS = [
    {
        "name": "comment_on_a_view_that_comes_late",
        "schema": "CREATE TABLE ticket (id int PRIMARY KEY, name text);",
        "script": """
            CREATE TABLE bucket (id int PRIMARY KEY);
            INSERT INTO ticket VALUES (1, 'bucket');
            CREATE VIEW bucket_secret AS SELECT id FROM bucket;
            COMMENT ON VIEW bucket_secret IS 'what it is for';
            CREATE FUNCTION bucket_check() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM FROM bucket; RETURN new; END';
            CREATE TRIGGER checked BEFORE INSERT ON ticket
                FOR EACH ROW EXECUTE FUNCTION bucket_check();
        """,
    },
    {
        "name": "rows_of_a_new_table_that_reference_new_rows",
        "schema": "CREATE TABLE region (id int PRIMARY KEY, name text); INSERT INTO region VALUES (1, 'north');",
        "script": """
            CREATE TABLE area (id int PRIMARY KEY, region_id int NOT NULL REFERENCES region);
            INSERT INTO area VALUES (10, 1);
            INSERT INTO region VALUES (2, 'south');
            INSERT INTO area VALUES (20, 2);
        """,
    },
    {
        "name": "both_sides_of_a_key_widen_alone",
        "schema": """
            CREATE TABLE person (id char(8) PRIMARY KEY);
            CREATE TABLE device (id int PRIMARY KEY, person_id char(8) NOT NULL REFERENCES person);
            INSERT INTO person VALUES ('a'), ('b'); INSERT INTO device VALUES (1, 'a');
        """,
        "script": """
            ALTER TABLE person ALTER COLUMN id TYPE varchar(40);
            ALTER TABLE device ALTER COLUMN person_id TYPE varchar(40);
        """,
    },
    {
        "name": "lists_of_varchar_come_back_as_they_were",
        "schema": """
            CREATE TABLE job (id int PRIMARY KEY, state varchar(20) CHECK (state IN ('on', 'it''s', 'off')));
            CREATE INDEX job_open ON job (id) WHERE state NOT IN ('off', 'it''s');
            CREATE VIEW job_live AS SELECT id, state FROM job WHERE state IN ('on', 'it''s');
        """,
        "script": """
            CREATE OR REPLACE VIEW job_live AS SELECT id, state, 1 AS n FROM job WHERE state IN ('on');
            ALTER TABLE job DROP CONSTRAINT job_state_check;
            DROP INDEX job_open;
        """,
    },
    {
        "name": "comments_between_the_clauses_of_an_update",
        "schema": """
            CREATE TABLE item (id int PRIMARY KEY, flag bool); CREATE TABLE pick (id int PRIMARY KEY);
            INSERT INTO item VALUES (1, true), (2, true); INSERT INTO pick VALUES (2);
        """,
        "script": """
            WITH wanted AS ( -- those
                SELECT id FROM pick
            ) -- and no others
            UPDATE item AS i -- the items
            SET flag = false -- not any more
            FROM wanted AS w -- all of them
            WHERE i.id = w.id -- by key
            ;
        """,
    },
    {
        "name": "keys_and_indexes_of_what_a_script_fills",
        "schema": """
            CREATE TABLE release (id int PRIMARY KEY); INSERT INTO release VALUES (1), (2);
            CREATE TABLE build (id int PRIMARY KEY, release_id int NOT NULL);
            INSERT INTO build VALUES (1, 1), (2, 1);
            CREATE VIEW summary AS SELECT release_id, count(*) FROM build GROUP BY 1;
        """,
        "script": """
            DROP VIEW summary;
            CREATE TABLE summary (release_id int NOT NULL, builds bigint NOT NULL);
            INSERT INTO summary SELECT release_id, count(*) FROM build GROUP BY 1;
            CREATE INDEX summary_builds ON summary (builds);
            ALTER TABLE summary ADD CONSTRAINT summary_pkey PRIMARY KEY (release_id);
            ALTER TABLE ONLY summary ADD CONSTRAINT summary_release FOREIGN KEY (release_id) REFERENCES release (id);
        """,
    },
    {
        "name": "only_of_a_table_with_nothing_below",
        "schema": """
            CREATE TABLE client (id int NOT NULL); CREATE TABLE flow (id int NOT NULL, client_id int NOT NULL);
            INSERT INTO client VALUES (1); INSERT INTO flow VALUES (7, 1);
        """,
        "script": """
            ALTER TABLE ONLY client ADD CONSTRAINT client_pkey PRIMARY KEY (id);
            ALTER TABLE ONLY flow ADD CONSTRAINT flow_client FOREIGN KEY (client_id) REFERENCES client (id);
            ALTER TABLE ONLY flow ADD CONSTRAINT flow_unique UNIQUE (id);
        """,
    },
    {
        "name": "blocks_that_ask_the_catalog",
        "schema": """
            CREATE TABLE zone (id int PRIMARY KEY, site_id int, number int, old_name text);
            INSERT INTO zone VALUES (1, 1, 1, 'a'), (2, 1, 2, 'b');
        """,
        "script": """
            DO $$ BEGIN
                IF NOT EXISTS (SELECT 1 FROM information_schema.table_constraints
                               WHERE constraint_name = 'zone_site_id_number_key') THEN
                    ALTER TABLE zone ADD UNIQUE (site_id, number);
                END IF;
            END $$;
            DO $$ BEGIN
                IF NOT EXISTS (SELECT c.conname FROM pg_catalog.pg_constraint c
                               WHERE c.conname = 'zone_site_id_number_key' AND conrelid = 'public.zone'::regclass) THEN
                    ALTER TABLE zone DROP COLUMN number;
                END IF;
            END $$;
            DO $$ BEGIN
                if exists (select * from information_schema.columns
                           where table_name = 'zone' and column_name = 'old_name') then
                    alter table zone alter column old_name set not null;
                    alter table zone add column new_name text;
                end if;
            END $$;
            DO $$ BEGIN
                IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood') THEN
                    CREATE TYPE mood AS ENUM ('good', 'bad');
                END IF;
            END $$;
        """,
    },
    {
        "name": "a_column_whose_key_waits_for_the_end",
        "schema": """
            CREATE TABLE payout (id int PRIMARY KEY); CREATE TABLE decision (id int PRIMARY KEY);
            INSERT INTO payout VALUES (1); INSERT INTO decision VALUES (1);
        """,
        "script": """
            ALTER TABLE decision ADD COLUMN payout_id int NULL REFERENCES payout (id) DEFERRABLE INITIALLY DEFERRED;
            ALTER TABLE decision ADD CONSTRAINT once UNIQUE (payout_id) DEFERRABLE INITIALLY DEFERRED;
        """,
    },
    {
        "name": "a_check_before_its_column",
        "schema": "CREATE TABLE charge (id int PRIMARY KEY, was int); INSERT INTO charge VALUES (1);",
        "script": """
            ALTER TABLE charge ADD CONSTRAINT level_known CHECK (level IN (1, 2)),
                ADD COLUMN level smallint NOT NULL DEFAULT 1, ADD COLUMN was text, DROP COLUMN was;
        """,
    },
    {
        "name": "a_cast_and_what_it_stands_on",
        "schema": "SELECT 1;",
        "script": """
            CREATE TYPE span AS (since date, until date);
            CREATE FUNCTION span_range(span) RETURNS daterange LANGUAGE sql IMMUTABLE AS
                $$ SELECT daterange($1.since, $1.until, '[]') $$;
            CREATE CAST (span AS daterange) WITH FUNCTION span_range(span) AS IMPLICIT;
        """,
    },
    {
        "name": "views_in_one_list_in_any_order",
        "schema": """
            CREATE TABLE store (id int PRIMARY KEY, token text);
            CREATE VIEW store_client AS SELECT id, token FROM store;
            CREATE VIEW store_issue AS SELECT id FROM store_client;
            CREATE VIEW store_issue_live AS SELECT id FROM store_issue;
        """,
        "script": "DROP VIEW store_client, store_issue, store_issue_live;",
    },
    {
        "name": "a_key_becomes_the_domain_that_it_points_to",
        "schema": """
            CREATE DOMAIN private_id AS text;
            CREATE TABLE key_version (id private_id PRIMARY KEY);
            CREATE TABLE secret (id int PRIMARY KEY, key_id varchar(40) REFERENCES key_version);
            INSERT INTO key_version VALUES ('k'); INSERT INTO secret VALUES (1, 'k');
        """,
        "script": "ALTER TABLE secret ALTER COLUMN key_id TYPE private_id;",
    },
    {
        "name": "a_table_of_the_same_name",
        "schema": "CREATE TABLE activity (id int PRIMARY KEY, old text); INSERT INTO activity VALUES (1, 'a');",
        "script": """
            DROP TABLE activity;
            CREATE TABLE activity (id int PRIMARY KEY, fresh text);
            CREATE INDEX activity_fresh ON activity (fresh);
        """,
        "plan_says": "CREATE INDEX CONCURRENTLY",
    },
    {
        "name": "an_index_of_a_view_that_is_filled",
        "schema": """
            CREATE TABLE post (id int PRIMARY KEY, n int); INSERT INTO post VALUES (1, 2);
            CREATE MATERIALIZED VIEW post_fast AS SELECT id FROM post;
        """,
        "script": """
            DROP MATERIALIZED VIEW post_fast;
            CREATE MATERIALIZED VIEW post_fast AS SELECT id, n FROM post;
            CREATE UNIQUE INDEX post_fast_id ON post_fast (id);
        """,
        "plan_says": "CREATE UNIQUE INDEX CONCURRENTLY",
    },
    {
        "name": "a_function_for_one_statement",
        "schema": "CREATE TABLE follower (id int PRIMARY KEY, pending bool); INSERT INTO follower VALUES (1, true);",
        "script": """
            CREATE FUNCTION as_state(b bool) RETURNS text LANGUAGE sql IMMUTABLE AS
                $$ SELECT CASE WHEN b THEN 'pending' ELSE 'accepted' END $$;
            UPDATE follower SET pending = false WHERE as_state(pending) = 'pending';
            DROP FUNCTION as_state;
        """,
        "lossy": True,
    },
    {
        "name": "a_type_renamed_under_an_index",
        "schema": """
            CREATE TYPE mood AS ENUM ('good', 'bad');
            CREATE TABLE diary (id int PRIMARY KEY, mood mood NOT NULL, CONSTRAINT fine CHECK (mood <> 'bad'::mood));
            CREATE INDEX diary_good ON diary (id) WHERE mood = 'good'::mood;
            INSERT INTO diary VALUES (1, 'good');
        """,
        "script": """
            ALTER TYPE mood RENAME TO temper;
            DROP INDEX diary_good;
            ALTER TABLE diary DROP CONSTRAINT fine;
        """,
    },
    {
        "name": "reindex",
        "schema": "CREATE TABLE big (id int PRIMARY KEY, n int); CREATE INDEX big_n ON big (n);",
        "script": "REINDEX TABLE big; REINDEX (VERBOSE) INDEX big_n;",
        "plan_says": "REINDEX TABLE CONCURRENTLY big",
    },
    {
        "name": "a_function_of_the_session",
        "schema": "CREATE TABLE tally (id int PRIMARY KEY, code text); INSERT INTO tally VALUES (1, NULL);",
        "script": """
            CREATE FUNCTION pg_temp.letter(n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT chr(64 + n) $$;
            UPDATE tally SET code = pg_temp.letter(id) WHERE code IS NULL;
        """,
        "lossy": True,
    },
    {
        "name": "a_key_made_of_an_index_that_is_there",
        "schema": """
            CREATE TABLE part (id int CONSTRAINT part_pkey PRIMARY KEY, other int NOT NULL);
            CREATE UNIQUE INDEX part_both ON part (id, other); INSERT INTO part VALUES (1, 1);
        """,
        "script": """
            ALTER TABLE part DROP CONSTRAINT part_pkey, ADD CONSTRAINT part_pkey PRIMARY KEY USING INDEX part_both;
        """,
    },
]
