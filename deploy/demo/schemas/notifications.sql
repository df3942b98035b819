CREATE TYPE channel AS ENUM ('mail', 'push', 'sms');
CREATE TABLE messages (
    id       bigserial PRIMARY KEY,
    user_id  integer NOT NULL,
    channel  channel NOT NULL DEFAULT 'mail',
    tries    bigint NOT NULL DEFAULT 0,
    payload  jsonb NOT NULL DEFAULT '{}',
    sent_at  timestamptz
);
INSERT INTO messages (user_id, tries, payload, sent_at)
SELECT 1 + n % :rows, n % 1000, jsonb_build_object('template', n % 7), timestamptz '2024-01-01'
FROM generate_series(1, :rows / 4) n;
CREATE INDEX messages_user_id_idx ON messages (user_id);
CREATE INDEX messages_unsent_idx ON messages (id) WHERE sent_at IS NULL;
